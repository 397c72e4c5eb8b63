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
from .frames import ArrayFrame
from .interfaces import Detector, Sink, Source, StopRun, Tracker
from .registry.hookspecs import hookimpl
from .runtime.pipeline import Pipeline
from .types import ColorSpec, Detections, Frame, Image, Result, Tracks, YuvPlanes

__all__ = [
    "ArrayFrame",
    "ColorSpec",
    "ConfigError",
    "Detections",
    "Detector",
    "DisplayError",
    "Frame",
    "Image",
    "ModelError",
    "Pipeline",
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
    "YuvPlanes",
    "create",
    "hookimpl",
    "run",
]
