"""The steps of the Dockerfile, executed in a fresh Debian: `pytest -m slow tests/deploy`."""

import os
import shlex
import shutil
import subprocess
import tomllib

import pytest

from tests.docs.pages import ROOT

from .dockerfile import build, instructions


def test_what_is_copied_and_installed_exists():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    arguments = dict(rest.split("=", 1) for name, rest in instructions() if name == "ARG")
    assert set(arguments["EXTRAS"].split(",")) <= set(project["optional-dependencies"])
    copied = [shlex.split(rest)[:-1] for name, rest in instructions() if name == "COPY"]
    files = [file for files in copied if not files[0].startswith("--from=") for file in files]
    assert all((ROOT / file).exists() for file in files)
    assert {"conf", "plugins", "training", "vidan", "setup.py"} < set(files)


@pytest.fixture
def debian(tmp_path):
    if shutil.which("debootstrap") is None or os.geteuid() != 0:
        pytest.skip("needs debootstrap and root")
    root = tmp_path / "debian"
    subprocess.run(["debootstrap", "--variant=minbase", "trixie", str(root)], check=True)
    yield root
    for folder in tmp_path.iterdir():
        shutil.rmtree(folder)


@pytest.mark.slow
def test_its_steps_make_a_working_image(debian, tmp_path):
    stage = build(debian, tmp_path)
    assert stage.run(*stage.entrypoint, "--version").stdout.startswith("vidan ")
    arguments = ["max_frames=10", "sink=[video,events]", "run_dir=out", "hydra.verbose=true"]
    ran = stage.run(*stage.entrypoint, *arguments, timeout=300)
    assert ran.returncode == 0, ran.stderr
    out = stage.root / "data/out"
    assert (out / "video.mp4").stat().st_size > 10_000
    assert f"{out.stat().st_uid}:{out.stat().st_gid}" == stage.user
    write = stage.run("sh", "-c", "echo > /opt/vidan/file")
    assert "Permission denied" in write.stderr
