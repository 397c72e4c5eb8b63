"""What the benchmarks measure with: a 1080p video, the shipped model, where results go."""

from __future__ import annotations

import argparse
import os
from importlib.resources import files
from pathlib import Path

from vidan_plugins.detectors.onnx import SHIPPED
from vidan_plugins.tools.bench.clip import clip

from .report import RESULTS

REAL = "video/MOT16-09.mp4"
"""The real video, in the folder that VIDAN_DATA names."""

WORK = Path("runs/benchmarks")
"""Where what the runs write goes, and what is made for them once."""


def real_video() -> Path | None:
    """The real 1080p video; None if VIDAN_DATA does not name a folder that has it."""
    folder = os.environ.get("VIDAN_DATA")
    path = Path(folder or ".") / REAL
    return path if folder and path.is_file() else None


def video(frames: int, size: str = "1920x1080") -> Path:
    """The real video, or else one that vidan draws."""
    return real_video() or clip(WORK, size, frames=frames)


def model() -> Path:
    """The float32 ONNX model that ships with vidan."""
    return Path(str(files("vidan_plugins.models").joinpath("facemask_lite0.onnx")))


def shipped() -> Path:
    """The int8 ONNX model that vidan runs where nobody names one."""
    return model().with_name(SHIPPED)


def parser(module: str, about: str) -> argparse.ArgumentParser:
    """A command line with the options that all benchmarks share."""
    made = argparse.ArgumentParser(f"python -m {module}", description=about)
    made.add_argument("--out", type=Path, default=RESULTS, help="folder of the results")
    return made
