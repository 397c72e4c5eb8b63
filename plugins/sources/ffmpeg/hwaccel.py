"""Decoding in hardware, where FFmpeg finds a device for it."""

from __future__ import annotations

import logging
from typing import Literal

from av.codec import Codec
from av.codec.hwaccel import HWAccel, hwdevices_available
from av.error import FFmpegError

log = logging.getLogger(__name__)

Hardware = Literal["none", "auto", "cuda", "d3d11va", "qsv", "vaapi", "videotoolbox"]

PREFERRED: tuple[Hardware, ...] = ("cuda", "videotoolbox", "d3d11va", "vaapi", "qsv")
"""What `auto` tries, best first."""


def accelerator(wanted: Hardware) -> HWAccel | None:
    """What decodes in hardware; None for the processor, which one line then says.

    A video that the device cannot decode is decoded by the processor too.
    """
    if wanted == "none":
        return None
    names = PREFERRED if wanted == "auto" else (wanted,)
    found = next((name for name in names if _starts(name)), None)
    if found is None:
        log.warning("source.hwaccel=%s: no such device starts here; the processor decodes", wanted)
        return None
    log.info("decoding with %s", found)
    return HWAccel(found, allow_software_fallback=True)


def _starts(name: str) -> bool:
    """Whether FFmpeg was built for a device and it is there, tried with H.264."""
    if name not in hwdevices_available():
        return False
    try:
        HWAccel(name).create(Codec("h264", "r"))
    except (FFmpegError, RuntimeError):  # NotImplementedError: none for this codec
        return False
    return True
