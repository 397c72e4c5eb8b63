"""Events on their way to other programs: each has an identity that no other event has."""

from __future__ import annotations

import time
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

import msgspec

from vidan.config.build import RunContext
from vidan.events import Event
from vidan.journal import RunStart
from vidan.support.text import utf8, valid_unicode

from ...formats.events import event_record

TYPE_PREFIX = "io.github.vidan"


class Message(msgspec.Struct, frozen=True):
    """An event with what tells it from all others.

    `source` and `id` together are unique, also across restarts: a receiver that has seen both
    ignores the message. When a run is resumed, its messages are the same again.

    Attributes:
        source: stream and run, `vidan/<stream>/<run>`.
        id: unique in the source: `<id of the event>:<number>`.
        number: of the event in its run, from 1; a receiver can sort by it.
        time: Unix time at which the event happened, s.
        event: see `event_record`.
        image: a JPEG file, for a receiver of images; None if there is none.
    """

    source: str
    id: str
    number: int
    time: float
    event: dict[str, Any]
    image: bytes | None = None

    @property
    def utc(self) -> str:
        """`time` as `2026-11-25T21:04:18.123456Z` (RFC 3339)."""
        return f"{datetime.fromtimestamp(self.time, UTC):%Y-%m-%dT%H:%M:%S.%fZ}"


class Messages:
    """Makes messages of the events of a run. It must be given all of them, in order.

    In a run over a file, time is that of the file's frames, counted from the start of the run.

    Args:
        run: the run; None for a live one that starts now.
    """

    def __init__(self, run: RunContext | None) -> None:
        self._run = run.id if run else RunStart.new().id
        self._began = None if run is None or run.live else run.began
        self._count = 0

    def of(self, events: Iterable[Event]) -> list[Message]:
        """The messages of events that became known now."""
        now = time.time()
        return [self._of(event, now) for event in events]

    def _of(self, event: Event, now: float) -> Message:
        self._count += 1
        happened = now - (event.known - event.time)
        if self._began is not None:
            happened = self._began + event.time
        return Message(
            f"vidan/{quote(utf8(event.stream), safe='')}/{self._run}",
            valid_unicode(f"{event.id}:{self._count}"),
            self._count,
            happened,
            valid_unicode(event_record(event)),
        )


def cloud_event(message: Message) -> dict[str, Any]:
    """A CloudEvent 1.0 in structured mode, ready for JSON; its `data` is the event.

    https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/formats/json-format.md
    """
    event = message.event
    return {
        "specversion": "1.0",
        "id": message.id,
        "source": message.source,
        "type": f"{TYPE_PREFIX}.{event['kind']}.v1",
        "subject": f"{event['stream']}/{event['rule']}",
        "time": message.utc,
        "datacontenttype": "application/json",
        "data": event,
    }
