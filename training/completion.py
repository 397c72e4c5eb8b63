"""Shell completion of `vidan train`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from vidan.cli.completion import files
from vidan.config.groups import groups


def complete(_words: Sequence[str], last: str) -> Iterator[str]:
    """Complete files after `data=` and `weights=`, else the names of the recipes."""
    if last.startswith(("data=", "weights=")):
        yield from files(last)
    else:
        yield from (f"recipe={name}" for name in groups().get("train", {}))
