"""`sink=alert`: messages on a phone, by mail, or in a chat."""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping, Sequence
from typing import Annotated

from msgspec import Meta

from vidan.config.build import RunContext
from vidan.events import CROSSED, LOITERING, Event, Measure
from vidan.types import Result

from ...drawing.options import ALL, Values
from ...event_images import EventImages
from ..delivery import DRAIN_S, Delivery, open_spool
from ..filter import EventFilter, Trigger
from ..message import Message, Messages
from .quiet import QuietHours
from .services import Notice, Services, find_services
from .template import Template

log = logging.getLogger(__name__)


class Alert:
    """Sends an alert about an event, with an image of it, through apprise.

    There is one alert for each event, and for each interval, such as `zone.crowded`; and none
    within `cooldown` of another with the same kind, rule and label. Alerts wait on disk while no
    service takes them, until they are `max_age` old. A service that does not take what another one
    has taken gets three attempts. If all services refuse the first alert (401, 403, 404), the sink
    ends. A killed process may send an alert again; `vidan resume` sends all of the run again.

    Args:
        urls_env: names of environment variables, each of which has a URL of apprise, such as
            `tgram://<token>/<chat>`.
        events: kinds of events, or patterns such as `zone.*`.
        rules: names of lines, zones and analyzers; None for all.
        labels: labels of the objects; None for all.
        cooldown: minimum stream time between two alerts of the same kind, rule and label, s.
        quiet: local times without alerts, such as `22:00-06:00`; they are dropped and counted.
        title: first line, with the fields of `text`.
        text: with `{time}`, `{stream}`, `{rule}`, `{kind}`, `{label}` and `{track}`.
        images: whether to attach an image to services that take one.
        drawing: options of the config group `drawing`; None to draw nothing.
        quality: JPEG quality, 1 to 100.
        max_age: age at which an alert that no service takes is dropped and counted, s.
        spool: file for alerts that wait; None for `runs/spool/<stream>-alert.sqlite`.
        spool_size: alerts that wait at most; beyond it the oldest are dropped.
        drain: time that the end of a run waits for the services, s.
        run: which run it is.

    Raises:
        ConfigError: an option has an invalid value, or another run uses the spool.
        SinkError: the spool cannot be written, or the detector has no such label.
    """

    lossless = True

    def __init__(
        self,
        urls_env: str | Sequence[str] = "ALERT_URL",
        events: str | Sequence[str] = (CROSSED, LOITERING),
        rules: str | Sequence[str] | None = None,
        labels: str | Sequence[str] | None = None,
        cooldown: Annotated[float, Meta(ge=0)] = 60.0,
        quiet: str | Sequence[str] = (),
        title: str = "vidan: {stream}",
        text: str = "{time} {rule}: {kind} {label}",
        images: bool = True,
        drawing: Values = ALL,
        quality: Annotated[int, Meta(ge=1, le=100)] = 85,
        max_age: Annotated[float, Meta(gt=0)] = 600.0,
        spool: str | None = None,
        spool_size: Annotated[int, Meta(ge=1)] = 1000,
        drain: Annotated[float, Meta(ge=0)] = DRAIN_S,
        run: RunContext | None = None,
    ) -> None:
        services = find_services(urls_env)
        self._filter = EventFilter(events, rules, labels)
        self._trigger = Trigger(self._filter, cooldown)
        self._quiet_hours, self._quiet = QuietHours(quiet), 0
        self._title, self._text = Template("title", title), Template("text", text)
        found = EventImages(self._filter.kinds, drawing, quality)  # also checks the options
        self._images = found if images else None
        self._messages = Messages(run)
        self._waiting: list[tuple[Event, Message]] = []  # since the last frame
        file = open_spool("alert", spool, spool_size, run)
        self._delivery: Delivery[Notice] = Delivery(
            "alert", Services(services, max_age), file, drain=drain, batch=1, kind=Notice
        )

    def emit(self, events: Sequence[Event]) -> None:
        """See EventSink: alerts are sent with the next frame, which may show the event."""
        messages = {id(e): m for e, m in zip(events, self._messages.of(events), strict=True)}
        for event in self._trigger.select(events):
            message = messages[id(event)]
            if self._quiet_hours.include(message.time):
                self._quiet += 1
            else:
                self._waiting.append((event, message))

    def write(self, result: Result) -> None:
        """Send alerts about the events that became known with this frame."""
        self._filter.check(result)
        if self._images is not None:
            self._images.see(result)
        self._send()

    def measures(self) -> Mapping[Measure, float]:
        """See Measuring: also the alerts in quiet hours."""
        labels = ("sink", "alert"), ("reason", "quiet")
        return {
            **self._delivery.measures(),
            Measure("events_dropped_total", labels): float(self._quiet),
        }

    def close(self) -> None:
        """Send what is left, and wait for the services for a while; see `Delivery.close`."""
        try:
            self._send()
        finally:
            if self._images is not None:
                self._images.clear()
            self._delivery.close()
            self._report_quiet()

    def _send(self) -> None:
        waiting, self._waiting = self._waiting, []
        self._delivery.put([self._notice(event, message) for event, message in waiting])

    def _notice(self, event: Event, message: Message) -> Notice:
        image = None
        if self._images is not None and self._images.newest is not None:
            image = self._images.of(event)[1]
        return Notice(self._title.of(message), self._text.of(message), time.time(), image)

    def _report_quiet(self) -> None:
        if self._quiet:
            log.info("alert: dropped %d alerts in quiet hours", self._quiet)
