import pytest
from hypothesis import given
from hypothesis import strategies as st

from vidan.formats.labelmap import Item, dump, dump_labels, is_label_map, parse
from vidan.formats.textproto import TextProtoError

TEXT = st.text(st.characters(exclude_categories=["Cs"]), min_size=1)


@given(st.dictionaries(st.integers(1, 2**31), st.tuples(TEXT, st.one_of(st.just(""), TEXT))))
def test_round_trip(labels):
    items = [Item(number, *labels[number]) for number in sorted(labels)]
    assert parse(dump(items)) == items


def test_labels_are_numbered_from_one():
    text = dump_labels(["a", 'the "b"'])
    assert parse(text) == [Item(1, "a"), Item(2, 'the "b"')]
    assert is_label_map(text)
    assert is_label_map("# faces\n item: <id: 1>")
    assert not is_label_map("a\nitems\n")


def test_the_display_name_takes_precedence():
    (item,) = parse('item { name: "/m/1" id: 7 display_name: "dog" keypoints { id: 1 } }')
    assert item == Item(7, "/m/1", "dog")
    assert item.label == "dog"


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        ("item {\n id: 1\n}", 1, "an item needs an id and a name"),
        ("item {\n id: 0\n name: 'a'}", 2, "id 0 is the background, but 'a' has it"),
        ("item {\n id: -1\n name: 'a'}", 2, "1 or more, got '-1'"),
        ("item { id: 1\nname: a }", 2, "a string in quotes"),
        ("item {id: 1 name: 'a'}\nitem {id: 1 name: 'b'}", 2, "duplicate id 1"),
        ("model {}", 1, "expected 'item {', got 'model'"),
    ],
)
def test_errors_name_the_line(text, line, message):
    with pytest.raises(TextProtoError, match=message) as error:
        parse(text)
    assert error.value.line == line


@pytest.mark.parametrize("name", ["background", "Background", "__background__", "unlabeled"])
def test_the_background_is_no_class(name):
    text = f"item {{ id: 0 name: '{name}' }} item {{ id: 1 name: 'a' }}"
    assert parse(text) == [Item(1, "a")]
