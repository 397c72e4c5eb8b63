"""What an ONNX file says of itself, read without a library for ONNX.

The file is a protocol buffer (https://protobuf.dev/programming-guides/encoding): a field is a
tag, number << 3 | wire type, and a value; text and messages begin with their length.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from vidan.errors import ModelError

_PROPERTIES = 14
"""ModelProto.metadata_props (onnx.proto): messages with a key (1) and a value (2)."""

_VARINT, _FIXED64, _LENGTH, _FIXED32 = 0, 1, 2, 5  # wire types


def metadata_of(path: Path, where: str, key: str) -> str | None:
    """The text that an ONNX file has under a key; None if it has none.

    Raises:
        ModelError: the file is damaged.
    """
    try:
        for number, value in _fields(memoryview(path.read_bytes())):
            if number == _PROPERTIES:
                entry = dict(_fields(value))
                if str(entry[1], "utf-8") == key:
                    return str(entry[2], "utf-8")
    except UnicodeDecodeError as error:
        raise ModelError(f"{where}: its names or metadata are not UTF-8: damaged?") from error
    except (ValueError, IndexError, KeyError, OSError) as error:
        raise ModelError(f"{where}: not an ONNX file, or cut off") from error
    return None


def _fields(data: memoryview) -> Iterator[tuple[int, memoryview]]:
    """Numbers and contents of a message's fields that have a length; others are passed over."""
    at = 0
    while at < len(data):
        tag, at = _varint(data, at)
        kind = tag & 7
        if kind == _VARINT:
            _, at = _varint(data, at)
        elif kind == _LENGTH:
            length, at = _varint(data, at)
            if at + length > len(data):
                raise ValueError("cut off")
            yield tag >> 3, data[at : at + length]
            at += length
        elif kind in (_FIXED64, _FIXED32):
            at += 8 if kind == _FIXED64 else 4
        else:
            raise ValueError(f"wire type {kind}")


def _varint(data: memoryview, at: int) -> tuple[int, int]:
    """A number of seven bits a byte, lowest first, and where it ends."""
    value = shift = 0
    while True:
        byte = data[at]
        value |= (byte & 127) << shift
        at, shift = at + 1, shift + 7
        if byte < 128:
            return value, at
