"""`vidan analyze`: runs analyzers on tracks from a file, without video."""

from __future__ import annotations

import copy
import logging
import re
from collections.abc import Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
from omegaconf import DictConfig

from vidan import options
from vidan.cli.counts import count_tables
from vidan.cli.subcommands import run_directory, write_json
from vidan.cli.terminal import console
from vidan.config.build import BuildContext
from vidan.config.compose import chosen_groups, compose
from vidan.errors import ConfigError
from vidan.execution.assemble import build_analyzers
from vidan.execution.summary import measure_records
from vidan.interfaces import ReportsOutputs
from vidan.runtime.analysis import Analysis
from vidan.scene import SceneContext

from ...formats.mot import Array
from ...formats.scene_file import Scene, load_scene
from ...sinks.events.file import EventLines
from ..tracking import settings
from ..tracking.sequences import DEFAULT_FRAME_RATE
from .files import TrackFile, find_tracks
from .tracks import Labels, TrackSequence, read_rows

log = logging.getLogger(__name__)


def run(arguments: Sequence[str]) -> int:
    """Analyze the tracks that the overrides name: any key of `conf/analyze.yaml`."""
    config = compose(arguments, "analyze")
    labels = _labels(config.label)
    if config.tracks is None:
        raise ConfigError("tracks is missing: set tracks=<file or folder of tracks>")
    path = options.path("tracks", config.tracks)
    files = find_tracks(path)
    scene = load_scene(settings.group(config, "scene"))
    if "analytics" not in chosen_groups(arguments) and not (scene.lines or scene.zones):
        raise ConfigError("the scene has no lines or zones: set scene=<file>")
    sequences = [_sequence(file, config, labels, scene) for file in files]
    folder = Path(config.run_dir)
    configs = [
        _with_folder(config, folder / s.name if path.is_dir() else folder) for s in sequences
    ]
    # All are built before any is written: an invalid scene leaves no empty files behind.
    analyses = [_build(each, s) for each, s in zip(configs, sequences, strict=True)]
    for each, sequence, analyzers in zip(configs, sequences, analyses, strict=True):
        _analyze(each, sequence, analyzers)
    return 0


def _labels(value: Any) -> Labels:
    """The option `label`.

    Raises:
        ConfigError: it is neither a label nor a mapping of class numbers.
    """
    if isinstance(value, DictConfig):
        given = {str(key): label for key, label in value.items()}
        good = all(re.fullmatch(r"\d+", key) for key in given)
        if not given or not good or not all(isinstance(v, str) for v in given.values()):
            raise ConfigError(f"label={dict(given)!r}: expected labels by class, as {{1:person}}")
        names = tuple(dict.fromkeys(given.values()))
        return Labels(names, {int(key): names.index(label) for key, label in given.items()})
    return Labels((options.text("label", value),))


def _sequence(file: TrackFile, config: DictConfig, labels: Labels, scene: Scene) -> TrackSequence:
    """The tracks of a file, and what the configuration adds.

    Raises:
        VidanError: the file is not one of tracks, or an option is missing or invalid.
    """
    rate = file.facts.rate or DEFAULT_FRAME_RATE
    if config.rate is not None:
        rate = options.positive("rate", config.rate)
    rows, classes = read_rows(file.path, labels)
    last = int(rows[-1, 0]) if len(rows) else 0
    frames = file.facts.frames or last
    if config.frames is not None:
        frames = options.whole("frames", config.frames, 1)
    if not frames:
        log.warning("%s has no tracks, and its number of frames is not known", file.path)
    elif frames < last:
        log.warning("%s: leaving out tracks after frame %d, the last", file.path, frames)
    size = _size(config.size) or file.facts.size or scene.drawn_for or _extent(scene, rows)
    return TrackSequence(file.name, rows, classes, labels.names, rate, size, frames)


def _size(value: Any) -> tuple[int, int] | None:
    if value is None:
        return None
    if isinstance(value, str) or not isinstance(value, Sequence) or len(value) != 2:
        raise options.wrong("size", value, "[width,height] in px")
    width, height = (options.whole("size", side, 1) for side in value)
    return width, height


def _extent(scene: Scene, rows: Array) -> tuple[int, int]:
    """Width and height, px, of an image that contains all boxes and shapes.

    Raises:
        ConfigError: they are not known, since a shape has fractions of them.
    """
    shapes = (*scene.lines, *scene.zones, *((scene.ground,) if scene.ground else ()))
    if any(shape.outline.fractions for shape in shapes):
        raise ConfigError(
            "size is missing, since the scene has fractions of it: set size=[width,height]"
        )
    corners = [shape.outline.points for shape in shapes]
    extent = np.concatenate([rows[:, 2:4] + rows[:, 4:6], *corners]).max(axis=0, initial=1)
    width, height = np.ceil(extent).tolist()
    return int(width), int(height)


def _with_folder(config: DictConfig, folder: Path) -> DictConfig:
    """The configuration with another folder for the outputs."""
    changed = copy.deepcopy(config)
    changed.run_dir = str(folder)
    return changed


def _build(config: DictConfig, sequence: TrackSequence) -> Mapping[str, Any]:
    scene = SceneContext(settings.group(config, "scene"), sequence.labels, sequence.size)
    context = BuildContext(workers=1, scene=scene)
    return build_analyzers(settings.group(config, "analytics"), context)


def _analyze(config: DictConfig, sequence: TrackSequence, analyzers: Mapping[str, Any]) -> None:
    """Analyze one sequence; writes its files and prints its counts."""
    folder = run_directory(config)
    analysis = Analysis(analyzers)
    with closing(EventLines(str(folder / "events.jsonl"))) as events:
        for result in sequence.results():
            events.emit(analysis.update(result).events)
        for left in analysis.finish():
            events.emit(left)
    measures = measure_records(analysis.measures())
    write_json(folder / "measures.json", measures)
    terminal = console()
    terminal.print(f"{sequence.name}: {sequence.frames} frames, {sequence.rate:g} per second")
    for table in count_tables(measures):
        terminal.print(table)
    outputs = [
        path for a in analyzers.values() if isinstance(a, ReportsOutputs) for path in a.outputs
    ]
    for path in (folder / "events.jsonl", folder / "measures.json", *outputs):
        terminal.print(f"output  {path}")
