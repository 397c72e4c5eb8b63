import pytest

from vidan.errors import ConfigError
from vidan_plugins.sinks.events.mqtt.topics import check_prefix, identifier, level


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("front door", "front door"),
        ("a/b+c#d\x00e\n", "a_b_c_d_e_"),
        ("", "_"),
        ("Tür", "Tür"),
        ("caf\udce9", "caf_"),
        ("x" * 999, "x" * 200),
    ],
)
def test_a_name_is_one_level_of_a_topic(name, expected):
    assert level(name) == expected


@pytest.mark.parametrize("prefix", ["vidan", "site/vidan", "a b", "é"])
def test_prefixes(prefix):
    assert check_prefix("prefix", prefix) == prefix


@pytest.mark.parametrize(
    "prefix", ["a/+", "a#", "#", "", "/a", "a/", "a//b", "$SYS", "a\x00", "x" * 201]
)
def test_what_is_no_prefix(prefix):
    with pytest.raises(ConfigError, match=r"^prefix="):
        check_prefix("prefix", prefix)


def test_different_names_have_different_identifiers():
    names = [
        ("a", "b_c"),
        ("a_b", "c"),
        ("a-b", "c"),
        ("a", "b-c"),
        ("a b", "c"),
        ("Tür",),
        ("Tor",),
    ]
    found = [identifier(*each) for each in names]
    assert len(set(found)) == len(names)
    assert all(each.isascii() and " " not in each for each in found)
