"""Start Hydra without composing the configuration an additional time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any

from hydra._internal.hydra import Hydra

from .search_path import RUN, Start

MULTIRUN = ("-m", "--multirun")


def known_run_mode(arguments: Sequence[str], start: Start) -> AbstractContextManager[None]:
    """A context for `hydra.main`, which first composes the configuration to read `hydra.mode`.

    Only settings of Hydra and job files can set it. Without any, only `-m` makes several runs.

    Args:
        arguments: Hydra's command line.
        start: the file to start from.
    """
    plain = all(a in MULTIRUN or not (a.startswith("-") or "hydra" in a) for a in arguments)
    return _without_mode() if plain and start == RUN else nullcontext()


@contextmanager
def _without_mode() -> Iterator[None]:
    """Replace the reading of `hydra.mode` by one that finds None, as if it is not set."""
    original = Hydra.get_mode

    def get_mode(*_: Any, **__: Any) -> None:
        restore()

    def restore() -> None:
        Hydra.get_mode = original  # type: ignore[method-assign]

    Hydra.get_mode = get_mode  # type: ignore[method-assign]
    try:
        yield
    finally:
        restore()
