"""Inputs of the benchmarks: the 1080p video, the shipped models, the folder of results."""

from __future__ import annotations

import argparse
import os
from importlib.resources import files
from pathlib import Path

from vidan_plugins.detectors.onnx import SHIPPED
from vidan_plugins.tools.bench.clip import make_clip

from .report import RESULTS

REAL_VIDEO = "video/MOT16-09.mp4"
"""Relative to the folder in VIDAN_DATA."""

WORK = Path("runs/benchmarks")
"""Outputs of the runs, and generated videos."""


def real_video() -> Path | None:
    """The real 1080p video; None if VIDAN_DATA is not set or lacks it."""
    folder = os.environ.get("VIDAN_DATA")
    path = Path(folder or ".") / REAL_VIDEO
    return path if folder and path.is_file() else None


def video(frames: int, size: str = "1920x1080") -> Path:
    """The real video, or a synthetic one if there is none."""
    return real_video() or make_clip(WORK, size, frames=frames)


def model() -> Path:
    """The float32 ONNX model that vidan ships."""
    return Path(str(files("vidan_plugins.models").joinpath("facemask_lite0.onnx")))


def shipped() -> Path:
    """The int8 ONNX model that vidan uses by default."""
    return model().with_name(SHIPPED)


def parser(module: str, about: str) -> argparse.ArgumentParser:
    """An argument parser with the options that all benchmarks share."""
    made = argparse.ArgumentParser(f"python -m {module}", description=about)
    made.add_argument("--out", type=Path, default=RESULTS, help="folder of the results")
    return made
