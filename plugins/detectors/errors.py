"""Errors that name the model they are about."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from vidan.errors import ModelError

MAX_LENGTH = 300
"""Characters of another library's message that are shown."""


@contextmanager
def naming(model: str) -> Iterator[None]:
    """Put a model's name before the message of a ModelError that is raised inside."""
    try:
        yield
    except ModelError as error:
        raise ModelError(f"{model}: {error}") from error.__cause__


def one_line(error: BaseException) -> str:
    """The message of an exception in one line of limited length."""
    return " ".join(str(error).split())[:MAX_LENGTH] or type(error).__name__
