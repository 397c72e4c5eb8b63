"""Clips of the synthetic street, and `vidan batch` over them."""

import json
import shutil
import sqlite3
from pathlib import Path

import pytest

import vidan
from vidan.cli.main import main

LINE = "scene.lines.middle={from:[0.5,0],to:[0.5,1]}"
BATCH = [
    *("source.path=clips/**/*.mp4", "run_dir=out", "runner.workers=1"),
    *("tracker=sort", "sink=[events]", LINE),
]


@pytest.fixture(scope="session")
def street(tmp_path_factory):
    """A folder with clips of 40 frames, cut from the synthetic street."""
    folder = tmp_path_factory.mktemp("street")
    for seed in range(3):
        vidan.run(
            source="synthetic",
            **{"source.seed": seed, "source.width": 480, "source.height": 270},
            **{"source.speed": 3.0, "sink.video.path": str(folder / f"{seed}.mp4")},
            detector="mot",
            **{"detector.path": str(nothing(folder)), "run_dir": str(folder / "run")},
            sink="[video]",
            drawing="none",
            scene="none",
            max_frames=40,
        )
    return folder


def nothing(folder):
    """Detections of a video without any."""
    (folder / "none.txt").write_text("1000,-1,10,10,20,20,1,-1,-1,-1\n")
    return folder / "none.txt"


@pytest.fixture
def clips(street, tmp_path, monkeypatch):
    """A working directory with `clips`: `a/0.mp4`, `a/1.mp4` and `b/2.mp4`."""
    for name in ("a/0", "a/1", "b/2"):
        path = tmp_path / f"clips/{name}.mp4"
        path.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(street / f"{path.stem}.mp4", path)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def batch(clips, here, capsys):
    """Runs `vidan batch`; returns what it wrote to `out` and `err`."""

    def run(*overrides, check=0):
        capsys.readouterr()
        code = main(["batch", *BATCH, *overrides])
        wrote = capsys.readouterr()
        assert code == check, wrote
        return wrote

    return run


def rows(folder=Path("out")):
    """Name, state, failed attempts and error of each file in the manifest."""
    with sqlite3.connect(folder / "manifest.sqlite") as database:
        query = "SELECT name, state, attempts, error FROM files ORDER BY name"
        return {name: tuple(rest) for name, *rest in database.execute(query)}


def finished(folder=Path("out")):
    """When the outputs of each file were completed, ns, by name."""
    found = sorted((folder / "files").rglob("job.json"))
    return {f.parent.relative_to(folder / "files").as_posix(): f.stat().st_mtime_ns for f in found}


def events(path):
    return [json.loads(line) for line in Path(path).read_text().splitlines()]
