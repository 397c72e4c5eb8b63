"""A process that reads files of a kind, one after another, and says what came of each.

Standard input has a line of JSON for each: kind and path. A line of JSON answers it: `end`
(`success`, `error`, or `bug`), `text`, and `rss` in bytes. A native library that dies takes this
process with it, and nothing else.
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
"""Address space, bytes: what asks for more gets a MemoryError or dies."""

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


def picture(path):
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
    """The configuration of a run that `vidan resume` goes on with; and of one that is there."""
    run = path.parent / "run"
    (run / ".hydra").mkdir(parents=True, exist_ok=True)
    (run / ".hydra/config.yaml").write_bytes(path.read_bytes())
    (run / ".hydra/overrides.yaml").write_text("- sink=[jsonl]\n")
    cwd = json.dumps(str(path.parent))
    (run / ".hydra/hydra.yaml").write_text(f"hydra: {{runtime: {{cwd: {cwd}}}}}\n")
    (run / "detections.bin").touch()
    (run / "summary.json").unlink(missing_ok=True)
    said = io.StringIO()
    with contextlib.redirect_stderr(said), contextlib.redirect_stdout(io.StringIO()):
        code = cli.main(["resume", str(run)])
    errors = [line for line in said.getvalue().splitlines() if line.startswith("vidan: error")]
    if "(a bug in vidan" in said.getvalue() or (code != 0) != (len(errors) == 1):
        raise AssertionError(f"exit code {code}: {said.getvalue()}")
    if code:
        raise VidanError(errors[0])


KINDS = {
    "video": video,
    "picture": picture,
    "onnx": onnx,
    "det": det,
    "labels": labels,
    "tfrecord": dataset,
    "yolo": dataset,
    "config": config,
}


def watch_writes(allowed):
    """Note files that are opened to be written, or removed or renamed, elsewhere."""
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
        # `build` wraps what a constructor raises: then it is no error that says what to do
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
    # What libraries print there must not be mistaken for an answer.
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
