"""The environment of a measurement: the machine and the versions of packages."""

from __future__ import annotations

import datetime
import importlib.metadata
import os
import platform
import sys
from pathlib import Path
from typing import Any

from vidan.support.cores import physical_cores

PACKAGES = (
    "vidan",
    "numpy",
    "scipy",
    "filterpy",
    "av",
    "opencv-python",
    "opencv-python-headless",
    "onnxruntime",
    "openvino",
    "tensorflow",
    "tensorflow-cpu",
    "trackers",
    "supervision",
)
"""Packages that affect results; those that are not installed are omitted."""

THREAD_SETTINGS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "TF_NUM_INTRAOP_THREADS")

GOVERNOR = Path("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor")


def environment() -> dict[str, Any]:
    """The machine and the versions, as JSON values; without the names of host and user."""
    return {
        "date": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.release()} {platform.machine()}",
        "cpu": cpu_model(),
        "cpus": len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count(),
        "cores_to_use": physical_cores(),
        "governor": _text(GOVERNOR) or "unknown",
        "load": [round(n, 2) for n in os.getloadavg()] if hasattr(os, "getloadavg") else None,
        "thread_settings": {n: os.environ[n] for n in THREAD_SETTINGS if n in os.environ},
        "packages": {name: v for name in PACKAGES if (v := version(name)) is not None},
    }


def version(package: str) -> str | None:
    """The version of a package; None if it is not installed."""
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None


def cpu_model() -> str:
    """The model name of the processor, if the system provides it."""
    for line in (_text(Path("/proc/cpuinfo")) or "").splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def one_line(about: dict[str, Any]) -> str:
    """An environment as one line of text."""
    packages = ", ".join(f"{name} {number}" for name, number in about["packages"].items())
    load = "" if about["load"] is None else f", load {about['load'][0]} at the start"
    return (
        f"{about['cpu']}, {about['cpus']} CPUs, governor {about['governor']}{load}; "
        f"{about['system']}, Python {about['python']}; {packages}; {about['date'][:10]}"
    )


def _text(path: Path) -> str | None:
    try:
        return path.read_text(encoding="utf-8", errors="replace").strip()
    except OSError:
        return None
