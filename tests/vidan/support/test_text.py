import json

import pytest

from vidan.support.text import csv_cell, one_line, printable, utf8, valid_unicode


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


def test_every_text_in_a_value_is_unicode():
    value = {"caf\udce9": ["\ud800", ("日本", 1.5, None)]}
    assert valid_unicode(value) == {"caf\\udce9": ["\\ud800", ["日本", 1.5, None]]}


@pytest.mark.parametrize(
    ("value", "cell"),
    [
        ("=cmd|' /C calc'!A0", "'=cmd|' /C calc'!A0"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("-rf", "'-rf"),
        ("\x1b[31mred\ud800", "\\x1b[31mred\\ud800"),
        ("Tür 1", "Tür 1"),
        (-1.5, -1.5),
        (None, None),
    ],
)
def test_a_cell_is_neither_a_formula_nor_an_escape_sequence(value, cell):
    assert csv_cell(value) == cell
