"""The bounded queue between two threads, which can close and can drop."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterator
from typing import Generic, TypeVar

T = TypeVar("T")


class Channel(Generic[T]):
    """A bounded queue for one or more writers and one or more readers.

    Args:
        capacity: how many items it holds, at least 1.
        replace: when full, `put` throws the oldest item away rather than wait.

    Attributes:
        dropped: how many items were thrown away to make room for newer ones.
    """

    def __init__(self, capacity: int, *, replace: bool = False) -> None:
        if capacity < 1:
            raise ValueError(f"capacity: expected at least 1, got {capacity!r}")
        self._capacity = capacity
        self._replace = replace
        self._items: deque[T] = deque()
        self._changed = threading.Condition()
        self._closed = False
        self.dropped = 0

    def put(self, item: T) -> bool:
        """Add an item, waiting for room unless the channel replaces.

        Returns:
            False if the channel is closed, and so the item was not taken: time to stop.
        """
        with self._changed:
            if self._replace and not self._closed and len(self._items) == self._capacity:
                self._items.popleft()
                self.dropped += 1
            if not self._wait_for_room():
                return False
            self._items.append(item)
            self._changed.notify_all()
            return True

    def wait_for_room(self) -> bool:
        """Wait until there is room for one more item; False if the channel is closed.

        The room is only kept for the caller when nobody else writes.
        """
        with self._changed:
            return self._wait_for_room()

    def _wait_for_room(self) -> bool:
        self._changed.wait_for(lambda: self._closed or len(self._items) < self._capacity)
        return not self._closed

    def wait_for_newer(self, seconds: float) -> None:
        """Wait until a newer item has replaced the oldest in it, `seconds` at most.

        Not at all if it is empty: then the next item will be new.
        """
        with self._changed:
            if self._items:
                dropped = self.dropped
                self._changed.wait_for(lambda: self._closed or self.dropped > dropped, seconds)

    def __iter__(self) -> Iterator[T]:
        """Items in order, waiting for each, until the channel is closed and empty."""
        return self

    def __next__(self) -> T:
        with self._changed:
            self._changed.wait_for(lambda: self._closed or bool(self._items))
            if not self._items:
                raise StopIteration
            item = self._items.popleft()
            self._changed.notify_all()
            return item

    def close(self, *, discard: bool = False) -> None:
        """Take no more items; what is in it can still be read unless `discard`."""
        with self._changed:
            self._closed = True
            if discard:
                self._items.clear()
            self._changed.notify_all()

    @property
    def closed(self) -> bool:
        """Whether it takes no more items."""
        with self._changed:
            return self._closed
