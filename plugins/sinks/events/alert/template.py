"""Texts of alerts."""

from __future__ import annotations

import string
from datetime import datetime

from vidan import options
from vidan.errors import ConfigError, did_you_mean

from ..message import Message

FIELDS = ("time", "stream", "rule", "kind", "label", "track")


class Template:
    """A text with fields in braces: those in `FIELDS`.

    Args:
        key: name of the option, for errors.
        text: value of the option.

    Raises:
        ConfigError: it contains something else in braces.
    """

    def __init__(self, key: str, text: str) -> None:
        self._text = options.text(key, text)
        try:
            parts = list(string.Formatter().parse(text))
        except ValueError as error:
            raise ConfigError(f"{key}={text!r}: {error}: write {{{{ for a brace") from error
        for _, field, form, conversion in parts:
            if field is not None and (form or conversion or field not in FIELDS):
                raise ConfigError(f"{key}={text!r}: {{{field}}}: {did_you_mean(field, FIELDS)}")

    def of(self, message: Message) -> str:
        """The text about an event; a field that it lacks is empty."""
        event = message.event
        values = {name: "" if event.get(name) is None else event[name] for name in FIELDS}
        local = datetime.fromtimestamp(message.time)
        return self._text.format_map(values | {"time": f"{local:%Y-%m-%d %H:%M:%S}"}).strip()
