"""Parts of long files, whose detection is a job of its own: `split=10min`.

The job of the file then tracks and counts as in a run over the whole file, with the recorded
detections. What is not recorded, as of a part that failed, is detected there.
"""

from __future__ import annotations

import math
import time
import uuid
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import NamedTuple

from omegaconf import DictConfig, OmegaConf

from vidan.config.build import BuildContext
from vidan.errors import SourceError
from vidan.execution.replay import DetectionStore
from vidan.execution.settings import RunSettings
from vidan.support.stuck import leave

from ...sources.ffmpeg.section import duration, section
from .job import Job, Outcome, detectors, failed, prepare_process, succeeded
from .recorded import record_path


class PartJob(NamedTuple):
    """A part of a file to detect.

    Attributes:
        job: of the file.
        number: of the part, from 0.
        start: stream time of the part, s.
        end: stream time of the part that follows, s.
    """

    job: Job
    number: int
    start: float
    end: float

    @property
    def name(self) -> str:
        """What errors call it."""
        return f"{self.job.name}, part {self.number}"

    @property
    def path(self) -> Path:
        """Where its detections are recorded."""
        return record_path(Path(self.job.run_dir), self.job.key, self.number)


def parts(jobs: Iterable[Job], length: float) -> Iterator[PartJob]:
    """The parts of files longer than `length`, s, without those that are recorded.

    Files that cannot be read in parts have none.
    """
    for job in jobs:
        try:
            count = math.ceil(duration(job.path) / length)
        except SourceError:  # its job reports it
            continue
        for n in range(count if count > 1 else 0):
            end = (n + 1) * length if n + 1 < count else math.inf
            part = PartJob(job, n, n * length, end)
            if not part.path.exists():
                yield part


def detect_part(part: PartJob) -> Outcome:
    """Record the detections of a part, in a file that is renamed when it is complete."""
    started = time.monotonic()
    prepare_process(part.job)
    try:
        _detect(part)
    except Exception as error:
        detectors().forget()
        leave(1)
        return failed(error, started)
    return succeeded(started)


def _detect(part: PartJob) -> None:
    config = OmegaConf.create(dict(part.job.config))
    assert isinstance(config, DictConfig)
    config.source.path = part.job.path.replace("${", r"\${")
    settings = RunSettings.from_config(config)
    temporary = part.path.with_suffix(f".{uuid.uuid4().hex}")
    temporary.parent.mkdir(parents=True, exist_ok=True)
    with ExitStack() as opened:
        context = BuildContext(workers=settings.pipeline.workers, live_source=False)
        detector = detectors().get(settings.components["detector"], context, opened)
        store = DetectionStore(temporary)
        opened.callback(store.close)
        threads = int(settings.components["source"]["threads"])
        for frame in section(
            part.job.path, part.start, part.end, stream=part.job.name, threads=threads
        ):
            store.add(frame, detector.detect([frame])[0])
    temporary.rename(part.path)
