"""Plugin-based video analytics: see, count and follow things in video."""

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
from .interfaces import Detector, Sink, Source, StopRun, Tracker
from .registry.hookspecs import hookimpl
from .runtime.pipeline import Pipeline
from .types import Colours, Detections, Frame, Image, Planes, Result, Tracks

__all__ = [
    "Colours",
    "ConfigError",
    "Detections",
    "Detector",
    "DisplayError",
    "Frame",
    "Image",
    "ModelError",
    "Pipeline",
    "Planes",
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
    "create",
    "hookimpl",
    "run",
]
