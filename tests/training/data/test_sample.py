import numpy as np
import pytest

from vidan.errors import SourceError
from vidan_training.data.formats import read
from vidan_training.data.formats.paths import read_label_map

from ..drawn import OBJECT, XML, draw


def write(folder, objects, name="a.png"):
    xml = XML.format(name=name, width=120, height=100, objects=objects)
    (folder / "annotations" / "image0.xml").write_text(xml)


def samples_of(folder):
    return read(folder, "voc", one_based=False).samples()


def test_a_voc_folder(tmp_path):
    samples = samples_of(draw(tmp_path / "d", 3))
    assert [s.path.name for s in samples] == ["image0.png", "image1.png", "image2.png"]
    assert samples[0].boxes.shape == (2, 4)
    assert samples[0].boxes.dtype == np.float32
    assert samples[0].classes.tolist() == [0, 1]
    assert samples[0].image().shape == (100, 120, 3)


def test_images_are_rgb(tmp_path):
    sample = samples_of(draw(tmp_path / "d", 1))[0]
    x1, y1, x2, y2 = sample.boxes[1]  # the square, drawn as BGR (40, 40, 250): red
    assert sample.image()[int(y1 + y2) // 2, int(x1 + x2) // 2].tolist() == [250, 40, 40]


def test_boxes_are_clipped_at_the_border(tmp_path):
    folder = draw(tmp_path / "d", 1)
    write(folder, OBJECT.format(-3, 5, 130, 105, label="disc"), "image0.png")
    assert samples_of(folder)[0].boxes.tolist() == [[0, 5, 120, 100]]


def test_an_image_without_objects(tmp_path):
    folder = draw(tmp_path / "d", 1)
    write(folder, "", "image0.png")
    sample = samples_of(folder)[0]
    assert sample.boxes.shape == (0, 4)
    assert sample.classes.shape == (0,)


def test_an_unknown_label_is_an_error(tmp_path):
    folder = draw(tmp_path / "d", 1)
    write(folder, OBJECT.format(1, 1, 9, 9, label="dsic"), "image0.png")
    with pytest.raises(SourceError, match=r"image0\.xml: box 1: label 'dsic'; .* 'disc'\?"):
        samples_of(folder)


@pytest.mark.parametrize(
    ("objects", "message"),
    [
        (OBJECT.format(9, 1, 9, 9, label="disc"), "image0.xml: box 1: empty"),
        (OBJECT.format("x", 1, 9, 9, label="disc"), "image0.xml: box 1: not a number"),
    ],
)
def test_invalid_boxes_are_reported(tmp_path, caplog, objects, message):
    folder = draw(tmp_path / "d", 1)
    write(folder, objects, "image0.png")
    assert len(samples_of(folder)[0].boxes) == 0
    assert message in caplog.text


def test_broken_images_and_annotations_are_reported(tmp_path, caplog):
    folder = draw(tmp_path / "d", 3)
    write(folder, "<object>", "image0.png")
    (folder / "images" / "image1.png").write_bytes(b"not an image")
    assert [sample.name for sample in samples_of(folder)] == ["image2.png"]
    assert "image0.xml: broken annotation" in caplog.text
    assert "image1.xml: broken image" in caplog.text


def test_an_empty_folder_is_an_error(tmp_path):
    with pytest.raises(SourceError, match="no images in"):
        samples_of(tmp_path)


def test_a_label_map_is_read_in_the_order_of_its_ids(tmp_path):
    file = tmp_path / "label_map.pbtxt"
    file.write_text("item {\n  name: \"b b\"\n  id: 2\n}\nitem { id: 1 name: 'a' }")
    assert [item.label for item in read_label_map(file)] == ["a", "b b"]


@pytest.mark.parametrize("text", ["", "item { name: 'a' }"])
def test_invalid_label_maps_are_errors(tmp_path, text):
    file = tmp_path / "label_map.pbtxt"
    file.write_text(text)
    with pytest.raises(SourceError, match=r"label_map\.pbtxt"):
        read_label_map(file)
