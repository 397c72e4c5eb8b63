import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vidan.formats.textproto import TextProtoError, parse


def test_fields_are_in_order():
    (item,) = parse("item {\n  id: 1 # one\n  name: 'a'\n}")
    assert (item.name, item.kind, item.line) == ("item", "message", 1)
    assert [(f.name, f.kind, f.text, f.line) for f in item.fields] == [
        ("id", "word", "1", 2),
        ("name", "string", "a", 3),
    ]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ('"plain"', "plain"),
        ("'it''s'", "its"),  # adjacent strings are concatenated
        (r"'it\'s'", "it's"),
        (r'"a\tb\\n"', "a\tb\\n"),
        (r'"caf\303\251"', "café"),  # octal bytes of UTF-8, as protobuf writes them
        (r'"caf\xc3\xa9"', "café"),
        ('"café"', "café"),
        ('"#{}"', "#{}"),
        ('"a"\n  "b"', "ab"),
        ("-1.5e3", "-1.5e3"),
        ("SWISH", "SWISH"),
    ],
)
def test_values(text, value):
    assert parse(f"x: {text}, y: 1")[0].text == value


def test_messages_with_colon_or_angle_brackets_and_lists():
    fields = parse("a: { b: 1; c < d: '}' > } e: [1, {f: 2}, 'x'] g {}")
    assert [(f.name, f.kind) for f in fields] == [
        ("a", "message"),
        ("e", "list"),
        ("g", "message"),
    ]
    assert fields[0].fields[1].fields[0].text == "}"


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        ("item {\n id: 1\n", 3, "ends within a message"),
        ("a: [1,\n2", 2, "ends within a message"),
        ("a:", 1, "ends within a message"),
        ("a 1", 1, "expected ':' after 'a'"),
        ("\n'a': 1", 2, "expected the name of a field, got 'a'"),
        ("a: }", 1, "expected a value, got '}'"),
        ("a: 1 }", 1, "expected the name of a field, got '}'"),
        ('a: "open\nb: 1', 1, "cannot read"),
        (r'a: "\377"', 1, "not valid UTF-8"),
        ("a {" * 5000, 1, "too deep"),
    ],
)
def test_errors_name_the_line(text, line, message):
    with pytest.raises(TextProtoError, match=message) as caught:
        parse(text)
    assert caught.value.line == line


@given(
    st.lists(st.sampled_from([*"{}<>[]:,;#\n '\"\\", "item", "id", "1", "é", "\\377"])).map("".join)
)
def test_any_text_is_parsed_or_refused(text):
    with contextlib.suppress(TextProtoError):
        parse(text)
