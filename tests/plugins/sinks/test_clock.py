from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from vidan_plugins.sinks.clock import interval_end, interval_start

BERLIN = ZoneInfo("Europe/Berlin")
NEW_YORK = ZoneInfo("America/New_York")


def intervals(first, last, length, zone=BERLIN):
    """The intervals from one local time to another, as local times."""
    when, end = (datetime.fromisoformat(t).replace(tzinfo=zone).timestamp() for t in (first, last))
    found = []
    while when < end:
        assert interval_start(when, length, zone) == when
        following = interval_end(when, length, zone)
        assert interval_start(following - 0.001, length, zone) == when
        found.append(f"{datetime.fromtimestamp(when, UTC).astimezone(zone):%H:%M%z}")
        when = following
    return found


def test_the_hour_that_is_repeated_has_intervals_of_its_own():
    found = intervals("2026-10-25T01:00", "2026-10-25T04:00", 3600)
    assert found == ["01:00+0200", "02:00+0200", "02:00+0100", "03:00+0100"]
    assert len(intervals("2026-10-25T02:00", "2026-10-25T03:00", 900)) == 8


def test_the_hour_that_is_skipped_has_none():
    found = intervals("2026-03-29T01:00", "2026-03-29T05:00", 3600)
    assert found == ["01:00+0100", "03:00+0200", "04:00+0200"]


@pytest.mark.parametrize("day", ["2026-03-29", "2026-10-25", "2026-11-23"])
def test_longer_intervals_begin_at_the_same_local_times_every_day(day):
    found = intervals(f"{day}T00:00", f"{day}T23:59", 21_600)
    assert [each[:5] for each in found] == ["00:00", "06:00", "12:00", "18:00"]
    assert len(intervals(f"{day}T00:00", f"{day}T23:59", 86_400)) == 1


def test_days_begin_at_midnight_on_both_sides_of_a_change():
    found = intervals("2026-10-31T00:00", "2026-11-03T00:00", 86_400, NEW_YORK)
    assert found == ["00:00-0400", "00:00-0400", "00:00-0500"]
