"""Decides whether the counts of a run continue from an earlier one, and from which state."""

from __future__ import annotations

import datetime
import hashlib
import json
import logging
from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from omegaconf import OmegaConf

from ..errors import ConfigError, SinkError
from ..interfaces import Stateful
from ..journal import RunStart
from ..options import expanded
from ..runtime.continued_ids import ContinuedIds
from .counts import CountsKeeper, restored
from .counts_file import CountsFile, Saved, moment
from .parts import Parts
from .settings import RunSettings
from .stream_name import stream_name

log = logging.getLogger(__name__)

KEEPER = "counts"
"""Name of the keeper among the analyzers."""

START_FILE = "counts_start.json"
"""What a run that can be resumed continued from; in its directory until it is complete."""

DEFAULT_FOLDER = Path("runs/counts")
"""Folder of the files of counts."""


class Start(NamedTuple):
    """What the counts of a run start from.

    Attributes:
        job: of the run; the same when it is resumed.
        began: when it first started, s since 1970.
        text: of the file that it continues from; None to start at zero.
    """

    job: str
    began: float
    text: str | None


def with_counts(
    parts: Parts, settings: RunSettings, run: RunStart, *, resumable: bool, resumed: bool
) -> tuple[Parts, CountsKeeper | None]:
    """Restore the analyzers that keep counts, and save their counts from now on.

    Args:
        parts: of a run, whose analyzers have not been called.
        settings: of the run.
        run: its start.
        resumable: whether the run can be resumed.
        resumed: whether it is an interrupted one that is repeated.

    Returns:
        The parts, and what is to be closed after the run; None if no counts are saved.

    Raises:
        VidanError: the file cannot be used.
    """
    keeping = [n for n, analyzer in parts.analyzers.items() if isinstance(analyzer, Stateful)]
    path = _path(settings, live=parts.source.live)
    if not keeping or path is None:
        return parts, None
    file = CountsFile(path)
    try:
        live = parts.source.live
        start = _start(file, settings, run, live=live, resumable=resumable, resumed=resumed)
        key = Saved(stream_name(settings), fingerprint(settings.scene, keeping), start.job)
        saved, parts = _restore(file, start, key, parts)
    except BaseException:
        file.close()
        raise
    analyzers = {name: a for name, a in parts.analyzers.items() if isinstance(a, Stateful)}
    daily = settings.counts.reset == "daily"
    if daily and _day(saved.at) != _day(start.began):
        for analyzer in analyzers.values():
            analyzer.reset_counts()
    keeper = CountsKeeper(
        file,
        saved,
        analyzers,
        fingerprint=partial(fingerprint, settings.scene, keeping),
        daily=daily,
        every=settings.counts.save_every,
    )
    return replace(parts, analyzers={KEEPER: keeper, **parts.analyzers}), keeper


def fingerprint(scene: Mapping[str, Any], analyzers: list[str]) -> str:
    """A hash of what is in a scene and of the names of its analyzers.

    Raises:
        ConfigError: the scene cannot be read.
    """
    values = dict(scene)
    path = values.pop("path", None)
    if path is not None:
        try:
            content = OmegaConf.load(expanded(str(path)))
        except Exception as error:  # of the file or the YAML parser
            raise ConfigError(f"cannot read the scene {str(path)!r}: {error}") from error
        values = dict(OmegaConf.to_container(OmegaConf.merge(content, _set(values))))  # type: ignore[arg-type]
    text = json.dumps([_set(values), sorted(analyzers)], sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _set(values: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in values.items() if value not in (None, {})}


def _path(settings: RunSettings, *, live: bool) -> Path | None:
    """Where to save; None for a video whose counts nobody asked to keep."""
    reset = settings.counts.reset
    if settings.counts.path is not None:
        return expanded(settings.counts.path)
    if reset == "start" or (reset is None and not live):
        return None
    return DEFAULT_FOLDER / f"{stream_name(settings)}.json"


def _start(
    file: CountsFile,
    settings: RunSettings,
    run: RunStart,
    *,
    live: bool,
    resumable: bool,
    resumed: bool,
) -> Start:
    """What to continue from; noted in the directory of a run that can be resumed.

    Raises:
        SinkError: a file cannot be read or written.
    """
    note = settings.run_dir / START_FILE
    text = file.read()
    if resumed and (found := _noted(note)) is not None:
        if text is not None and text != found.text and f'"job": "{found.job}"' not in text:
            file.set_aside("were saved by another run since")
        return found
    reset = settings.counts.reset or ("never" if live else "start")
    start = Start(run.id, run.began, None if reset == "start" else text)
    if resumable:
        try:
            note.write_text(json.dumps(start._asdict()), encoding="utf-8")
        except OSError as error:
            raise SinkError(f"cannot write {str(note)!r}: {error.strerror}") from error
    return start


def _noted(note: Path) -> Start | None:
    try:
        return Start(**json.loads(note.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return None


def _restore(file: CountsFile, start: Start, key: Saved, parts: Parts) -> tuple[Saved, Parts]:
    """The state to continue from, and the restored parts; or a state of zero, and new parts."""
    if start.text is None:
        return key, parts
    try:
        saved = Saved.parse(start.text, key)
        offset = -(saved.time + max(0.0, start.began - saved.at))
        analyzers = restored(parts.analyzers, saved, offset)
    except ValueError as error:
        file.set_aside(str(error))
        return key, parts
    log.info("counts continue from %s, saved %s", file.path, moment(saved.at))
    tracker = ContinuedIds(parts.tracker, saved.last_id) if saved.last_id else parts.tracker
    saved = saved._replace(stream=key.stream, job=key.job)
    return saved, replace(parts, analyzers=analyzers, tracker=tracker)


def _day(seconds: float) -> datetime.date:
    return datetime.date.fromtimestamp(seconds)
