"""Which events a report is about, and the intervals of its time."""

from __future__ import annotations

import math
import zoneinfo
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, tzinfo
from typing import Any, NamedTuple

from omegaconf import DictConfig, OmegaConf

from vidan import options
from vidan.errors import ConfigError, did_you_mean

from ...sinks.clock import interval_end, interval_start
from .loading import KINDS

DAY_S = 86_400.0

MAX_INTERVALS = 200_000
"""Intervals of a report at most."""


class Axis(NamedTuple):
    """The time of a report.

    Attributes:
        clock: whether times are Unix times, s; else stream times, s.
        zone: of local times; None for that of this machine.
        since: when it begins; None for the first event.
        until: when it ends; None for the last event.
    """

    clock: bool
    zone: tzinfo | None
    since: float | None = None
    until: float | None = None

    def intervals(self, first: float, last: float, length: float) -> list[float]:
        """When the intervals begin that contain the time of a report.

        Args:
            first: time of the first event.
            last: of the last one.
            length: of the intervals, s.

        Raises:
            ConfigError: there are too many.
        """
        first = first if self.since is None else self.since
        last = last if self.until is None else math.nextafter(self.until, -math.inf)
        if (last - first) / length > MAX_INTERVALS:
            raise ConfigError(f"every={length:g} s: too many intervals, choose longer ones")
        start = interval_start(first, length, self.zone) if self.clock else first // length * length
        starts = []
        while start <= last:
            starts.append(start)
            start = interval_end(start, length, self.zone) if self.clock else start + length
        return starts

    def shown(self, when: float, *, offset: bool = False) -> str:
        """A time as text: a local date and time, with its UTC offset if asked for, or h:mm:ss."""
        if not self.clock:
            minutes, seconds = divmod(round(when, 3), 60)
            return f"{minutes // 60:.0f}:{minutes % 60:02.0f}:{seconds:02g}"
        local = datetime.fromtimestamp(when, UTC).astimezone(self.zone)
        text = local.isoformat(" ", "minutes" if when % 60 == 0 else "seconds")
        return text if offset else text[: -len("+00:00")]

    def changes(self, times: Sequence[float]) -> bool:
        """Whether clocks change between the first and the last of these times."""
        if not self.clock or not times:
            return False
        return len({self.shown(t, offset=True)[-6:] for t in (times[0], times[-1])}) > 1


def length_of(every: Any) -> float:
    """The option `every`, s.

    Raises:
        ConfigError: it does not divide a day.
    """
    length = options.duration("every", every)
    if length < 1 or DAY_S % length:
        raise ConfigError(f"every={every!r}: expected a length that divides a day, such as 15min")
    return length


def zone_of(name: Any) -> tzinfo | None:
    """The option `timezone`.

    Raises:
        ConfigError: there is no such time zone.
    """
    if name is None:
        return None
    try:
        return zoneinfo.ZoneInfo(options.text("timezone", name))
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        near = did_you_mean(str(name), zoneinfo.available_timezones())
        raise ConfigError(f"timezone={name!r}: {near[:200]}") from None


def select(connection: Any, config: DictConfig) -> Axis:
    """Make the table `events` of the events that a report is about, with a time `t`.

    Raises:
        ConfigError: an option has an invalid value, or names nothing that there is.
    """
    zone = zone_of(config.timezone)
    (clocked,) = connection.execute("SELECT count(timestamp) FROM stored").fetchone()
    axis = Axis(bool(clocked), zone)
    moments = {name: _moment(name, config[name], axis) for name in ("since", "until")}
    time = "epoch(timestamp)" if axis.clock else "time"
    # Events that were delivered more than once count once.
    connection.execute(
        f"CREATE TABLE events AS SELECT DISTINCT ON (run, stream, number) *, {time} AS t "  # noqa: S608
        "FROM stored WHERE list_contains(?, kind)",
        [list(KINDS)],
    )
    for condition, values in _conditions(connection, config, moments):
        connection.execute(f"DELETE FROM events WHERE NOT coalesce({condition}, false)", values)  # noqa: S608
    return axis._replace(since=moments["since"], until=moments["until"])


def _conditions(
    connection: Any, config: DictConfig, moments: Mapping[str, float | None]
) -> Iterator[tuple[str, list[Any]]]:
    """Conditions of events, and the values of their parameters."""
    for option in ("stream", "label"):
        if config[option] is not None:
            yield f"list_contains(?, {option})", [_names(connection, option, config[option])]
    if config.rule is not None:
        rules = _names(connection, "rule", config.rule)
        columns = ("rule", "origin", "destination")
        yield " OR ".join(f"list_contains(?, {name})" for name in columns), [rules] * 3
    for option, sign in (("since", ">="), ("until", "<")):
        if moments[option] is not None:
            yield f"t {sign} ?", [moments[option]]


def _names(connection: Any, option: str, value: Any) -> list[str]:
    """Names that events have.

    Raises:
        ConfigError: no event has one of them.
    """
    plain = OmegaConf.to_container(value) if OmegaConf.is_config(value) else value
    if not isinstance(plain, list):
        plain = str(plain)  # such as a stream whose name is a number
    names = options.names(option, plain)
    query = f"SELECT DISTINCT {option} FROM stored WHERE {option} IS NOT NULL"  # noqa: S608
    if option == "rule":
        query += " UNION SELECT origin FROM stored UNION SELECT destination FROM stored"
    known = [name for (name,) in connection.execute(query).fetchall() if name is not None]
    for name in names:
        if name not in known:
            raise ConfigError(f"{option}={name!r}: {did_you_mean(name, known)}")
    return list(names)


def _moment(option: str, value: Any, axis: Axis) -> float | None:
    """A date and time, or a stream time, s.

    Raises:
        ConfigError: it is neither, or not what the events have.
    """
    if value is None:
        return None
    if not axis.clock:
        try:
            return options.duration(option, value) if value else 0.0
        except ConfigError:
            raise ConfigError(
                f"{option}={value!r}: expected a stream time, such as 90s: the events have no date "
                "and time"
            ) from None
    try:
        moment = datetime.fromisoformat(str(value))
    except ValueError:
        raise ConfigError(
            f"{option}={value!r}: expected a date and time, such as 2026-11-25T08:00"
        ) from None
    return (moment if moment.tzinfo else moment.replace(tzinfo=axis.zone)).timestamp()
