"""Checks that an ONNX file reads external weights only from its own folder.

A model is untrusted input. If it could name any file on the machine as its weights, its outputs
could leak the content. Recent versions of ONNX Runtime reject that too.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from vidan.errors import ModelError

from .onnx import fields

LOCATION_KEY = b"location"

MAX_DEPTH = 64
"""Largest nesting of messages, most of it from graphs in attributes of nodes of graphs."""

_CHILDREN: dict[str, dict[int, str]] = {
    "Model": {7: "Graph", 25: "Function"},
    "Graph": {1: "Node", 5: "Tensor", 15: "Sparse"},
    "Function": {7: "Node"},
    "Node": {5: "Attribute"},
    "Attribute": {5: "Tensor", 6: "Graph", 10: "Tensor", 11: "Graph", 22: "Sparse", 23: "Sparse"},
    "Sparse": {1: "Tensor", 2: "Tensor"},
    "Tensor": {13: "Entry"},
}
"""Fields (onnx.proto) on the way to TensorProto.external_data, and the messages they hold."""


def check_external_data(path: Path) -> None:
    """Check the locations of external weights.

    Raises:
        ModelError: a location is outside the model's folder, or the file is damaged.
    """
    try:
        data = path.read_bytes()
        # Every location has the key as plain bytes: most files have neither.
        named = list(_locations(memoryview(data), "Model")) if LOCATION_KEY in data else []
    except UnicodeDecodeError as error:
        raise ModelError("names or metadata are not UTF-8: is it damaged?") from error
    except (ValueError, IndexError, KeyError, OSError) as error:
        raise ModelError("not an ONNX file, or cut off") from error
    folder = path.parent.resolve()
    for name in named:
        if "\0" in name or not (folder / name).resolve().is_relative_to(folder):
            raise ModelError(
                f"reads its weights from {name!r}, outside the model's folder: do not trust it"
            )


def _locations(data: memoryview, kind: str, depth: int = 0) -> Iterator[str]:
    """The locations in a message of a kind."""
    if depth > MAX_DEPTH:
        raise ValueError("too deep")
    if kind == "Entry":
        entry = {number: value for number, value in fields(data) if isinstance(value, memoryview)}
        if 1 in entry and entry[1].tobytes() == LOCATION_KEY:
            yield str(entry[2], "utf-8")
        return
    for number, value in fields(data):
        child = _CHILDREN[kind].get(number)
        if child is not None and isinstance(value, memoryview):
            yield from _locations(value, child, depth + 1)
