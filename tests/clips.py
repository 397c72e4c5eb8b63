"""Small videos with known contents, for tests that read or write video."""

from __future__ import annotations

import struct
import wave
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from av.audio.stream import AudioStream
from av.container import OutputContainer

from vidan.types import Image

FIRST_LEVEL, LEVEL_STEP, LEVELS = 16, 8, 29
"""Brightness of the lower half of image n: FIRST_LEVEL + LEVEL_STEP * (n modulo LEVELS)."""

CORNERS = {"top left": (255, 0, 0), "top right": (0, 255, 0), "below": (0, 0, 255)}

IDENTITY = (1, 0, 0, 1)


def numbered_image(number: int, width: int = 64, height: int = 48) -> Image:
    """An image: red top left, green top right, and below a gray level that encodes the number."""
    rgb = np.empty((height, width, 3), np.uint8)
    rgb[: height // 2, : width // 2] = CORNERS["top left"]
    rgb[: height // 2, width // 2 :] = CORNERS["top right"]
    rgb[height // 2 :] = FIRST_LEVEL + LEVEL_STEP * (number % LEVELS)
    return rgb


def number_of(rgb: Image) -> int:
    """The number of an image, modulo LEVELS, even after encoding with a codec."""
    level = rgb[-rgb.shape[0] // 4 :].mean()
    return round((level - FIRST_LEVEL) / LEVEL_STEP)


def write_clip(
    path: Path,
    images: int | Sequence[Image] = 25,
    *,
    size: tuple[int, int] = (64, 48),
    rate: int = 25,
    times: Sequence[int] | None = None,
    codec: str = "libx264",
    pix_fmt: str = "yuv420p",
    matrix: tuple[int, int, int, int] = IDENTITY,
    pixel_aspect: Fraction | None = None,
    second_size: tuple[int, int] | None = None,
    seconds_of_sound: int = 0,
    options: dict[str, str] | None = None,
    container_options: dict[str, str] | None = None,
) -> Path:
    """Write a video; the suffix of the path decides the container.

    Args:
        path: of the file.
        images: number of numbered images, or the images themselves.
        size: width and height of the numbered images, px.
        rate: frames per second.
        times: presentation times in ms, for a variable rate.
        codec: name of an FFmpeg encoder.
        pix_fmt: name of an FFmpeg pixel format.
        matrix: a, b, c, d of the display matrix; x' = a x + c y, y' = b x + d y (MP4 only).
        pixel_aspect: width of a pixel divided by its height; None for 1.
        second_size: width and height of a second video, px; None for none.
        seconds_of_sound: length of silence that is added, s.
        options: of the encoder; by default a key frame every 10 frames.
        container_options: of the container.

    Returns:
        the path.
    """
    if isinstance(images, int):
        images = [numbered_image(n, *size) for n in range(images)]
    height, width, _ = images[0].shape
    with av.open(str(path), "w", options=container_options or {}) as container:
        stream = container.add_stream(codec, rate=rate, options=options or {"g": "10"})
        stream.width, stream.height, stream.pix_fmt = width, height, pix_fmt
        if pixel_aspect:
            stream.codec_context.sample_aspect_ratio = pixel_aspect
        if times is not None:
            stream.codec_context.time_base = Fraction(1, 1000)
        other = container.add_stream(codec, rate=rate) if second_size else None
        if other and second_size:
            other.width, other.height, other.pix_fmt = *second_size, pix_fmt
        sound = container.add_stream("pcm_s16le", rate=8000) if seconds_of_sound else None
        for n, rgb in enumerate(images):
            # Through yuv444p: the direct conversion from RGB to 4:2:0 needs even sizes.
            frame = av.VideoFrame.from_ndarray(rgb).reformat(format="yuv444p")
            frame = frame.reformat(format=pix_fmt)
            if times is not None:
                frame.pts, frame.time_base = times[n], Fraction(1, 1000)
            container.mux(stream.encode(frame))
            if other and second_size:
                container.mux(other.encode(frame.reformat(*second_size)))
        container.mux(stream.encode(None))
        if other:
            container.mux(other.encode(None))
        if sound:
            _add_silence(container, sound, seconds_of_sound)
    if matrix != IDENTITY:
        _set_matrix(path, matrix)
    return path


def _add_silence(container: OutputContainer, stream: AudioStream, seconds: int) -> None:
    for second in range(seconds):
        silence = av.AudioFrame.from_ndarray(np.zeros((1, 8000), np.int16), "s16", "mono")
        silence.sample_rate, silence.pts, silence.time_base = 8000, second * 8000, Fraction(1, 8000)
        container.mux(stream.encode(silence))
    container.mux(stream.encode(None))


def _set_matrix(path: Path, matrix: tuple[int, int, int, int]) -> None:
    """Write the display matrix into the track header (ISO 14496-12, 8.3.2)."""
    a, b, c, d = (value << 16 for value in matrix)
    data = bytearray(path.read_bytes())
    # After the type: version and flags 4, times, id, duration 20, reserved 8, layer etc. 8.
    at = data.index(b"tkhd") + 4 + 4 + 20 + 8 + 8
    data[at : at + 36] = struct.pack(">9i", a, b, 0, c, d, 0, 0, 0, 1 << 30)
    path.write_bytes(data)


def write_sound(path: Path) -> Path:
    """Write a second of silence as WAV."""
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(8000)
        file.writeframes(bytes(16000))
    return path
