"""Weights that an ONNX file keeps in other files: only from the model's own folder.

A model is data from strangers. Where it could name any file of the machine, what it computes
would tell of what is in there. ONNX Runtime refuses that as well, in its newer versions.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from vidan.errors import ModelError

from .onnx import fields

LOCATION = b"location"

DEEPEST = 64
"""Messages in messages; graphs in attributes of nodes of graphs, for the most part."""

_INSIDE: dict[str, dict[int, str]] = {
    "Model": {7: "Graph", 25: "Function"},
    "Graph": {1: "Node", 5: "Tensor", 15: "Sparse"},
    "Function": {7: "Node"},
    "Node": {5: "Attribute"},
    "Attribute": {5: "Tensor", 6: "Graph", 10: "Tensor", 11: "Graph", 22: "Sparse", 23: "Sparse"},
    "Sparse": {1: "Tensor", 2: "Tensor"},
    "Tensor": {13: "Entry"},
}
"""Fields (onnx.proto) through which one comes to TensorProto.external_data, and what is there."""


def check_external_data(path: Path, where: str) -> None:
    """Look where an ONNX file keeps its weights.

    Raises:
        ModelError: it names a file outside its folder, or is damaged.
    """
    try:
        data = path.read_bytes()
        # The key is there as it is wherever there is a location: most files have none.
        named = list(_locations(memoryview(data), "Model")) if LOCATION in data else []
    except UnicodeDecodeError as error:
        raise ModelError(f"{where}: its names or metadata are not UTF-8: damaged?") from error
    except (ValueError, IndexError, KeyError, OSError) as error:
        raise ModelError(f"{where}: not an ONNX file, or cut off") from error
    folder = path.parent.resolve()
    for name in named:
        if "\0" in name or not (folder / name).resolve().is_relative_to(folder):
            raise ModelError(
                f"{where}: its weights are to be read from {name!r}, outside the model's folder: "
                "do not trust it"
            )


def _locations(data: memoryview, kind: str, depth: int = 0) -> Iterator[str]:
    if depth > DEEPEST:
        raise ValueError("too deep")
    if kind == "Entry":
        entry = {number: value for number, value in fields(data) if isinstance(value, memoryview)}
        if 1 in entry and entry[1].tobytes() == LOCATION:
            yield str(entry[2], "utf-8")
        return
    for number, value in fields(data):
        inner = _INSIDE[kind].get(number)
        if inner is not None and isinstance(value, memoryview):
            yield from _locations(value, inner, depth + 1)
