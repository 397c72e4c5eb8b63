"""The name of a stream in the names of files."""

from __future__ import annotations

import hashlib
import re
from contextlib import suppress
from urllib.parse import urlsplit

from ..support.text import utf8
from .settings import RunSettings

ADDRESSES = ("path", "url", "device")
"""Options of a source that tell one camera from another."""


def stream_name(settings: RunSettings) -> str:
    """The name of the stream if it has one; else one that depends on the camera's address."""
    source = settings.components["source"]
    if source.get("stream"):
        return re.sub(r"[^\w.-]+", "_", str(source["stream"]))
    address = "".join(str(source[key]) for key in ADDRESSES if source.get(key) is not None)
    with suppress(ValueError):  # a password may change
        address = address.replace(f"{urlsplit(address).netloc.rpartition('@')[0]}@", "")
    return f"{source['name']}-{hashlib.sha256(utf8(address)).hexdigest()[:8]}"
