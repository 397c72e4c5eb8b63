import json

import pytest

from vidan.support.text import one_line, printable, utf8


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Müller 日本 🙂 a\u200cb", "Müller 日本 🙂 a\u200cb"),
        ("\x1b]0;title\x07", "\\x1b]0;title\\x07"),
        ("\x9b31m\x7f\r", "\\x9b31m\\x7f\\r"),
        ("a\u202etxt", "a\\u202etxt"),
        ("caf\udce9", "caf\\udce9"),
        ("a\tb\nc", "a\tb\nc"),
    ],
)
def test_what_a_terminal_would_act_on_is_escaped(text, shown):
    assert printable(text) == shown
    shown.encode()


def test_a_message_is_one_line_of_limited_length():
    assert one_line("a\nvidan: error: b\x1b") == "a vidan: error: b\\x1b"
    assert len(one_line("a" * 99_999)) == 2001


def test_surrogates_are_the_same_after_json():
    text = "caf\udce9 \ud800"
    assert json.loads(utf8(json.dumps(text, ensure_ascii=False))) == text
