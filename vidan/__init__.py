"""Plugin-based video analytics: see, count and follow things in video."""

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
from .hookspecs import hookimpl
from .interfaces import Detector, Sink, Source, StopRun, Tracker
from .types import Detections, Frame, Image, Result, Tracks

__all__ = [
    "ConfigError",
    "Detections",
    "Detector",
    "DisplayError",
    "Frame",
    "Image",
    "ModelError",
    "PluginError",
    "Result",
    "Sink",
    "SinkError",
    "Source",
    "SourceError",
    "StageError",
    "StopRun",
    "Tracker",
    "Tracks",
    "VidanError",
    "hookimpl",
]
