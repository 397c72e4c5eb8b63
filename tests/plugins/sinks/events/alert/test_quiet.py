from datetime import datetime

import pytest

from vidan_plugins.sinks.events.alert.quiet import QuietHours


@pytest.mark.parametrize(
    ("quiet", "clock", "expected"),
    [
        ("22:00-06:00", "21:59:59", False),
        ("22:00-06:00", "22:00", True),
        ("22:00-06:00", "05:59:59", True),
        ("22:00-06:00", "06:00", False),
        (["12:00-13:00", "15:30-16:00"], "15:45", True),
        (["12:00-13:00", "15:30-16:00"], "14:00", False),
        ([], "03:00", False),
    ],
)
def test_quiet_hours_are_in_local_time(quiet, clock, expected):
    local = datetime.fromisoformat(f"2026-11-25T{clock}")
    assert QuietHours(quiet).include(local.timestamp()) is expected
