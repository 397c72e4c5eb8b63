"""Which events a sink acts on."""

from __future__ import annotations

import logging
import math
from collections import OrderedDict
from collections.abc import Iterable, Sequence
from difflib import get_close_matches
from fnmatch import fnmatchcase

from vidan import options
from vidan.errors import ConfigError, SinkError, did_you_mean
from vidan.events import KINDS, Event
from vidan.types import Result

log = logging.getLogger(__name__)

MAX_INTERVALS = 10_000
"""Intervals that are remembered, so that each one triggers once."""

Names = str | Sequence[str]


class EventFilter:
    """Chooses events by kind, rule and label.

    A kind is one of `vidan.events.KINDS`, a pattern such as `zone.*`, or one of a plugin, whose
    first word is its own.

    Args:
        events: kinds.
        rules: names of lines, zones and analyzers; None for all.
        labels: of the objects; None for all, and for events that are not about an object.

    Attributes:
        kinds: the kinds and patterns.

    Raises:
        ConfigError: a list is empty, or there is no such kind.
    """

    def __init__(
        self, events: Names, rules: Names | None = None, labels: Names | None = None
    ) -> None:
        self.kinds = options.names("events", events)
        self._rules = None if rules is None else options.names("rules", rules)
        self._labels = None if labels is None else options.names("labels", labels)
        self._checked = False
        for kind in self.kinds:
            _check_kind(kind)

    def takes(self, event: Event) -> bool:
        """Whether an event is one of them."""
        return (
            any(fnmatchcase(event.kind, kind) for kind in self.kinds)
            and (self._rules is None or event.rule in self._rules)
            and (self._labels is None or event.label in self._labels)
        )

    def check(self, result: Result) -> None:
        """Check rules and labels, which are known from the first result on.

        Raises:
            SinkError: the detector has no such label.
        """
        if self._checked:
            return
        self._checked = True
        for label in self._labels or ():
            if label not in result.labels:
                near = did_you_mean(label, result.labels)
                raise SinkError(f"labels: no label {label!r}: {near}")
        drawn = {shape.rule for shape in result.shapes if shape.rule is not None}
        for rule in set(self._rules or ()) - drawn:
            # Only a warning: analyzers that draw nothing have rules too.
            if drawn and get_close_matches(rule, drawn):
                log.warning("rules: no line or zone %r: %s", rule, did_you_mean(rule, drawn))


class Trigger:
    """Lets through the events that shall start something.

    Events of one kind that belong to one interval, such as the start and the end of
    `zone.crowded`, trigger once.

    Args:
        chosen: the events to choose from.
        cooldown: minimum stream time between two events of the same kind, rule and label, s.
    """

    def __init__(self, chosen: EventFilter, cooldown: float) -> None:
        self._filter, self._cooldown = chosen, cooldown
        self._last: dict[tuple[str, str, str | None], float] = {}  # stream time, s
        self._intervals: OrderedDict[tuple[str, str], None] = OrderedDict()

    def select(self, events: Iterable[Event]) -> list[Event]:
        """The events that trigger, by the time at which they happened."""
        return sorted(filter(self._triggers, events), key=lambda event: event.time)

    def _triggers(self, event: Event) -> bool:
        if not self._filter.takes(event) or self._is_known(event):
            return False
        key = event.kind, event.rule, event.label
        # If the source's clock was set back, the cooldown ends.
        if 0 <= event.known - self._last.get(key, -math.inf) < self._cooldown:
            return False
        self._last[key] = event.known
        return True

    def _is_known(self, event: Event) -> bool:
        """Whether an earlier event had this kind and belonged to the same interval."""
        if event.phase == "point":
            return False
        key = event.kind, event.id
        known = key in self._intervals
        self._intervals[key] = None
        self._intervals.move_to_end(key)
        if len(self._intervals) > MAX_INTERVALS:
            self._intervals.popitem(last=False)
        return known


def _check_kind(kind: str) -> None:
    if any(fnmatchcase(known, kind) for known in KINDS):
        return
    own = {known.partition(".")[0] for known in KINDS}
    if kind.partition(".")[0] in own or get_close_matches(kind, KINDS, cutoff=0.8):
        raise ConfigError(f"events: no kind {kind!r}: {did_you_mean(kind, KINDS)}")
