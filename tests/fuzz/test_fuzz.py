"""Damaged files of every kind: success or one clear error, in bounded time and memory.

    pytest tests/fuzz                      a few of each kind
    pytest -m fuzz -n 2 tests/fuzz         2,400 files, some minutes

`VIDAN_FUZZ_SEED=7` tries other files. The path of a file that fails is printed.
"""

import collections
import json
import os
import random
import select
import subprocess
import sys
from pathlib import Path

import pytest

from . import SEED
from .damage import damaged
from .seeds import seeds

TEXT = {"playlist", "det", "labels", "yolo", "config"}
MAX_DURATION_S = 60.0
"""For one file, on a busy machine."""

MAX_MEMORY = 1.5 * 2**30
"""Of the process that reads all files, bytes."""

FILES = {
    "video": 500,
    "playlist": 100,
    "image": 400,
    "onnx": 400,
    "det": 250,
    "labels": 250,
    "tfrecord": 200,
    "yolo": 150,
    "config": 150,
}


class Worker:
    """The process of `worker.py`; restarted when it dies."""

    def __init__(self, allowed):
        self.allowed = allowed
        self.process = None

    def ask(self, kind, path):
        if self.process is None:
            self.stderr = (self.allowed / "stderr").open("ab")
            self.process = subprocess.Popen(
                [sys.executable, "-m", "tests.fuzz.worker", str(self.allowed)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=self.stderr,
                cwd=self.allowed,
                env=os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])},
                text=True,
            )
        self.process.stdin.write(json.dumps([kind, str(path)]) + "\n")
        self.process.stdin.flush()
        ready, _, _ = select.select([self.process.stdout], [], [], MAX_DURATION_S)
        line = self.process.stdout.readline() if ready else None
        if line:
            return json.loads(line)
        if line is None:
            self.process.kill()
        code = self.process.wait()
        self.close()
        return {"end": "hang" if line is None else "crash", "text": f"exit {code}", "rss": 0}

    def close(self):
        if self.process is not None:
            self.process.stdin.close()
            self.process.stdout.close()
            self.stderr.close()
            self.process.wait(timeout=30)
            self.process = None


def tree(folder):
    return {path.relative_to(folder) for path in folder.rglob("*")}


@pytest.mark.skipif(sys.platform == "win32", reason="needs RLIMIT_AS")
@pytest.mark.parametrize("kind", FILES)
@pytest.mark.parametrize("share", [0.03, pytest.param(1.0, marks=pytest.mark.fuzz)])
def test_damaged_files(tmp_path, monkeypatch, kind, share):
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    monkeypatch.chdir(tmp_path)
    originals = seeds(tmp_path / "seeds", kind)
    rng = random.Random(f"{SEED} {kind}")
    worker = Worker(tmp_path)
    ends, bugs = collections.Counter(), []
    try:
        for number in range(max(4, round(FILES[kind] * share))):
            name, data = originals[number % len(originals)]
            folder = tmp_path / f"{number}"
            folder.mkdir()
            path = folder / name
            # The first ones are valid: otherwise success would show nothing.
            valid = number < len(originals)
            path.write_bytes(data if valid else damaged(data, rng, kind in TEXT))
            answer = worker.ask(kind, path)
            ends[answer["end"]] += 1
            if valid and kind not in ("yolo", "playlist"):  # what they name is missing
                assert answer["end"] == "success", answer
            if answer["end"] not in ("success", "error") or answer["rss"] > MAX_MEMORY:
                bugs.append(f"{path}: {answer}")
            if kind != "config":
                assert tree(folder) == {Path(name)}
    finally:
        worker.close()
    print(kind, dict(ends))
    assert not bugs, "\n".join([f"{len(bugs)} of {sum(ends.values())}", *bugs[:20]])
