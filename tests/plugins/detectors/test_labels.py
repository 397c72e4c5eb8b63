import numpy as np
import pytest

from vidan.errors import ConfigError, ModelError
from vidan_plugins.detectors.labels import class_mask, read_labels

MAP = """# faces
item {
  name: "/m/1"   # before the id
  id: 3
  display_name: 'no mask'
  keypoints { id: 7 label: "nose" }
}
item: { id: 1, name: "mask" }
"""


def write(tmp_path, text, name="labels.txt"):
    path = tmp_path / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


@pytest.mark.parametrize("name", ["label_map.pbtxt", "map.txt"])
def test_a_label_map_with_gaps_is_sorted_by_id(tmp_path, name):
    labels = read_labels(write(tmp_path, MAP, name))
    assert list(labels.items()) == [(1, "mask"), (3, "no mask")]


@pytest.mark.parametrize(
    "text", ["cat\ndog\n", "cat\r\ndog", b"\xef\xbb\xbfcat\n dog \n\n\n"], ids=["lf", "crlf", "bom"]
)
def test_ids_in_a_text_file_are_line_numbers(tmp_path, text):
    assert read_labels(write(tmp_path, text)) == {1: "cat", 2: "dog"}


@pytest.mark.parametrize("first", ["???", "Background", "__background__", "unlabeled"])
def test_a_placeholder_in_the_first_line_has_the_id_0(tmp_path, first):
    assert read_labels(write(tmp_path, f"{first}\ncat\n???\ndog\n")) == {1: "cat", 3: "dog"}


def test_a_file_of_placeholders_contains_no_labels(tmp_path):
    with pytest.raises(ModelError, match="contains no labels"):
        read_labels(write(tmp_path, "???\n???\n"))


@pytest.mark.parametrize(
    ("text", "name", "message"),
    [
        ("", "l.txt", "contains no labels"),
        (" \n\n", "l.txt", "contains no labels"),
        ("# nothing\n", "l.pbtxt", "contains no labels"),
        ("a\n\nb\n", "l.txt", r"l\.txt:2: expected a label, got an empty line"),
        (b"\xff\xfe", "l.txt", "not UTF-8"),
        ("cat\ndog", "l.pbtxt", r"l\.pbtxt:1: not a label map: expected ':' after 'cat'"),
        ("item {\n id: 1\n}", "l.pbtxt", ":1: not a label map: an item needs an id and a name"),
        ("item {\n id: 0\n name: 'a'}", "l.pbtxt", ":2: .*id 0 is the background"),
        ("item { id: x name: 'a'}", "l.pbtxt", "got 'x'"),
        ("item { id: 1 name: a }", "l.pbtxt", "a string in quotes"),
        ("item {id: 1 name: 'a'}\nitem {id: 1 name: 'b'}", "l.pbtxt", ":2: .*duplicate id 1"),
        ("model {}", "l.pbtxt", "expected 'item {', got 'model'"),
    ],
)
def test_errors_describe_what_is_wrong_with_a_file(tmp_path, text, name, message):
    with pytest.raises(ModelError, match=message):
        read_labels(write(tmp_path, text, name))


def test_a_missing_file_is_an_error(tmp_path):
    with pytest.raises(ModelError, match=r"none\.txt'?: No such file"):
        read_labels(tmp_path / "none.txt")
    with pytest.raises(ModelError, match="directory"):
        read_labels(tmp_path)


def test_class_mask():
    assert class_mask(("a", "b", "c"), None) is None
    np.testing.assert_array_equal(class_mask(("a", "b", "c"), ("c", "a")), [True, False, True])
    with pytest.raises(ConfigError, match="no label 'with_musk'; did you mean 'with_mask'"):
        class_mask(("with_mask", "without_mask"), ("with_musk",))


def test_real_label_map(data):
    assert read_labels(data / "facemask/label_map.pbtxt") == {
        1: "with_mask",
        2: "without_mask",
        3: "mask_weared_incorrect",
    }


@pytest.mark.parametrize(
    ("text", "labels"),
    [
        ("0  person\n1  bicycle\n3  car\n", {1: "person", 2: "bicycle", 4: "car"}),
        ("0 background\n1 person\n2 bicycle\n", {1: "person", 2: "bicycle"}),
        ("1: person\n2: bicycle\n", {1: "person", 2: "bicycle"}),
        ("2: car\n0: person\n1: bicycle\n", {1: "person", 2: "bicycle", 3: "car"}),
        ("1 person\n1 bicycle\n", {1: "1 person", 2: "1 bicycle"}),
        ("7 eleven\n8 track\n", {1: "7 eleven", 2: "8 track"}),
    ],
)
def test_lines_that_begin_with_different_numbers_have_these_ids(tmp_path, text, labels):
    assert read_labels(write(tmp_path, text)) == labels


@pytest.mark.parametrize("text", ["0: a\n0: b\n2: c\n", "3: a\n4: b\n"])
def test_numbers_with_colons_are_nothing_else(tmp_path, text):
    with pytest.raises(ModelError, match="expected each number once, from 0 or 1"):
        read_labels(write(tmp_path, text))
