"""Arrays as values for JSON, and back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]


def packed(arrays: Mapping[str, Array]) -> dict[str, Any]:
    """Arrays by name, ready for JSON; a structured array is one list for each of its fields."""
    return {name: _pack(array) for name, array in arrays.items()}


def unpacked(state: Any, like: Mapping[str, Array]) -> dict[str, Array]:
    """The arrays of a state.

    Args:
        state: of `packed`, as read from JSON.
        like: arrays with the same names and data types.

    Raises:
        ValueError: the state does not have these arrays.
    """
    if not isinstance(state, Mapping) or set(state) != set(like):
        raise ValueError(f"expected arrays named {', '.join(like)}")
    return {name: _unpack(state[name], array.dtype) for name, array in like.items()}


def _pack(array: Array) -> dict[str, Any]:
    if array.dtype.names:
        return {name: _pack(array[name]) for name in array.dtype.names}
    return {"shape": list(array.shape), "values": array.ravel().tolist()}


def _unpack(state: Any, kind: np.dtype[Any]) -> Array:
    try:
        if kind.fields is None:
            return np.array(state["values"], kind).reshape(state["shape"])
        fields = {name: _unpack(state[name], field[0].base) for name, field in kind.fields.items()}
        array = np.zeros(fields[next(iter(fields))].shape, kind)
        for name, values in fields.items():
            array[name] = values
        return array
    except (KeyError, TypeError, OverflowError) as error:
        raise ValueError(f"not an array: {error}") from error
