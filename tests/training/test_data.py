import numpy as np
import pytest

from vidan.errors import SourceError
from vidan_training.data import read_label_map, read_voc

from .drawn import LABELS, OBJECT, XML, draw


def write(folder, objects, name="a.png"):
    xml = XML.format(name=name, width=50, height=40, objects=objects)
    (folder / "annotations" / "picture0.xml").write_text(xml)


def test_voc_folder(tmp_path):
    samples = read_voc(draw(tmp_path / "d", 3), LABELS)
    assert [s.path.name for s in samples] == ["picture0.png", "picture1.png", "picture2.png"]
    assert samples[0].boxes.shape == (2, 4)
    assert samples[0].boxes.dtype == np.float32
    assert samples[0].classes.tolist() == [0, 1]
    assert samples[0].image().shape == (100, 120, 3)


def test_pictures_are_rgb(tmp_path):
    sample = read_voc(draw(tmp_path / "d", 1), LABELS)[0]
    x1, y1, x2, y2 = sample.boxes[1]  # the square, drawn as BGR (40, 40, 250): red
    assert sample.image()[int(y1 + y2) // 2, int(x1 + x2) // 2].tolist() == [250, 40, 40]


def test_boxes_are_cut_at_the_border(tmp_path):
    folder = draw(tmp_path / "d", 1)
    write(folder, OBJECT.format(-3, 5, 60, 45, label="disc"), "picture0.png")
    assert read_voc(folder, LABELS)[0].boxes.tolist() == [[0, 5, 50, 40]]


def test_a_picture_may_be_empty(tmp_path):
    folder = draw(tmp_path / "d", 1)
    write(folder, "", "picture0.png")
    sample = read_voc(folder, LABELS)[0]
    assert sample.boxes.shape == (0, 4)
    assert sample.classes.shape == (0,)


@pytest.mark.parametrize(
    ("objects", "message"),
    [
        (OBJECT.format(1, 1, 9, 9, label="dsic"), "label 'dsic'; did you mean 'disc'?"),
        (OBJECT.format(9, 1, 9, 9, label="disc"), "empty box"),
        (OBJECT.format("x", 1, 9, 9, label="disc"), "bndbox/xmin is 'x', not a number"),
        ("<object>", "cannot read annotation"),
    ],
)
def test_wrong_annotations_are_named(tmp_path, objects, message):
    folder = draw(tmp_path / "d", 1)
    write(folder, objects, "picture0.png")
    with pytest.raises(SourceError, match=message) as error:
        read_voc(folder, LABELS)
    assert "picture0.xml" in str(error.value)


def test_a_missing_and_a_broken_picture_are_named(tmp_path):
    folder = draw(tmp_path / "d", 1)
    write(folder, "", "gone.png")
    with pytest.raises(SourceError, match=r"gone\.png"):
        read_voc(folder, LABELS)
    (folder / "images" / "gone.png").write_bytes(b"no picture")
    with pytest.raises(SourceError, match=r"cannot read picture .*gone\.png"):
        read_voc(folder, LABELS)[0].image()


def test_no_data(tmp_path):
    with pytest.raises(SourceError, match="no Pascal VOC data"):
        read_voc(tmp_path, LABELS)


def test_label_map(tmp_path):
    file = tmp_path / "label_map.pbtxt"
    file.write_text("item {\n  name: \"b b\"\n  id: 2\n}\nitem { id: 1 name: 'a' }")
    assert read_label_map(file) == ("a", "b b")


@pytest.mark.parametrize("text", ["", "item { id: 2 name: 'a' }", "item { name: 'a' }"])
def test_wrong_label_maps(tmp_path, text):
    file = tmp_path / "label_map.pbtxt"
    file.write_text(text)
    with pytest.raises(SourceError, match=r"label_map\.pbtxt"):
        read_label_map(file)
