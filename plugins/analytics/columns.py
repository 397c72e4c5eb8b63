"""What an analyzer remembers of each track, in arrays that follow the rows of a memory."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from .array_state import packed, unpacked
from .stitching import TrackMemory


class Columns:
    """Arrays (depth,R) by name, whose second dimension are the rows of a memory.

    Args:
        initial: data type and initial value of each array, by name.
        depth: the first dimension, such as the number of lines.
    """

    def __init__(self, initial: Mapping[str, tuple[Any, Any]], depth: int) -> None:
        self._initial = {name: np.array(value, kind) for name, (kind, value) in initial.items()}
        self._depth = depth
        self.clear()

    def __getitem__(self, name: str) -> npt.NDArray[Any]:
        return self._arrays[name]

    def __setitem__(self, name: str, array: npt.NDArray[Any]) -> None:
        self._arrays[name] = array

    def clear(self) -> None:
        """Forget all rows."""
        self._arrays = {name: self._new(name, 0) for name in self._initial}
        self._version: int | None = None  # of the rows

    def follow(self, memory: TrackMemory) -> None:
        """Add, delete and copy rows as the memory did with its last result."""
        if self._version == memory.version:
            return
        change = memory.change
        if self._version is None or self._version != memory.version - 1:
            self._arrays = {name: self._new(name, len(memory.ids)) for name in self._initial}
        else:
            for name, array in self._arrays.items():
                if change.kept is not None:
                    array = array[:, change.kept]
                if change.added:
                    array = np.concatenate([array, self._new(name, change.added)], axis=1)
                for old, new in memory.joins:
                    array[:, new] = array[:, old]
                self._arrays[name] = array
        self._version = memory.version

    def select(self, kept: Sequence[int | None]) -> None:
        """Replace the first dimension.

        Args:
            kept: for each new index, the old one with its values; None for initial values.
        """
        old = [index for index in kept if index is not None]
        new = [n for n, index in enumerate(kept) if index is not None]
        self._depth = len(kept)
        for name, array in self._arrays.items():
            self._arrays[name] = self._new(name, array.shape[1])
            self._arrays[name][new] = array[old]

    def reset(self, index: int, row: int, names: Iterable[str]) -> None:
        """Set one value each of some arrays to the initial one."""
        for name in names:
            self._arrays[name][index, row] = self._initial[name]

    def state(self) -> dict[str, Any]:
        """What `restore` needs, ready for JSON."""
        return packed(self._arrays)

    def restore(self, state: Any, memory: TrackMemory) -> None:
        """Continue from a state of the same rows as those of a restored memory.

        Raises:
            ValueError: the state does not have these arrays.
        """
        self._arrays = unpacked(state, self._arrays)
        if any(array.shape != (self._depth, len(memory.ids)) for array in self._arrays.values()):
            raise ValueError("the arrays of tracks differ in length")
        self._version = memory.version

    def _new(self, name: str, count: int) -> npt.NDArray[Any]:
        return np.full((self._depth, count), self._initial[name])
