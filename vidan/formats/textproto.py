"""A reader for the text format of protocol buffers, as used in hand-written files.

A field is `name: value`. A value is a word or number, a string (adjacent strings are concatenated),
a message in `{}` or `<>`, or a list in `[]`; `#` starts a comment. Reading the format here avoids a
dependency on protobuf.

Source: Protocol Buffers text format specification.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

_TOKEN = re.compile(
    r"""(?P<skip>[\s,;]+|\#[^\n]*)
      | (?P<string>"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*')
      | (?P<word>[\w.+/-]+)
      | (?P<mark>[{}<>:\[\]])""",
    re.VERBOSE,
)
_ESCAPE = re.compile(rb"\\(?:x([0-9a-fA-F]{1,2})|([0-7]{1,3})|(.))", re.DOTALL)
_LETTERS = {b"n": b"\n", b"t": b"\t", b"r": b"\r", b"a": b"\a", b"b": b"\b", b"f": b"\f"}
_MAX_DEPTH = 100  # of nested messages
_CLOSING = {"{": "}", "<": ">"}


class TextProtoError(Exception):
    """Malformed text.

    Attributes:
        line: number of the line, from 1.
    """

    def __init__(self, message: str, line: int) -> None:
        super().__init__(message)
        self.line = line


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a message.

    Attributes:
        name: of the field.
        kind: of its value: `word` (includes numbers), `string`, `message` or `list`.
        text: a word, or a string with its escapes resolved; else empty.
        fields: the fields of a message, or the elements of a list, each with the name of the list;
            in the order of the text; else empty.
        line: number of the line where it starts, from 1.
    """

    name: str
    kind: str
    text: str
    fields: tuple[Field, ...]
    line: int


def parse(text: str) -> tuple[Field, ...]:
    """The fields of a message, in the order of the text.

    Raises:
        TextProtoError: the text is malformed.

    >>> [(field.name, field.text) for field in parse('id: 1  name: "a" "b" # a remark')]
    [('id', '1'), ('name', 'ab')]
    >>> [element.text for element in parse("ratios: [1.0, 2.0]")[0].fields]
    ['1.0', '2.0']
    """
    return _Reader(text).fields(closing="")


def quote(text: str) -> str:
    r"""A text as a quoted string, which `parse` reads.

    >>> quote('a "b"')
    '"a \\"b\\""'
    """
    escaped = re.sub(r'(["\\])', r"\\\1", text)
    for letter, character in _LETTERS.items():
        escaped = escaped.replace(character.decode(), "\\" + letter.decode())
    return f'"{escaped}"'


@dataclass(frozen=True, slots=True)
class _Token:
    kind: str  # string, word, mark or end
    text: str
    line: int

    def is_mark(self, text: str) -> bool:
        return self.kind == "mark" and self.text == text


class _Reader:
    def __init__(self, text: str) -> None:
        self._tokens = list(_tokens(text))
        self._position = 0
        self._depth = 0

    @property
    def _next(self) -> _Token:
        return self._tokens[self._position]

    def _take(self) -> _Token:
        token = self._next
        if token.kind == "end":
            raise TextProtoError("the text ends within a message", token.line)
        self._position += 1
        return token

    def fields(self, closing: str) -> tuple[Field, ...]:
        """The fields up to a closing mark; "" means the end of the text."""
        if self._depth > _MAX_DEPTH:
            raise TextProtoError("messages are nested too deeply", self._next.line)
        self._depth += 1
        fields = []
        while not (self._next.is_mark(closing) if closing else self._next.kind == "end"):
            fields.append(self._field())
        self._depth -= 1
        self._position += bool(closing)
        return tuple(fields)

    def _field(self) -> Field:
        name = self._take()
        if name.kind != "word":
            raise TextProtoError(f"expected the name of a field, got {name.text!r}", name.line)
        colon = self._next.is_mark(":")
        self._position += colon
        value = self._take()
        if value.kind == "mark" and value.text in _CLOSING:
            return Field(name.text, "message", "", self.fields(_CLOSING[value.text]), name.line)
        if not colon:
            raise TextProtoError(f"expected ':' after {name.text!r}", name.line)
        if value.is_mark("["):
            return Field(name.text, "list", "", self._elements(name.text), name.line)
        if value.kind == "mark":
            raise TextProtoError(f"expected a value, got {value.text!r}", value.line)
        text = value.text
        while value.kind == "string" and self._next.kind == "string":
            text += self._take().text
        return Field(name.text, value.kind, text, (), name.line)

    def _elements(self, name: str) -> tuple[Field, ...]:
        elements = []
        while not (token := self._take()).is_mark("]"):
            if token.kind == "mark" and token.text in _CLOSING:
                fields = self.fields(_CLOSING[token.text])
                elements.append(Field(name, "message", "", fields, token.line))
            elif token.kind == "mark":
                raise TextProtoError(f"expected a value, got {token.text!r}", token.line)
            else:
                elements.append(Field(name, token.kind, token.text, (), token.line))
        return tuple(elements)


def _tokens(text: str) -> Iterator[_Token]:
    position, line = 0, 1
    while position < len(text):
        match = _TOKEN.match(text, position)
        if match is None:
            raise TextProtoError(f"cannot read {text[position:].split()[0][:20]!r}", line)
        kind = match.lastgroup or ""
        if kind == "string":
            yield _Token(kind, _unescape(match.group()[1:-1], line), line)
        elif kind != "skip":
            yield _Token(kind, match.group(), line)
        line += match.group().count("\n")
        position = match.end()
    yield _Token("end", "", line)


def _unescape(text: str, line: int) -> str:
    """The content of a quoted string; escapes, as in C, are bytes of UTF-8."""

    def resolve(match: re.Match[bytes]) -> bytes:
        hexadecimal, octal, letter = match.groups()
        if letter is not None:
            return _LETTERS.get(letter, letter)
        return bytes([(int(hexadecimal, 16) if hexadecimal else int(octal, 8)) & 0xFF])

    try:
        return _ESCAPE.sub(resolve, text.encode()).decode()
    except UnicodeDecodeError:
        raise TextProtoError(f"a string is not valid UTF-8: {text!r}", line) from None
