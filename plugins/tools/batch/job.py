"""One file of a batch job: what a worker does."""

from __future__ import annotations

import json
import logging
import os
import shutil
import socket
import threading
import time
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, NamedTuple

from omegaconf import DictConfig, OmegaConf

from vidan.config.compose import load_local
from vidan.errors import ConfigError, ModelError, PluginError, SinkError
from vidan.execution.assemble import SharedDetectors
from vidan.execution.directory import LOG_FILE
from vidan.execution.execute import prepare
from vidan.execution.summary import Summary, write_summary
from vidan.journal import RunStart
from vidan.support.cores import OPENMP
from vidan.support.secrets import SecretsFilter, redacted
from vidan.support.stuck import leave
from vidan.support.text import one_line

from .layout import FAILED, FILES, JOB, PARTIAL
from .recorded import RecordedDetectors, recorded


class Job(NamedTuple):
    """A file to process.

    Attributes:
        name: of the file, and of the folder of its outputs.
        path: of the file, absolute.
        run_dir: of the batch job, absolute.
        key: hash of the file and of the configuration.
        began: when the batch job first started, s since 1970.
        config: of the run.
        threads: compute threads.
        folder: working directory of the command, which paths in `config` are relative to.
    """

    name: str
    path: str
    run_dir: str
    key: str
    began: float
    config: Mapping[str, Any]
    threads: int
    folder: str


class Outcome(NamedTuple):
    """What came of a job.

    Attributes:
        summary: some values of the run's summary: see KEPT; {} if it failed.
        outputs: paths of the files that were written, relative to the run directory.
        seconds: how long it took.
        worker: host and process that did it.
        error: why it failed; None if it is complete.
        of_configuration: whether the configuration is to blame for the error.
    """

    summary: Mapping[str, Any]
    outputs: list[str]
    seconds: float
    worker: str
    error: str | None = None
    of_configuration: bool = False


KEPT = ("frames", "detections", "objects", "events")
"""Values of the summary of a run that the manifest has."""

_local = threading.local()


def run_job(job: Job) -> Outcome:
    """Process a file, unless that has been done.

    Outputs are written into a folder in PARTIAL, which is renamed when they are complete. The
    detector is kept for the next job of this thread.
    """
    started = time.monotonic()
    target = Path(job.run_dir, FILES, job.name)
    if found := _finished(target, job.key):
        return found
    prepare_process(job)
    part = Path(job.run_dir, PARTIAL, uuid.uuid4().hex)
    try:
        part.mkdir(parents=True)
        with _log_file(part / LOG_FILE):
            summary = _run(job, part)
    except Exception as error:
        outcome = failed(error, started)
        detectors().forget()
        if outcome.of_configuration:
            shutil.rmtree(part, ignore_errors=True)
        else:
            _replace(part, Path(job.run_dir, FAILED, job.name))
        leave(1)  # a detection that does not end would keep a core busy
        return outcome
    kept = {key: summary[key] for key in KEPT}  # type: ignore[literal-required]
    outputs = [_relative(path, part, target, job.run_dir) for path in summary["outputs"]]
    outcome = Outcome(kept, outputs, _since(started), _worker())
    summary["outputs"] = [str(Path(job.run_dir, path)) for path in outputs]
    write_summary(part, summary)
    (part / JOB).write_text(json.dumps({"key": job.key, "outcome": outcome._asdict()}))
    _replace(part, target, job.key)
    return outcome


def _run(job: Job, part: Path) -> Summary:
    """Run the pipeline, with the outputs in a folder."""
    config = OmegaConf.create(dict(job.config))
    assert isinstance(config, DictConfig)
    config.run_dir = _escaped(str(part))
    config.source.path = _escaped(job.path)
    if "stream" in config.source and config.source.stream is None:
        config.source.stream = _escaped(job.name)
    start = RunStart(job.key[:32], job.began)  # the same in each attempt
    known = detectors()
    if paths := recorded(Path(job.run_dir), job.key):
        known = RecordedDetectors(known, paths)
    prepared = prepare(config, require_display=True, start=start, detectors=known)
    summary = prepared.run()
    if summary["interrupted"]:
        raise SinkError("a signal stopped the worker")
    return summary


def detectors() -> SharedDetectors:
    """The detectors of this thread: a Dask worker may have several."""
    if not hasattr(_local, "detectors"):
        _local.detectors = SharedDetectors(keep=True)
    found: SharedDetectors = _local.detectors
    return found


def prepare_process(job: Job) -> None:
    """Prepare the process: threads, working directory, and plugins that are not installed."""
    import cv2

    os.environ[OPENMP] = str(job.threads)
    cv2.setNumThreads(job.threads)
    with suppress(FileNotFoundError):  # on another computer
        os.chdir(job.folder)
    if job.config["plugins_dir"] is not None:
        load_local([f"plugins_dir={job.config['plugins_dir']}"])


def _finished(target: Path, key: str) -> Outcome | None:
    """The outcome of an earlier attempt that is complete; None if there was none."""
    try:
        content = json.loads((target / JOB).read_text())
        return Outcome(**content["outcome"]) if content["key"] == key else None
    except (OSError, ValueError, TypeError, KeyError):
        return None


def _replace(part: Path, target: Path, key: str | None = None) -> None:
    """Rename a folder, in place of another one unless that is of the same job."""
    target.parent.mkdir(parents=True, exist_ok=True)
    while part.exists():
        try:
            part.rename(target)
        except OSError:
            if not target.exists():
                raise
            if key is not None and _finished(target, key):  # another attempt was faster
                shutil.rmtree(part)
                return
            old = part.with_suffix(".old")
            with suppress(FileNotFoundError):
                target.rename(old)
            shutil.rmtree(old, ignore_errors=True)


@contextmanager
def _log_file(path: Path) -> Iterator[None]:
    """Log to a file within the block."""
    handler = logging.FileHandler(path, encoding="utf-8", errors="backslashreplace", delay=True)
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    handler.addFilter(SecretsFilter())
    root = logging.getLogger()
    level = root.level
    root.addHandler(handler)
    root.setLevel(logging.INFO)
    try:
        yield
    finally:
        root.removeHandler(handler)
        root.setLevel(level)
        handler.close()


def _escaped(text: str) -> str:
    """Text that OmegaConf does not take for an interpolation."""
    return text.replace("${", r"\${")


def _relative(path: str, part: Path, target: Path, run_dir: str) -> str:
    """Where an output will be, from the run directory if it is in there."""
    given = Path(path)
    if given.is_relative_to(part):
        return (target / given.relative_to(part)).relative_to(run_dir).as_posix()
    return path


def failed(error: Exception, started: float) -> Outcome:
    """The outcome of a job that raised an error; it began at `started`, s of `time.monotonic()`."""
    text = redacted(one_line(str(error) or type(error).__name__))
    of_configuration = isinstance(error, ConfigError | ModelError | PluginError)
    return Outcome({}, [], _since(started), _worker(), text, of_configuration)


def succeeded(started: float) -> Outcome:
    """The outcome of a job without outputs that began at `started`, s of `time.monotonic()`."""
    return Outcome({}, [], _since(started), _worker())


def _since(started: float) -> float:
    return round(time.monotonic() - started, 3)


def _worker() -> str:
    return f"{socket.gethostname()}:{os.getpid()}"
