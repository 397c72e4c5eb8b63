"""`vidan models inspect`: what a model contains, how vidan would use it, and its speed."""

from __future__ import annotations

import statistics
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from vidan.errors import ConfigError
from vidan.frames import ArrayFrame
from vidan.interfaces import Detector
from vidan.options import expanded
from vidan.support.extras import import_extra

from ...detectors.engine import FORMATS, open_engine
from ...detectors.errors import naming
from ...detectors.onnx import OnnxDetector, model_name, resolve
from ...formats.onnx import read_info

SPEED_IMAGE_SIZE = (720, 1280)
"""Height and width of the image that the speed is measured with, px."""

MAX_SHOWN_TEXT = 90
"""Characters of a value that are shown."""


class Property(NamedTuple):
    """A line of the output."""

    title: str
    text: str


def inspect(model: str, options: Mapping[str, Any], runs: int) -> Iterator[Property]:
    """The properties of a model, line by line.

    Args:
        model: an ONNX file, a name as in `detector.model`, or the folder of a SavedModel.
        options: of the detector, such as `labels`.
        runs: number of runs to measure the speed.

    Raises:
        ConfigError: an option is invalid.
        ModelError: the model cannot be used; the message says what is missing.
    """
    if expanded(model).is_dir():
        yield from _saved_model(model, options, runs)
        return
    path, _ = resolve(model, offline=options.get("offline") is True)
    size = f", {path.stat().st_size / 1e6:.1f} MB" if path.is_file() else ""
    yield Property("file", f"{path}{size}")
    with naming(model_name(path)):
        engine = open_engine(path)
    if path.suffix.lower() not in FORMATS:
        yield from _origin(path)
    for name, tensor in engine.signature.inputs.items():
        yield Property("input", f"{name} {tensor}")
    for name, tensor in engine.signature.outputs.items():
        yield Property("output", f"{name} {tensor}")
    for key, value in engine.properties.items():
        yield Property("metadata", f"{key}: {_shortened(value)}")
    del engine
    detector = _build(OnnxDetector, {**options, "model": model})
    yield Property("used as", detector.summary)
    yield from _labels_and_speed(detector, runs)


def _origin(path: Path) -> Iterator[Property]:
    """The program that wrote an ONNX file, and its operator sets."""
    info = read_info(path)
    yield Property("made by", info.producer or "unknown")
    yield Property("opset", ", ".join(f"{n or 'ai.onnx'} {v}" for n, v in info.opsets.items()))


def _saved_model(model: str, options: Mapping[str, Any], runs: int) -> Iterator[Property]:
    yield Property("file", f"{model}, a SavedModel")
    import_extra("tensorflow", "tf")
    from ...detectors.savedmodel import SavedModelDetector

    yield from _labels_and_speed(_build(SavedModelDetector, {**options, "model": model}), runs)


def _build(kind: type[Any], options: Mapping[str, Any]) -> Any:
    try:
        return kind(**options)
    except TypeError as error:
        raise ConfigError(f"vidan models inspect: {error}") from error


def _labels_and_speed(detector: Detector, runs: int) -> Iterator[Property]:
    """Labels, and the speed on this machine."""
    labels = detector.labels
    yield Property("labels", f"{len(labels)}: {_shortened(', '.join(labels))}")
    rgb = np.random.default_rng(0).integers(0, 256, (*SPEED_IMAGE_SIZE, 3), dtype=np.uint8)
    frame = ArrayFrame(rgb, index=0, time=0.0, captured=0.0, stream="noise")
    detector.detect([frame])
    times = []
    for _ in range(runs):
        start = time.perf_counter()
        detector.detect([frame])
        times.append(time.perf_counter() - start)
    detector.close()
    ms = statistics.median(times) * 1000
    height, width = SPEED_IMAGE_SIZE
    yield Property(
        "speed here",
        f"{ms:.1f} ms for an image of {width}x{height} px, including conversions "
        f"(median of {runs} runs, {min(times) * 1000:.1f} to {max(times) * 1000:.1f})",
    )


def _shortened(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= MAX_SHOWN_TEXT else line[:MAX_SHOWN_TEXT] + "…"
