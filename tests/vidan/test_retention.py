"""The option `keep`."""

import math
from pathlib import Path

import pytest

from vidan.errors import ConfigError
from vidan.retention import Item, Limits


@pytest.mark.parametrize(
    ("value", "limits"),
    [
        (None, Limits()),
        (1000, Limits(count=1000)),
        ("20GB", Limits(size=20e9)),
        ("1.5 MB", Limits(size=1.5e6)),
        ("30d", Limits(age=30 * 86400)),
        ("90s", Limits(age=90)),
        ({"size": "1kB", "age": "2h", "count": 3}, Limits(1000, 7200, 3)),
        ({"age": "1min", "size": None}, Limits(age=60)),
    ],
)
def test_one_value_or_several_are_limits(value, limits):
    assert Limits.parse("keep", value) == limits
    assert limits.keeps_all == (value is None)


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (0, "keep=0: expected a size such as 20GB, an age such as 30d, a number"),
        (True, "keep=True: expected a size"),
        (1.5, "keep=1.5: expected a size"),
        ("20", "keep='20': expected a size"),
        ("20gb", "keep='20gb': expected a size"),
        ("-1d", "keep='-1d': expected a size"),
        ({}, "keep={}: expected a size"),
        ({"ages": "1d"}, "keep: 'ages': did you mean 'age'"),
        ({"age": "1GB"}, "keep.age='1GB': expected a number above 0 and a unit: s, min, h, d"),
        ({"size": "1d"}, "keep.size='1d': expected"),
        ({"count": "many"}, "keep.count='many': expected a number from 1"),
    ],
)
def test_other_values_are_one_clear_error(value, message):
    with pytest.raises(ConfigError) as error:
        Limits.parse("keep", value)
    assert str(error.value).startswith(message)
    assert "\n" not in str(error.value)


ITEMS = [Item(1000.0 + n, Path(str(n)), 100) for n in range(5)]


@pytest.mark.parametrize(
    ("limits", "left"),
    [
        (Limits(), 5),
        (Limits(count=2), 2),
        (Limits(age=2.5), 3),
        (Limits(size=300), 3),
        (Limits(size=299), 2),
        (Limits(size=1, age=0.1, count=1), 1),
        (Limits(size=300, count=2), 2),
        (Limits(size=math.inf, age=1.5), 2),
    ],
)
def test_the_newest_are_kept_and_at_least_one(limits, left):
    beyond = limits.surplus(ITEMS[::-1], now=1004.0)
    assert beyond == [item.path for item in reversed(ITEMS[: 5 - left])]


def test_a_part_of_the_size_is_left_free():
    assert len(Limits(size=300).surplus(ITEMS, 1004.0, reserve=100)) == 3
