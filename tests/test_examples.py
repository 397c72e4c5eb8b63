"""The packages in `examples/`, built as wheels, installed into a new environment and run there."""

import json
import os
import subprocess
import sys
import sysconfig
import venv
from pathlib import Path

import pytest

from tests.vidan.test_installed import ROOT, pip
from vidan.testing import clip, frames

EXAMPLES = {"vidan-blur": "sink/blur", "vidan-inbox": "source/inbox", "vidan-lbp": "detector/lbp"}


@pytest.fixture(scope="module")
def python(tmp_path_factory):
    """The interpreter of an environment with vidan and the wheels of the examples."""
    folder = tmp_path_factory.mktemp("fresh")
    wheels = folder / "wheels"
    for name in EXAMPLES:
        pip("wheel", str(_copy(ROOT / "examples" / name, folder)), "--wheel-dir", str(wheels))
    venv.create(folder / "env", with_pip=False)
    binary = folder / "env" / ("Scripts" if os.name == "nt" else "bin") / "python"
    site = subprocess.run(
        [binary, "-c", "import sysconfig; print(sysconfig.get_paths()['purelib'])"],
        capture_output=True, text=True, check=True,
    ).stdout.strip()  # fmt: skip
    # Dependencies come from this environment, the examples from their wheels.
    (Path(site) / "here.pth").write_text(
        f"import site; site.addsitedir({sysconfig.get_paths()['purelib']!r})\n"
    )
    pip("install", "--target", site, *map(str, wheels.glob("*.whl")))
    return binary


def _copy(project, folder):
    """A copy of a project, since building it would leave files behind in the tree."""
    import shutil

    target = folder / project.name
    ignored = shutil.ignore_patterns("build", "*.egg-info", "__pycache__")
    return shutil.copytree(project, target, ignore=ignored)


def run(python, folder, *arguments):
    ran = subprocess.run(
        [python, "-m", *arguments], cwd=folder, capture_output=True, text=True, check=False
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return ran.stdout


@pytest.mark.parametrize("name", EXAMPLES)
def test_its_own_tests_pass(python, name, tmp_path):
    if name == "vidan-lbp":
        pytest.importorskip("skimage", reason="scikit-image is not installed")
    project = _copy(ROOT / "examples" / name, tmp_path)
    out = run(python, project, "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:xdist")
    assert "passed" in out
    checked = run(python, tmp_path, "vidan", "plugins", "check", name)
    assert "problem" not in checked
    assert "note" not in checked
    shown = run(python, tmp_path, "vidan", "plugins", "show", EXAMPLES[name])
    assert shown.startswith(EXAMPLES[name])


def test_they_work_together(python, tmp_path):
    clip(tmp_path / "in.mp4", frames(10))
    (tmp_path / "inbox").mkdir()
    overrides = ["source=file", "source.path=in.mp4", "detector=lbp", "tracker=sort"]
    run(python, tmp_path, "vidan", *overrides, "sink=[blur,jsonl]", "hydra.run.dir=out")
    assert (tmp_path / "out" / "blurred.mp4").stat().st_size > 500
    assert json.loads((tmp_path / "out" / "summary.json").read_text())["frames"] == 10
    overrides = ["source=inbox", "source.path=inbox", "source.timeout=0.1", "sink=jsonl"]
    run(python, tmp_path, "vidan", *overrides, "detector=lbp", "hydra.run.dir=empty")
    assert (tmp_path / "empty" / "results.jsonl").read_text() == ""


def test_all_examples_are_listed():
    there = {p.name for p in (ROOT / "examples").iterdir() if (p / "pyproject.toml").is_file()}
    assert there == set(EXAMPLES)
    assert sys.version_info >= (3, 11)
