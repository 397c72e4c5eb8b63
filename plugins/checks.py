"""Checks of `vidan doctor` for the built-in components."""

from __future__ import annotations

import importlib.metadata
import os
import sys
from collections.abc import Iterator
from pathlib import Path

from vidan.registry.commands import Check

OPENCV = ("opencv-python", "opencv-python-headless", "opencv-contrib-python")
OPENCV_HEADLESS_CONTRIB = "opencv-contrib-python-headless"


def checks() -> Iterator[Check]:
    """Codecs, OpenCV packages, display, cameras, ONNX Runtime providers."""
    yield h264()
    yield opencv()
    yield display()
    yield cameras()
    yield providers()


def h264() -> Check:
    """Whether FFmpeg can encode H.264, for `sink=video`."""
    import av

    version = ".".join(map(str, av.library_versions["libavcodec"]))
    for name in ("libx264", "libopenh264", "h264_videotoolbox", "h264_mf"):
        if name in av.codecs_available:
            return Check("H.264 encoder", "ok", f"{name} (libavcodec {version})")
    return Check("H.264 encoder", "problem", f"none in libavcodec {version}: reinstall av with pip")


def opencv() -> Check:
    """Whether several OpenCV packages are installed, which overwrite each other's files."""
    names = (*OPENCV, OPENCV_HEADLESS_CONTRIB)
    found = [name for name in names if _installed(name)]
    if len(found) > 1:
        return Check(
            "OpenCV packages",
            "problem",
            f"{' and '.join(found)} overwrite each other: uninstall all, then install one",
        )
    return Check("OpenCV packages", "ok", found[0] if found else "built from source")


def _installed(package: str) -> bool:
    try:
        importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return False
    return True


def display() -> Check:
    """Whether there is a display, for `sink=window`."""
    names = [n for n in ("DISPLAY", "WAYLAND_DISPLAY") if os.environ.get(n)]
    if sys.platform == "linux" and not names:
        return Check("display", "note", "none: sink=window is not available")
    return Check("display", "ok", ", ".join(f"{n}={os.environ[n]}" for n in names) or "native")


def cameras() -> Check:
    """The cameras for `source=webcam`; only Linux lists them as files."""
    if sys.platform != "linux":
        return Check("cameras", "ok", "checked when source=webcam starts")
    found = sorted(str(path) for path in Path("/dev").glob("video*"))
    return Check("cameras", "ok" if found else "note", ", ".join(found) or "no /dev/video*")


def providers() -> Check:
    """The execution providers of ONNX Runtime."""
    import onnxruntime

    found = [
        name.removesuffix("ExecutionProvider") for name in onnxruntime.get_available_providers()
    ]
    return Check("ONNX Runtime providers", "ok", ", ".join(found))
