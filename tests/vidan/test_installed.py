"""The wheel contains all files of the repository, and an installed third-party plugin works."""

import json
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

import vidan

ROOT = Path(vidan.__file__).parents[1]
PARTS = {
    "vidan": "vidan",
    "vidan/conf": "conf",
    "vidan_plugins": "plugins",
    "vidan_training": "training",
}


def pip(*arguments):
    quiet = ["--quiet", "--no-deps", "--no-build-isolation", "--disable-pip-version-check"]
    subprocess.run([sys.executable, "-m", "pip", *arguments, *quiet], check=True)


def test_the_wheel_contains_all_files(tmp_path):
    tracked = subprocess.run(
        ["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False
    ).stdout.splitlines()
    if not tracked:
        pytest.skip("not a git checkout")
    copy = tmp_path / "tree"
    for name in tracked:
        if (ROOT / name).exists():
            (copy / name).parent.mkdir(parents=True, exist_ok=True)
            (copy / name).write_bytes((ROOT / name).read_bytes())
    pip("wheel", str(copy), "--wheel-dir", str(tmp_path))
    (wheel,) = tmp_path.glob("*.whl")
    names = {n for n in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in n}
    expected = {
        f"{package}/{name.removeprefix(folder + '/')}"
        for package, folder in PARTS.items()
        for name in tracked
        if name.startswith(folder + "/") and not name.endswith(".ipynb")
    }
    assert names == expected


def test_an_installed_third_party_plugin(tmp_path):
    shutil.copytree(ROOT / "tests/foo_plugin", tmp_path / "project")
    pip("install", str(tmp_path / "project"), "--target", str(tmp_path / "site"))
    environment = os.environ | {"PYTHONPATH": str(tmp_path / "site")}

    def run(*arguments):
        return subprocess.run(
            [sys.executable, "-m", "vidan", *arguments],
            cwd=tmp_path,
            env=environment,
            capture_output=True,
            text=True,
            check=True,
        ).stdout

    assert "vidan-foo" in run("plugins")
    assert "the same box everywhere" in run("--help")
    small = ["source.width=320", "source.height=240", "source.frames=6", "hydra.run.dir=out"]
    run("detector=foo", "detector.size=30", "tracker=sort", "sink=[jsonl]", *small)
    lines = (tmp_path / "out/results.jsonl").read_text().splitlines()
    assert len(lines) == 6
    last = json.loads(lines[-1])
    assert last["detections"] == [{"box": [5, 5, 35, 35], "score": 1, "label": "foo"}]
    assert last["tracks"][0]["label"] == "foo"
