"""Metadata of an ONNX file, read without the `onnx` package.

The package is large, and nothing else needs it at run time: the engines read models themselves but
do not expose all metadata. The file is a protocol buffer
(https://protobuf.dev/programming-guides/encoding): a field is a tag, number << 3 | wire type, and
a value; text and messages start with their length.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from vidan.errors import ModelError

_PRODUCER, _PRODUCER_VERSION = 2, 3  # fields of ModelProto (onnx.proto)
_OPSETS = 8  # messages with a domain (1) and a version (2)
_PROPERTIES = 14  # messages with a key (1) and a value (2)
_GRAPH, _NODE, _OPERATOR = 7, 1, 4  # of ModelProto, GraphProto and NodeProto

INTEGER_OPERATORS = frozenset({"QuantizeLinear", "QLinearConv", "ConvInteger", "MatMulInteger"})
"""Operators of a network that computes in 8-bit integers."""

_VARINT, _FIXED64, _LENGTH, _FIXED32 = 0, 1, 2, 5  # wire types


class OnnxInfo(NamedTuple):
    """Metadata of an ONNX file.

    Attributes:
        properties: custom metadata by key.
        opsets: version of each operator set; `` is ONNX's own.
        producer: name and version of the program that wrote it; may be empty.
    """

    properties: dict[str, str]
    opsets: dict[str, int]
    producer: str


def read_info(path: Path) -> OnnxInfo:
    """The metadata of an ONNX file.

    Raises:
        ModelError: the file is damaged.
    """
    info = OnnxInfo({}, {}, "")
    names = {_PRODUCER: "", _PRODUCER_VERSION: ""}
    try:
        for number, value in fields(memoryview(path.read_bytes())):
            if isinstance(value, int):
                continue
            if number == _PROPERTIES:
                entry = dict(fields(value))
                info.properties[_text(entry[1])] = _text(entry.get(2))
            elif number == _OPSETS:
                entry = dict(fields(value))
                version = entry.get(2)
                info.opsets[_text(entry.get(1))] = version if isinstance(version, int) else 0
            elif number in names:
                names[number] = _text(value)
    except UnicodeDecodeError as error:
        raise ModelError("names or metadata are not UTF-8: is it damaged?") from error
    except (ValueError, IndexError, KeyError, OSError) as error:
        raise ModelError("not an ONNX file, or cut off") from error
    return info._replace(producer=" ".join(filter(None, names.values())))


def read_properties(path: Path) -> dict[str, str]:
    """The custom metadata of an ONNX file: see `read_info`."""
    return read_info(path).properties


def is_quantized(path: Path) -> bool:
    """Whether an ONNX file's network computes in 8-bit integers; False for a damaged file."""
    try:
        return any(_are_integer(memoryview(path.read_bytes())))
    except (ValueError, IndexError, OSError):
        return False


def _are_integer(data: memoryview) -> Iterator[bool]:
    """Whether each operator of a model is one of `INTEGER_OPERATORS`."""
    for number, graph in fields(data):
        if number != _GRAPH or isinstance(graph, int):
            continue
        for field, node in fields(graph):
            if field == _NODE and not isinstance(node, int):
                yield any(_text(v) in INTEGER_OPERATORS for k, v in fields(node) if k == _OPERATOR)


def _text(value: memoryview | int | None) -> str:
    if isinstance(value, int):
        raise ValueError("expected text, got a number")
    return "" if value is None else str(value, "utf-8")


def fields(data: memoryview) -> Iterator[tuple[int, memoryview | int]]:
    """Numbers and contents of the fields of a message; fields of fixed size are skipped."""
    at = 0
    while at < len(data):
        tag, at = _varint(data, at)
        kind = tag & 7
        if kind == _VARINT:
            value, at = _varint(data, at)
            yield tag >> 3, value
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
    """A number encoded in seven bits per byte, lowest first, and the position after it."""
    value = shift = 0
    while True:
        byte = data[at]
        value |= (byte & 127) << shift
        at, shift = at + 1, shift + 7
        if byte < 128:
            return value, at
