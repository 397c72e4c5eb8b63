"""Help texts that fit into a terminal of HELP_COLUMNS columns."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby

HELP_COLUMNS = 80

MAX_TERM = 40
"""Longest term that its explanation follows in the same line, columns."""

ENTRY = re.compile(r"(?P<term>\s*\S.*?)(?P<gap>\s+(?=# )|\s{2,})(?P<text>\S.*)")
"""A term and its explanation, such as `key: value  # comment` or `  name   about it`."""


def fitted(text: str) -> str:
    """A text whose lines are wrapped where they are too long, between words.

    Paragraphs are filled, explanations stay in their column, and commands are continued with a
    backslash.
    """
    lines: list[str] = []
    for is_prose, group in groupby(text.splitlines(), _is_prose):
        block = list(group)
        lines += _filled(block) if is_prose else _each(block)
    return "\n".join([*lines, ""])


def _is_prose(line: str) -> bool:
    return bool(line) and not line.startswith((" ", "vidan ")) and ENTRY.fullmatch(line) is None


def _filled(paragraph: Sequence[str]) -> list[str]:
    if all(len(line) <= HELP_COLUMNS for line in paragraph):
        return list(paragraph)
    return _wrapped(" ".join(paragraph))


def _each(lines: Iterable[str]) -> Iterator[str]:
    for line in lines:
        if len(line) <= HELP_COLUMNS:
            yield line
        elif entry := ENTRY.fullmatch(line):
            yield from _entry(**entry.groupdict())
        else:
            yield from _command(line)


def _entry(term: str, gap: str, text: str) -> Iterator[str]:
    """A term, and its explanation in the column where it begins, or in the lines below."""
    mark, text = ("# ", text[2:]) if text.startswith("# ") else ("", text)
    column = len(term + gap)
    if column > MAX_TERM:
        yield term
        column = len(term) - len(term.lstrip()) + 4
        term = gap = ""
    first, *others = textwrap.wrap(
        text, HELP_COLUMNS - column - len(mark), break_long_words=False, break_on_hyphens=False
    )
    yield (term + gap).ljust(column) + mark + first
    for line in others:
        yield " " * column + mark + line


def _command(line: str) -> list[str]:
    """An example or usage; an example, which is indented, is continued with a backslash."""
    indent = " " * (len(line) - len(line.lstrip()))
    end = " \\" if indent else ""
    lines = _wrapped(line.strip(), indent, f"{indent}    ", len(end))
    return [*(each + end for each in lines[:-1]), lines[-1]]


def _wrapped(text: str, first: str = "", others: str = "", reserved: int = 0) -> list[str]:
    return textwrap.wrap(
        text,
        HELP_COLUMNS - reserved,
        initial_indent=first,
        subsequent_indent=others,
        break_long_words=False,
        break_on_hyphens=False,
    )
