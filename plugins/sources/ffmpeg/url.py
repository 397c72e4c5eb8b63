"""Where a video is: a file or a URL, and what to say when it cannot be had."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path, PurePosixPath
from urllib.parse import urlsplit

import av.error

from vidan.errors import SourceError

from .hwaccel import Hardware

LIVE = {"rtmp", "rtmps", "rtmpt", "rtp", "rtsp", "rtsps", "srt", "udp"}
"""Protocols over which images come when they happen, whether or not anyone is ready."""

PASSWORD = re.compile(r"(?<=://)([^:/?#]*):.*@", re.DOTALL)
"""A user's name and all that may be the password: one with an `@` or `/` in it is no valid URL,
and yet people write it."""

KEY = re.compile(r"(?i)(?<=[?&])([^=&#]*(?:pass|pwd|token|secret|key|auth|sig)[^=&#]*)=[^&#]*")
"""What looks like a secret in the query of a URL."""

HIDDEN = "***"


class Address:
    """A path or URL as the user wrote it; its repr hides a password.

    Attributes:
        local: whether it is a path on this computer.
        live: whether images come by themselves over it.
        target: what FFmpeg is to open.
        options: what FFmpeg is to be told beside it; to be added to.
    """

    def __init__(self, path: str) -> None:
        hidden = PASSWORD.sub(rf"\1:{HIDDEN}@", path)
        self._shown = KEY.sub(rf"\1={HIDDEN}", hidden)
        file = Path(path).expanduser()
        # A drive letter is no protocol, and a file with a colon in its name is a file.
        self.local = file.exists() or not re.match(r"[A-Za-z][A-Za-z0-9+.-]+:", path)
        self._file = file if self.local else None
        scheme = "" if self.local else path.partition(":")[0].lower()
        self.live = scheme in LIVE
        self.target = f"file:{file}" if self.local else path
        self.options: dict[str, str] = {}
        self.hwaccel: Hardware = "none"

    def __repr__(self) -> str:
        return repr(self._shown)

    @property
    def name(self) -> str:
        """A short name for it: the file's stem, or else the host."""
        if self._file is not None:
            return self._file.stem
        url = urlsplit(self._shown)
        return PurePosixPath(url.path).stem or url.hostname or "stream"

    def check(self) -> None:
        """Look at what FFmpeg would only call invalid data.

        Raises:
            SourceError: it is a path at which there is no file, or an empty one.
        """
        if self._file is None:
            return
        if not self._file.exists():
            raise SourceError(f"there is no file {self!r}: check source.path")
        if self._file.is_dir():
            raise SourceError(f"{self!r} is a folder: for pictures in a folder say source=images")
        if self._file.is_file() and not self._file.stat().st_size:
            raise SourceError(f"{self!r} is empty (0 bytes): get the file anew")

    def no_video(self, kinds: Iterable[str]) -> str:
        """What to say if there is no video in it, only streams of other kinds."""
        if "audio" in kinds:
            return f"{self!r} has no video, only sound: choose another"
        return f"{self!r} is no video, or is damaged or cut short: get it anew, or another"

    def no_image(self) -> str:
        """What to do if there is video in it and not one image."""
        if self.live:
            return "check what sends it"
        return "the file is damaged or cut short, get it anew"

    def cannot_open(self, error: av.error.FFmpegError) -> str:
        """Why it cannot be opened, and what to do."""
        if isinstance(error, av.error.ProtocolNotFoundError):
            return f"there is no file {self!r}, nor a protocol of that name: check source.path"
        if isinstance(error, av.error.InvalidDataError):
            return self.no_video(())
        if isinstance(error, av.error.PermissionError):
            return f"no permission to read {self!r}: ask its owner"
        return f"cannot open {self!r}: {_reason(error)}: check source.path and the network"

    def unknown(self, error: OSError) -> str:
        """Why its host cannot be found, and what to do."""
        why = error.strerror or error
        return f"cannot look up the host of {self!r}: {why}: check source.path and the network"

    def cannot_read(self, error: av.error.FFmpegError) -> str:
        """Why it cannot be read further."""
        where = "disk" if self.local else "network"
        return f"cannot read {self!r} further: {_reason(error)}: check the {where}"

    def conceal(self, error: av.error.FFmpegError) -> None:
        """Take a secret out of an error of FFmpeg, which a traceback would show."""
        if error.filename:
            error.args = (*error.args[:2], self._shown, *error.args[3:])

    def ended(self) -> str:
        """What to say if a server ended what should have no end."""
        return f"{self!r} ended: its server closed the connection"

    def silent(self, timeout: float) -> str:
        """What to say if nothing came for that time, s."""
        return f"nothing came from {self!r} for {timeout:g} s: check the network and what sends it"


def _reason(error: av.error.FFmpegError) -> str:
    return error.strerror or str(error)
