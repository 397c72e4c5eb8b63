"""Text from files, models and cameras, as it is shown and written."""

from __future__ import annotations

import re
from typing import Any

MAX_LINE_CHARS = 2000
"""Length of a message; what a model or a file contains may be much longer."""

_UNSAFE = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f"  # control characters, such as those of a terminal
    "\u200e\u200f\u202a-\u202e\u2066-\u2069"  # change the direction of the text after them
    "\ud800-\udfff]"  # surrogates, which stand for bytes that are not UTF-8
)


def printable(text: str) -> str:
    r"""The text, with an escape such as `\x1b` for each character that a terminal would act on.

    Line ends and tabs stay.

    >>> printable("caf\u00e9\x1b[31m")
    'café\\x1b[31m'
    """
    return _UNSAFE.sub(lambda found: found[0].encode("unicode_escape").decode(), text)


def one_line(text: str) -> str:
    """The text as one printable line of at most MAX_LINE_CHARS characters."""
    line = printable(" ".join(text.split()))
    return line if len(line) <= MAX_LINE_CHARS else f"{line[:MAX_LINE_CHARS]}…"


def utf8(text: str) -> bytes:
    r"""The text in UTF-8, with the escape of JSON, such as `\udcff`, for each surrogate."""
    return text.encode("utf-8", "backslashreplace")


def valid_unicode(value: Any) -> Any:
    r"""A text, or the texts in mappings and lists, with an escape such as `\udcff` for surrogates.

    >>> valid_unicode({"label": "a\udcff", "ids": [1, 2]})
    {'label': 'a\\udcff', 'ids': [1, 2]}
    """
    if isinstance(value, str):
        return value if value.isascii() else utf8(value).decode()
    if isinstance(value, dict):
        return {valid_unicode(key): valid_unicode(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [valid_unicode(each) for each in value]
    return value


def csv_cell(value: Any) -> Any:
    r"""A value as a cell of a table: a text is printable, and no formula for a spreadsheet.

    >>> csv_cell("=1+1"), csv_cell("\x1b[31mred"), csv_cell(-1)
    ("'=1+1", '\\x1b[31mred', -1)
    """
    if not isinstance(value, str):
        return value
    text = printable(value)
    return f"'{text}" if text.startswith(("=", "+", "-", "@", "\t")) else text
