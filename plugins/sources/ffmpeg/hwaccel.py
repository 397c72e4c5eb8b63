"""Hardware decoding, where FFmpeg finds a device for it."""

from __future__ import annotations

import logging
from typing import Literal

from av.codec import Codec
from av.codec.hwaccel import HWAccel, hwdevices_available
from av.error import FFmpegError

log = logging.getLogger(__name__)

Hardware = Literal["none", "auto", "cuda", "d3d11va", "qsv", "vaapi", "videotoolbox"]

AUTO_ORDER: tuple[Hardware, ...] = ("cuda", "videotoolbox", "d3d11va", "vaapi", "qsv")
"""Devices that `auto` tries, best first."""


def accelerator(wanted: Hardware) -> HWAccel | None:
    """The device that decodes; None for the CPU, with a warning if a device was wanted.

    A video that the device cannot decode is decoded by the CPU too.
    """
    if wanted == "none":
        return None
    names = AUTO_ORDER if wanted == "auto" else (wanted,)
    name = next((name for name in names if device_works(name)), None)
    if name is None:
        log.warning("hwaccel=%s: no such device works here; decoding on the CPU", wanted)
        return None
    log.info("decoding with %s", name)
    return HWAccel(name, allow_software_fallback=True)


def device_works(name: str) -> bool:
    """Whether FFmpeg was built for a device and can create a decoder on it, tried with H.264."""
    if name not in hwdevices_available():
        return False
    try:
        HWAccel(name).create(Codec("h264", "r"))
    except (FFmpegError, RuntimeError):  # NotImplementedError: none for this codec
        return False
    return True
