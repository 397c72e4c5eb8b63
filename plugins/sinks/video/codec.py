"""Choice of the H.264 encoder of FFmpeg, and its settings."""

from __future__ import annotations

import logging
from fractions import Fraction
from typing import Literal, cast, get_args

import av
import av.error
from av.codec.codec import UnknownCodecError
from av.video.codeccontext import VideoCodecContext

from vidan.errors import SinkError

log = logging.getLogger(__name__)

Codec = Literal["libx264", "h264_nvenc", "h264_qsv", "h264_amf", "h264_videotoolbox"]
SOFTWARE: Codec = "libx264"

Preset = Literal[
    "ultrafast", "superfast", "veryfast", "faster", "fast", "medium", "slow", "slower", "veryslow"
]


def check_available() -> None:
    """Check that FFmpeg has the encoder that is always used if no other is there.

    Raises:
        SinkError: it does not.
    """
    if SOFTWARE not in av.codecs_available:
        raise SinkError(f"FFmpeg has no encoder {SOFTWARE}: pip install --force-reinstall av")


def choose(wanted: Codec | Literal["auto"], width: int, height: int) -> Codec:
    """The requested encoder, or libx264 with a warning if it cannot be opened.

    Args:
        wanted: name of the encoder; `auto` for the first hardware encoder that can be opened.
        width: of the images, px.
        height: of the images, px.
    """
    if wanted == SOFTWARE:
        return SOFTWARE
    hardware = [name for name in get_args(Codec) if name != SOFTWARE]
    names = hardware if wanted == "auto" else [wanted]
    found = next((name for name in names if can_open(name, width, height)), None)
    if found is None:
        what = "no hardware encoder is" if wanted == "auto" else "this encoder is not"
        log.warning("encoder=%s: %s available here; using %r", wanted, what, SOFTWARE)
        return SOFTWARE
    log.info("encoding with %r", found)
    return found


def settings(codec: Codec, preset: str, crf: int) -> dict[str, str]:
    """Encoder options for an x264 preset, which only x264 has, and a quality from 0 to 51."""
    if codec == SOFTWARE:
        return {"preset": preset, "crf": str(crf)}
    quality = str(max(1, crf))
    return {
        "h264_nvenc": {"rc": "vbr", "cq": quality},
        "h264_qsv": {"global_quality": quality},
        "h264_amf": {"rc": "cqp", "qp_i": quality, "qp_p": quality},
        # Its scale is inverted: 1 (worst) to 100 (best).
        "h264_videotoolbox": {"q:v": str(round(100 - 1.9 * crf))},
    }[codec]


def can_open(name: str, width: int, height: int) -> bool:
    """Whether FFmpeg was built with the encoder and its device is present."""
    try:
        context = cast(VideoCodecContext, av.CodecContext.create(name, "w"))
        context.width, context.height = width, height
        context.pix_fmt, context.time_base = "yuv420p", Fraction(1, 30)
        context.open()
    except (av.error.FFmpegError, UnknownCodecError):
        return False
    return True
