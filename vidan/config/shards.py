"""`shard=i/n`: what one of several processes does."""

from __future__ import annotations

import hashlib
import re
from typing import NamedTuple

from ..errors import ConfigError
from ..support.text import utf8


class Shard(NamedTuple):
    """A share of streams or files, for one of several processes.

    Attributes:
        number: from 0.
        of: number of shares.
    """

    number: int
    of: int

    @classmethod
    def parse(cls, text: str) -> Shard:
        """The share that `i/n` names.

        >>> Shard.parse("0/3")
        Shard(number=0, of=3)

        Raises:
            ConfigError: it is not one.
        """
        found = re.fullmatch(r"(\d+)/(\d+)", text)
        if found is None or int(found[1]) >= int(found[2]):
            raise ConfigError(f"shard={text!r}: expected i/n with 0 <= i < n, such as 0/3")
        return cls(int(found[1]), int(found[2]))

    def has(self, name: str) -> bool:
        """Whether the stream or file of a name belongs to it.

        Of the shares, the one with the highest hash of its number and the name has it (rendezvous
        hashing), so that with one more share only what it gets moves.
        """
        return self.number == max(range(self.of), key=lambda n: _digest(f"{n}/{name}"))


def _digest(text: str) -> bytes:
    return hashlib.sha256(utf8(text)).digest()
