"""Downloads of large files that resume after an interruption and are verified before use."""

from __future__ import annotations

import errno
import hashlib
import http.client
import logging
import shutil
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from vidan.errors import ModelError
from vidan.support.lock import locked

log = logging.getLogger(__name__)

CHUNK_BYTES = 2**18
TIMEOUT_S = 30.0
"""Longest time without data from the server."""

PARTIAL_CONTENT = 206  # HTTP status codes, RFC 9110
RANGE_NOT_SATISFIABLE = 416

MEGABYTE = 10**6

MAX_UNKNOWN_BYTES = 4 * 10**9
"""Most bytes that are read of a file whose size nobody tells."""


class Checksum(NamedTuple):
    """The checksum of a file.

    Attributes:
        algorithm: `sha256` or `sha384`, as `hashlib` calls it.
        digest: in hexadecimal.
    """

    algorithm: str
    digest: str

    @property
    def label(self) -> str:
        """The algorithm for people: `SHA-256`."""
        return f"SHA-{self.algorithm.removeprefix('sha')}"


Progress = Callable[[int, int | None], None]
"""Called with the number of bytes so far, and the total number or None if it is unknown."""


def download(
    url: str,
    path: Path,
    size: int | None = None,
    checksum: Checksum | None = None,
    progress: Progress | None = None,
) -> None:
    """Download a file, or the rest of it; until it is complete it is called `<name>.part`.

    `<name>.lock` keeps other processes from writing it at the same time. A file that is there is
    not downloaded again.

    Args:
        url: address of the file.
        path: where to store it.
        size: expected number of bytes; None if unknown.
        checksum: as expected; None if unknown. Then a download always starts from the
            beginning, since nothing could tell whether two parts belong together.
        progress: called as data arrives; None for no calls.

    Raises:
        ModelError: the file cannot be downloaded or written, or has another size or checksum.
            The part that was received is kept for the next attempt, unless it is wrong.
    """
    part = path.with_name(f"{path.name}.part")
    where = f"cannot download {url!r}"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with locked(path.with_name(f"{path.name}.lock")):
            if path.is_file():  # another process was faster
                return
            if checksum is None:
                part.unlink(missing_ok=True)
            if size is None or not part.is_file() or part.stat().st_size != size:
                _fetch(url, part, size, where, progress)
            _verify(part, size, checksum, url)
            part.replace(path)
    except BlockingIOError as error:
        raise ModelError(
            f"{where}: another process is downloading it: try again when that has ended"
        ) from error
    except urllib.error.HTTPError as error:
        raise ModelError(f"{where}: the server answered {error.code} {error.reason}") from error
    except urllib.error.URLError as error:
        raise ModelError(f"{where}: {error.reason}: try again to resume") from error
    except (TimeoutError, ConnectionError, http.client.HTTPException) as error:
        reason = error or type(error).__name__
        raise ModelError(f"{where}: interrupted ({reason}): try again to resume") from error
    except OSError as error:
        raise ModelError(f"cannot write {str(part)!r}: {error.strerror or error}") from error


def _fetch(url: str, part: Path, size: int | None, where: str, progress: Progress | None) -> None:
    """Download the missing part of a file."""
    have = part.stat().st_size if part.is_file() else 0
    if size is not None and have > size:
        part.unlink()
        have = 0
    try:
        response = _open(url, have)
    except urllib.error.HTTPError as error:
        if error.code != RANGE_NOT_SATISFIABLE:
            raise
        part.unlink(missing_ok=True)  # it is longer than the file is now
        have, response = 0, _open(url, 0)
    with response:
        resumed = have > 0 and response.status == PARTIAL_CONTENT
        if have and not resumed:
            log.info("the server sends %r from the beginning again", url)
            have = 0
        length = _length(response)
        total = size if length is None else have + length
        if size is not None and total is not None and total != size:
            raise ModelError(f"{where}: it has changed: {total} bytes, expected {size}")
        limit = MAX_UNKNOWN_BYTES if total is None else total
        _check_space(part, have, total)
        with part.open("ab" if resumed else "wb") as file:
            while chunk := response.read(CHUNK_BYTES):
                have += len(chunk)
                if have > limit:
                    file.truncate(0)
                    raise ModelError(f"{where}: it has changed: more than {limit} bytes")
                file.write(chunk)
                if progress is not None:
                    progress(have, total)
    if total is not None and have != total:
        raise ModelError(f"{where}: interrupted after {have} of {total} bytes: try again to resume")


def _length(response: Any) -> int | None:
    """Number of bytes that the server says will follow; None if it does not, or nonsense."""
    text = response.headers.get("Content-Length", "")
    return int(text) if text.isascii() and text.isdigit() else None


def _open(url: str, start: int) -> Any:
    """The server's response, from a byte offset."""
    headers = {"User-Agent": "vidan", **({"Range": f"bytes={start}-"} if start else {})}
    # The catalog accepts http and https only, and urllib follows no redirect to a file.
    request = urllib.request.Request(url, headers=headers)  # noqa: S310
    return urllib.request.urlopen(request, timeout=TIMEOUT_S)  # noqa: S310


def _check_space(part: Path, have: int, total: int | None) -> None:
    """Check that the rest fits on the disk.

    Raises:
        OSError: it does not.
    """
    free = shutil.disk_usage(part.parent).free
    if total is not None and total - have > free:
        needed = (total - have) / MEGABYTE
        raise OSError(
            errno.ENOSPC,
            f"no space left: {needed:.0f} MB needed, {free / MEGABYTE:.0f} MB free",
        )


def _verify(part: Path, size: int | None, checksum: Checksum | None, url: str) -> None:
    """Compare a file with the expected size and checksum, and delete it if it differs.

    Raises:
        ModelError: it differs.
    """
    algorithm = "sha256" if checksum is None else checksum.algorithm
    with part.open("rb") as file:
        found = Checksum(algorithm, hashlib.file_digest(file, algorithm).hexdigest())
    if checksum is None:
        log.warning(
            "%s: cannot be verified, since its checksum is unknown; its %s is %s",
            url,
            found.label,
            found.digest,
        )
    elif found != checksum:
        part.unlink()
        raise ModelError(
            f"{url!r} has the {found.label} {found.digest}, expected {checksum.digest}: it was "
            "modified or damaged, and is not kept"
        )
    elif size is not None and part.stat().st_size != size:
        part.unlink()
        raise ModelError(f"{url!r} does not have the expected {size} bytes, and is not kept")
