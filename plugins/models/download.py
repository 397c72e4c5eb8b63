"""Downloads of large files: resumed where they broke off, verified before they are used."""

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
from typing import Any

from vidan.errors import ModelError

log = logging.getLogger(__name__)

CHUNK = 2**18
TIMEOUT = 30.0
"""How long nothing may come, s."""

PARTIAL = 206  # HTTP statuses, RFC 9110
UNSATISFIABLE = 416

Progress = Callable[[int, int | None], None]
"""Told how many bytes are there, of how many if that is known."""


def download(
    url: str,
    path: Path,
    size: int | None = None,
    sha256: str | None = None,
    progress: Progress | None = None,
) -> None:
    """Download a file, or the rest of it: until it is whole it is called `<name>.part`.

    Args:
        url: its address.
        path: where it is to be.
        size: how many bytes it must have; None if that is not known.
        sha256: what it must be; None if that is not known. Then it is always begun anew: nothing
            would tell whether two parts belong together.
        progress: is told how far it is; None for nobody.

    Raises:
        ModelError: it cannot be had, has another size or checksum, or cannot be written. What
            has come is kept for the next attempt, unless it is wrong.
    """
    part = path.with_name(f"{path.name}.part")
    where = f"cannot download {url!r}"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if sha256 is None:
            part.unlink(missing_ok=True)
        if size is None or not part.is_file() or part.stat().st_size != size:
            _fetch(url, part, size, where, progress)
        _verify(part, size, sha256, url)
        part.replace(path)
    except urllib.error.HTTPError as error:
        raise ModelError(f"{where}: the server says {error.code} {error.reason}") from error
    except urllib.error.URLError as error:
        raise ModelError(f"{where}: {error.reason}: try again, it goes on where it was") from error
    except (TimeoutError, ConnectionError, http.client.HTTPException) as error:
        raise ModelError(
            f"{where}: broken off ({error or type(error).__name__}): try again, it goes on where "
            "it was"
        ) from error
    except OSError as error:
        raise ModelError(f"cannot write {str(part)!r}: {error.strerror or error}") from error


def _fetch(url: str, part: Path, size: int | None, where: str, progress: Progress | None) -> None:
    """Get what is missing of a file."""
    have = part.stat().st_size if part.is_file() else 0
    if size is not None and have > size:
        part.unlink()
        have = 0
    try:
        answer = _open(url, have)
    except urllib.error.HTTPError as error:
        if error.code != UNSATISFIABLE:
            raise
        part.unlink(missing_ok=True)  # longer than the file is now
        have, answer = 0, _open(url, 0)
    with answer:
        resumed = have > 0 and answer.status == PARTIAL
        if have and not resumed:
            log.info("the server sends %r from the start again", url)
            have = 0
        length = answer.headers.get("Content-Length")
        total = size if length is None else have + int(length)
        if size is not None and total is not None and total != size:
            raise ModelError(f"{where}: it has {total} bytes, {size} are expected: it has changed")
        _check_space(part, have, total)
        with part.open("ab" if resumed else "wb") as file:
            while chunk := answer.read(CHUNK):
                file.write(chunk)
                have += len(chunk)
                if progress is not None:
                    progress(have, total)
    if total is not None and have != total:
        raise ModelError(
            f"{where}: broken off after {have} of {total} bytes: try again, it goes on where it was"
        )


def _open(url: str, start: int) -> Any:
    """The server's answer, from a byte on."""
    headers = {"User-Agent": "vidan", **({"Range": f"bytes={start}-"} if start else {})}
    # The catalog takes http and https only, and urllib follows no redirect to a file.
    request = urllib.request.Request(url, headers=headers)  # noqa: S310
    return urllib.request.urlopen(request, timeout=TIMEOUT)  # noqa: S310


def _check_space(part: Path, have: int, total: int | None) -> None:
    """Whether the rest fits on the disk.

    Raises:
        OSError: it does not.
    """
    free = shutil.disk_usage(part.parent).free
    if total is not None and total - have > free:
        mega = 10**6
        raise OSError(
            errno.ENOSPC,
            f"no space left: {(total - have) / mega:.0f} MB needed, {free / mega:.0f} MB free",
        )


def _verify(part: Path, size: int | None, sha256: str | None, url: str) -> None:
    """Hold a file against what it must be; a wrong one is deleted.

    Raises:
        ModelError: it is something else.
    """
    with part.open("rb") as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
    if sha256 is None:
        log.warning(
            "%s: it cannot be verified, because its SHA-256 is not known; it is %s", url, found
        )
    elif found != sha256:
        part.unlink()
        raise ModelError(
            f"{url!r} gave a file with SHA-256 {found}, {sha256} is expected: it was changed or "
            "damaged, and is not kept"
        )
    elif size is not None and part.stat().st_size != size:
        part.unlink()
        raise ModelError(f"{url!r} gave another size than {size} bytes, and is not kept")
