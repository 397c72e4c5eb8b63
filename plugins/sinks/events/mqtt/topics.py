"""Names of topics."""

from __future__ import annotations

import hashlib
import re
from typing import NamedTuple

from vidan.errors import ConfigError

MAX_NAME = 200
"""Characters of a name in a topic; a topic may have 65,535 bytes."""


class Publication(NamedTuple):
    """A message as a broker gets it.

    Attributes:
        topic: to publish under.
        payload: its content.
        retain: whether the broker keeps it for later subscribers.
    """

    topic: str
    payload: bytes
    retain: bool = False


def level(name: str) -> str:
    """The name of a stream, zone, line or label as one level of a topic.

    MQTT gives `+`, `#`, `/` and NUL a meaning of their own; these, other control characters and
    what is not Unicode become `_`.

    >>> level("gate 1/2 #3")
    'gate 1_2 _3'
    """
    return re.sub(r"[+#/\x00-\x1f\x7f-\x9f\ud800-\udfff]", "_", name)[:MAX_NAME] or "_"


def check_prefix(key: str, prefix: str) -> str:
    """A topic that others begin with, such as `vidan` or `site/vidan`.

    Args:
        key: name of the option.
        prefix: its value.

    Raises:
        ConfigError: it is not one.
    """
    if not re.fullmatch(r"(?!\$)[^+#/\x00-\x1f\x7f-\x9f]+(/[^+#/\x00-\x1f\x7f-\x9f]+)*", prefix):
        raise ConfigError(
            f"{key}={prefix!r}: expected a topic such as vidan or site/vidan, without + and #, and "
            "without / at its ends"
        )
    if len(prefix.encode()) > MAX_NAME:
        raise ConfigError(f"{key}={prefix!r}: expected at most {MAX_NAME} bytes")
    return prefix


def identifier(*names: str) -> str:
    """Names joined to one of `A-Z`, `a-z`, `0-9`, `_` and `-`; different names stay different.

    >>> identifier("vidan", "front_door")
    'vidan-front_door'
    """
    plain = "-".join(re.sub(r"[^A-Za-z0-9_]+", "_", name) for name in names)
    if plain == "-".join(names) and plain.count("-") == len(names) - 1:
        return plain
    return f"{plain}-{hashlib.sha256(repr(names).encode()).hexdigest()[:6]}"
