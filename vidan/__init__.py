"""Plugin-based video analytics: detect, track and count objects in video."""

import importlib as _importlib
import typing as _typing

from .api import create, draw, run, track
from .errors import (
    ConfigError,
    DisplayError,
    ModelError,
    PluginError,
    SinkError,
    SourceError,
    StageError,
    VidanError,
)
from .events import Event, Measure, Shape
from .frames import ArrayFrame
from .interfaces import Analyzer, Detector, EventSink, Runner, Sink, Source, StopRun, Tracker
from .registry.hookspecs import hookimpl
from .types import ColorSpec, Detections, Frame, Image, Result, Tracks, YuvPlanes

if _typing.TYPE_CHECKING:
    from .runtime.motion import MotionSettings
    from .runtime.pipeline import Pipeline
    from .runtime.stream import Stream

__all__ = [
    "Analyzer",
    "ArrayFrame",
    "ColorSpec",
    "ConfigError",
    "Detections",
    "Detector",
    "DisplayError",
    "Event",
    "EventSink",
    "Frame",
    "Image",
    "Measure",
    "ModelError",
    "MotionSettings",
    "Pipeline",
    "PluginError",
    "Result",
    "Runner",
    "Shape",
    "Sink",
    "SinkError",
    "Source",
    "SourceError",
    "StageError",
    "StopRun",
    "Stream",
    "Tracker",
    "Tracks",
    "VidanError",
    "YuvPlanes",
    "create",
    "draw",
    "hookimpl",
    "run",
    "track",
]

_LAZY = {
    "MotionSettings": "vidan.runtime.motion",
    "Pipeline": "vidan.runtime.pipeline",
    "Stream": "vidan.runtime.stream",
}
"""Imported when first used: `vidan --help` and most plugins have no use for the frame loop."""


def __getattr__(name: str) -> _typing.Any:
    if name not in _LAZY:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    found = globals()[name] = getattr(_importlib.import_module(_LAZY[name]), name)
    return found
