"""Which of FFmpeg's H.264 encoders makes the video."""

from __future__ import annotations

import logging
from fractions import Fraction
from typing import Literal, cast, get_args

import av
import av.error
from av.codec.codec import UnknownCodecError
from av.video.codeccontext import VideoCodecContext

log = logging.getLogger(__name__)

Codec = Literal["libx264", "h264_nvenc", "h264_qsv", "h264_amf", "h264_videotoolbox"]
SOFTWARE: Codec = "libx264"


def choose(wanted: Codec | Literal["auto"], width: int, height: int) -> Codec:
    """The encoder wanted, or x264 where it does not start; says so in one line.

    Args:
        wanted: its name; `auto` for the first one in hardware that starts.
        width: of the images, px.
        height: of the images, px.
    """
    if wanted == SOFTWARE:
        return SOFTWARE
    hardware = [name for name in get_args(Codec) if name != SOFTWARE]
    names = hardware if wanted == "auto" else [wanted]
    found = next((name for name in names if _starts(name, width, height)), None)
    if found is None:
        what = "no encoder in hardware" if wanted == "auto" else f"encoder {wanted!r}"
        log.warning("sink.video.encoder=%s: %s starts here; using %r", wanted, what, SOFTWARE)
        return SOFTWARE
    log.info("encoding with %r", found)
    return found


def settings(codec: Codec, preset: str, crf: int) -> dict[str, str]:
    """What a codec calls a preset and a quality from 0 to 51; only x264 has presets like these."""
    if codec == SOFTWARE:
        return {"preset": preset, "crf": str(crf)}
    quality = str(max(1, crf))
    return {
        "h264_nvenc": {"rc": "vbr", "cq": quality},
        "h264_qsv": {"global_quality": quality},
        "h264_amf": {"rc": "cqp", "qp_i": quality, "qp_p": quality},
        # Its quality goes the other way, from 1 to 100.
        "h264_videotoolbox": {"q:v": str(round(100 - 1.9 * crf))},
    }[codec]


def _starts(name: str, width: int, height: int) -> bool:
    """Whether FFmpeg has an encoder and its device is there."""
    try:
        context = cast(VideoCodecContext, av.CodecContext.create(name, "w"))
        context.width, context.height = width, height
        context.pix_fmt, context.time_base = "yuv420p", Fraction(1, 30)
        context.open()
    except (av.error.FFmpegError, UnknownCodecError):
        return False
    return True
