"""`vidan street.mp4`, `vidan 0` and `vidan rtsp://...`: a source without its options."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from ..errors import SourceError
from ..options import exists, expanded

LIVE_SCHEMES = ("rtsp", "rtsps", "rtmp", "rtmps", "srt", "udp", "rtp")
"""Schemes of URLs that `source=rtsp` reads."""


def with_source(arguments: Sequence[str]) -> list[str]:
    """The arguments, with a source in place of a first word that names a video or a camera.

    Raises:
        SourceError: it names a file that does not exist.

    >>> with_source(["0", "tracker=sort"])
    ['source=webcam', 'source.device=0', 'tracker=sort']
    >>> with_source(["rtsp://camera/1"])
    ['source=rtsp', "source.path='rtsp://camera/1'"]
    """
    from .quoting import in_hydra_quotes, literal  # here: it loads Hydra

    first, rest = arguments[0], list(arguments[1:])
    name, key = _source(first)
    if name == "webcam":
        option = f"{key}={first}"
    else:  # a URL may have a password from the environment, ${oc.env:NAME}
        option = (in_hydra_quotes if "://" in first else literal)(f"{key}={first}")
    return [f"source={name}", option, *rest]


def names_source(argument: str) -> bool:
    """Whether a word is a number, a URL, or a path; commands are none of these.

    >>> [names_source(word) for word in ("0", "rtsp://a/b", "a.mp4", "./a", "doctor")]
    [True, True, True, True, False]
    """
    if not argument or argument.startswith(("-", "+")):
        return False
    if exists(expanded(argument)):
        return True
    deletes = argument.startswith("~") and not argument.startswith(("~/", "~\\"))
    if deletes or "=" in argument.partition("://")[0]:
        return False  # an override
    return argument.isdecimal() or any(mark in argument for mark in "./\\")


def _source(argument: str) -> tuple[str, str]:
    if argument.isdecimal() and not exists(Path(argument)):
        return "webcam", "source.device"
    scheme, separator, _ = argument.partition("://")
    if separator:
        return ("rtsp" if scheme.lower() in LIVE_SCHEMES else "file"), "source.path"
    path = expanded(argument)
    if not exists(path):
        raise SourceError(f"cannot open {argument!r}: no such file, and no command of this name")
    return ("images" if path.is_dir() else "file"), "source.path"
