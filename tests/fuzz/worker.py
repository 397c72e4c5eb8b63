"""A process that reads files one after another and reports the outcome of each.

Each line of standard input is JSON: kind and path. The answer is a line of JSON: `end` (`success`,
`error` or `bug`), `text`, and `rss` in bytes. A crash in a native library ends only this process.
"""

from __future__ import annotations

import contextlib
import io
import itertools
import json
import os
import resource
import sys
import traceback
from pathlib import Path

import numpy as np

import vidan
from vidan import VidanError
from vidan.cli import main as cli
from vidan.frames import ArrayFrame

MEMORY = 8 * 2**30
"""Limit of the address space, bytes; beyond it, allocations fail."""

FRAMES = 100


def frame(index=0):
    return ArrayFrame(
        np.full((48, 64, 3), 90, np.uint8), index=index, time=0.0, captured=0.0, stream="fuzz"
    )


def frames(source):
    try:
        for each in itertools.islice(source, FRAMES):
            each.rgb()
            each.resized(32, 32)
    finally:
        source.close()


def video(path):
    frames(vidan.create("source", "file", path=str(path), threads=1))


def image(path):
    frames(vidan.create("source", "images", path=str(path.parent)))


def detect(detector, indices=(0, 5, 10**6)):
    try:
        for index in indices:
            (found,) = detector.detect([frame(index)])
            assert isinstance(found, vidan.Detections)
    finally:
        detector.close()


def onnx(path):
    detect(vidan.create("detector", "onnx", model=str(path), backend="onnxruntime", threads=1))


def det(path):
    detect(vidan.create("detector", "mot", path=str(path)))


def labels(path):
    model = str(path.parents[1] / "seeds/model.onnx")
    detect(
        vidan.create(
            "detector", "onnx", model=model, labels=str(path), backend="onnxruntime", threads=1
        )
    )


def dataset(path):
    from vidan_training.data import formats

    formats.read(path)


def config(path):
    """Use the file as the configuration of a run, and resume that run."""
    run = path.parent / "run"
    (run / ".hydra").mkdir(parents=True, exist_ok=True)
    (run / ".hydra/config.yaml").write_bytes(path.read_bytes())
    (run / ".hydra/overrides.yaml").write_text("- sink=[jsonl]\n")
    cwd = json.dumps(str(path.parent))
    (run / ".hydra/hydra.yaml").write_text(f"hydra: {{runtime: {{cwd: {cwd}}}}}\n")
    (run / "detections.bin").touch()
    (run / "summary.json").unlink(missing_ok=True)
    output = io.StringIO()
    with contextlib.redirect_stderr(output), contextlib.redirect_stdout(io.StringIO()):
        code = cli.main(["resume", str(run)])
    errors = [line for line in output.getvalue().splitlines() if line.startswith("vidan: error")]
    if "(a bug in vidan" in output.getvalue() or (code != 0) != (len(errors) == 1):
        raise AssertionError(f"exit code {code}: {output.getvalue()}")
    if code:
        raise VidanError(errors[0])


KINDS = {
    "video": video,
    "playlist": video,
    "image": image,
    "onnx": onnx,
    "det": det,
    "labels": labels,
    "tfrecord": dataset,
    "yolo": dataset,
    "config": config,
}


def watch_writes(allowed):
    """A list that receives writes, removals and renames outside a folder, and started processes."""
    found = []

    def hook(event, arguments):
        if event == "open":
            path, _, flags = arguments
            writes = isinstance(flags, int) and flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT)
            if not writes or not isinstance(path, str | bytes | os.PathLike):
                return
        elif event in (
            "os.remove",
            "os.rename",
            "os.mkdir",
            "os.rmdir",
            "os.symlink",
            "os.truncate",
        ):
            path = arguments[0]
        elif event in (
            "subprocess.Popen",
            "os.system",
            "os.exec",
            "os.posix_spawn",
            "pickle.find_class",
        ):
            found.append(f"{event} {arguments!r}")
            return
        else:
            return
        place = os.path.realpath(os.fsdecode(path)) if not isinstance(path, int) else ""
        if place and not place.startswith((allowed, "/dev/null")):
            found.append(f"{event} {place}")

    sys.addaudithook(hook)
    return found


def one(kind, path, elsewhere):
    elsewhere.clear()
    try:
        KINDS[kind](path)
    except VidanError as error:
        text = str(error)
        # `build` wraps unexpected exceptions of a constructor: not a useful error for users.
        end = "bug" if "cannot be built:" in text or "\n" in text else "error"
    except BaseException:
        end, text = "bug", traceback.format_exc()
    else:
        end, text = "success", ""
    if elsewhere:
        end, text = "bug", f"written elsewhere: {elsewhere}"
    rss = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    return {"end": end, "text": text, "rss": rss}


def main(allowed):
    # Output of libraries must not be mistaken for an answer.
    answers = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    sys.dont_write_bytecode = True
    elsewhere = watch_writes(os.path.realpath(allowed))
    for line in sys.stdin:
        kind, path = json.loads(line)
        answers.write(json.dumps(one(kind, Path(path), elsewhere)) + "\n")


if __name__ == "__main__":
    main(sys.argv[1])
