"""MOTChallenge's `seqinfo.ini`, which describes a sequence."""

from __future__ import annotations

import configparser
import math
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from vidan.errors import SourceError


class SequenceFacts(NamedTuple):
    """What a seqinfo.ini tells of a sequence; None for what it does not tell.

    Attributes:
        rate: frames per second.
        size: width and height of the images, px.
        frames: number of frames.
    """

    rate: float | None
    size: tuple[int, int] | None
    frames: int | None


def read_seqinfo(path: Path) -> Mapping[str, str]:
    """The `[Sequence]` section of a seqinfo.ini, with lower-case keys; {} if there is none.

    Raises:
        SourceError: the file cannot be parsed.
    """
    info = configparser.ConfigParser(interpolation=None)
    try:
        info.read(path, encoding="utf-8")
        return dict(info["Sequence"]) if "Sequence" in info else {}
    except (configparser.Error, UnicodeDecodeError) as error:
        reason = str(error).splitlines()[0]
        raise SourceError(f"cannot read {str(path)!r}: {reason}: repair or remove it") from error


def sequence_facts(path: Path, info: Mapping[str, str], rate: float | None = None) -> SequenceFacts:
    """The facts in the `[Sequence]` section of a seqinfo.ini.

    Args:
        path: of the file, for errors.
        info: the section.
        rate: frames per second; None to take those of the section.

    Raises:
        SourceError: one is not a number above 0.
    """
    rate = rate or _number(path, info, "framerate")
    keys = ("imwidth", "imheight", "seqlength")
    width, height, frames = (_number(path, info, key) for key in keys)
    size = (int(width), int(height)) if width and height else None
    return SequenceFacts(rate, size, None if frames is None else int(frames))


def _number(path: Path, info: Mapping[str, str], key: str) -> float | None:
    """A number above 0 in a seqinfo.ini; None if it has no such key.

    Raises:
        SourceError: it is not a number above 0.
    """
    text = info.get(key)
    try:
        value = None if text is None else float(text)
    except ValueError:
        value = -1.0
    if value is not None and not 0 < value < math.inf:
        raise SourceError(f"{path}: {key}={text!r}: expected a number above 0")
    return value
