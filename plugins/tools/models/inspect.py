"""`vidan models inspect`: what is in a model, how it would be used, and how fast it is here."""

from __future__ import annotations

import statistics
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from vidan.cli.subcommands import import_extra
from vidan.errors import ConfigError
from vidan.frames import ArrayFrame
from vidan.interfaces import Detector

from ...detectors.onnx import OnnxDetector, engine_for, resolve
from ...formats import onnx as onnxfile

PICTURE = (720, 1280)
"""Height and width of the image that the speed is measured with, px."""

SHOWN = 90
"""Characters of a value of the metadata that are shown."""


class Fact(NamedTuple):
    """A line about a model."""

    title: str
    text: str


def inspect(model: str, options: Mapping[str, Any], runs: int) -> Iterator[Fact]:
    """What there is to know of a model, line by line.

    Args:
        model: an ONNX file, a name as in `detector.model`, or the folder of a SavedModel.
        options: the detector's, such as `labels`.
        runs: how often it is run to see how fast it is.

    Raises:
        ConfigError: an option has a bad value.
        ModelError: it cannot be used; says what is missing.
    """
    if Path(model).expanduser().is_dir():
        yield from _saved_model(model, options, runs)
        return
    path, _ = resolve(model)
    where = f"model {str(path)!r}"
    yield Fact("file", f"{path}, {path.stat().st_size / 1e6:.1f} MB" if path.is_file() else model)
    engine = engine_for(path, where)
    file = onnxfile.read(path, where)
    yield Fact("made by", file.producer or "unknown")
    yield Fact("opset", ", ".join(f"{n or 'ai.onnx'} {v}" for n, v in file.opsets.items()))
    for name, tensor in engine.signature.inputs.items():
        yield Fact("input", f"{name} {tensor}")
    for name, tensor in engine.signature.outputs.items():
        yield Fact("output", f"{name} {tensor}")
    for key, value in file.properties.items():
        yield Fact("metadata", f"{key}: {_shortened(value)}")
    del engine
    detector = _made(OnnxDetector, {**options, "model": model})
    yield Fact("taken as", detector.taken)
    yield from _in_use(detector, runs)


def _saved_model(model: str, options: Mapping[str, Any], runs: int) -> Iterator[Fact]:
    yield Fact("file", f"{model}, a SavedModel")
    import_extra("tensorflow", "tf")
    from ...detectors.savedmodel import SavedModelDetector

    yield from _in_use(_made(SavedModelDetector, {**options, "model": model}), runs)


def _made(kind: type[Any], options: Mapping[str, Any]) -> Any:
    try:
        return kind(**options)
    except TypeError as error:
        raise ConfigError(f"vidan models inspect: {error}") from error


def _in_use(detector: Detector, runs: int) -> Iterator[Fact]:
    """Labels and speed."""
    labels = detector.labels
    yield Fact("labels", f"{len(labels)}: {_shortened(', '.join(labels))}")
    rgb = np.random.default_rng(0).integers(0, 256, (*PICTURE, 3), dtype=np.uint8)
    frame = ArrayFrame(rgb, index=0, time=0.0, captured=0.0, stream="noise")
    detector.detect([frame])
    times = []
    for _ in range(runs):
        began = time.perf_counter()
        detector.detect([frame])
        times.append(time.perf_counter() - began)
    detector.close()
    ms = statistics.median(times) * 1000
    yield Fact(
        "speed here",
        f"{ms:.1f} ms for a picture of {PICTURE[1]}x{PICTURE[0]} px, all included "
        f"(median of {runs} runs, {min(times) * 1000:.1f} to {max(times) * 1000:.1f})",
    )


def _shortened(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= SHOWN else line[:SHOWN] + "…"
