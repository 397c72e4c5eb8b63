"""The bounded queue between two threads, which can close and can drop."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterator
from typing import Generic, TypeVar

T = TypeVar("T")


class Channel(Generic[T]):
    """A bounded queue for one or more writers and one or more readers.

    Args:
        capacity: how many items it holds, at least 1.
        replace: called by `put` with the oldest and the new item when the channel is full;
            returns the item that takes the place of both, or None to wait for room instead.
            Without it, `put` always waits.
        changed: the condition that guards the channel. Channels that share one can be waited
            for together.

    Attributes:
        dropped: how many items were replaced by newer ones.
    """

    def __init__(
        self,
        capacity: int,
        *,
        replace: Callable[[T, T], T | None] | None = None,
        changed: threading.Condition | None = None,
    ) -> None:
        if capacity < 1:
            raise ValueError(f"capacity: expected at least 1, got {capacity!r}")
        self._capacity = capacity
        self._replace = replace
        self._items: deque[T] = deque()
        self._changed = changed or threading.Condition()
        self._closed = False
        self._hurry = threading.Event()
        self.dropped = 0

    def put(self, item: T) -> bool:
        """Add an item, waiting for room unless the channel replaces.

        Returns:
            False if the channel is closed and the item was not taken.
        """
        with self._changed:
            while not self._closed:
                if len(self._items) < self._capacity:
                    self._items.append(item)
                elif not self._replaced(item):
                    self._hurry.set()
                    self._changed.wait()
                    continue
                self._changed.notify_all()
                return True
            return False

    def _replaced(self, item: T) -> bool:
        """Let the item take the place of the oldest, if it may."""
        merged = None if self._replace is None else self._replace(self._items[0], item)
        if merged is None:
            return False
        self._items.popleft()
        self._items.append(merged)
        self.dropped += 1
        return True

    @property
    def first(self) -> T | None:
        """The item that is read next; None if there is none at the moment."""
        with self._changed:
            return self._items[0] if self._items else None

    @property
    def has_room(self) -> bool:
        """Whether `put` would take an item at once, replacing none."""
        with self._changed:
            return not self._closed and len(self._items) < self._capacity

    @property
    def closed(self) -> bool:
        """Whether it takes no more items."""
        with self._changed:
            return self._closed

    @property
    def finished(self) -> bool:
        """Whether it is closed and everything in it has been read."""
        with self._changed:
            return self._closed and not self._items

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

    def rest(self, seconds: float) -> None:
        """Let items gather: wait, but not once it is closed or a writer waits for room."""
        with self._changed:
            if self._closed or self._items:
                return
            self._hurry.clear()
        self._hurry.wait(seconds)

    def close(self, *, discard: bool = False) -> None:
        """Take no more items; what is in it can still be read unless `discard`."""
        with self._changed:
            self._closed = True
            self._hurry.set()
            if discard:
                self._items.clear()
            self._changed.notify_all()
