"""Numbers of objects over the frames of a minute."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterator, Mapping
from typing import Generic, TypeVar

Key = TypeVar("Key", bound=Hashable)


class Levels(Generic[Key]):
    """Adds up mean and maximum by key; a key that a frame lacks has the number 0 in it.

    Attributes:
        frames: number of frames.
    """

    def __init__(self) -> None:
        self.frames = 0
        self._sums: Counter[Key] = Counter()
        self._peaks: dict[Key, int] = {}

    def add(self, counts: Mapping[Key, int]) -> None:
        """Add a frame."""
        self.frames += 1
        for key, count in counts.items():
            if count:
                self._sums[key] += count
                self._peaks[key] = max(count, self._peaks.get(key, 0))

    def __iter__(self) -> Iterator[tuple[Key, float, int]]:
        """Key, mean and maximum of those above 0."""
        for key, total in self._sums.items():
            yield key, total / self.frames, self._peaks[key]
