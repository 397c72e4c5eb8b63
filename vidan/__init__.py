"""Plugin-based video analytics: detect, track and count objects in video."""

from .api import create, run
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
from .events import Event, Shape
from .frames import ArrayFrame
from .interfaces import Analyzer, Detector, EventSink, Sink, Source, StopRun, Tracker
from .registry.hookspecs import hookimpl
from .runtime.pipeline import Pipeline
from .runtime.stream import Stream
from .types import ColorSpec, Detections, Frame, Image, Result, Tracks, YuvPlanes

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
    "ModelError",
    "Pipeline",
    "PluginError",
    "Result",
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
    "hookimpl",
    "run",
]
