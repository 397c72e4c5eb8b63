import cv2
import numpy as np
import pytest

from vidan.errors import SourceError
from vidan_training.data import formats

XML = """<annotation{namespace}><filename>{name}</filename><size><width>60</width>
<height>40</height></size><object><name>a</name><bndbox><xmin>{x}</xmin><ymin>3</ymin>
<xmax>{right}</xmax><ymax>9</ymax></bndbox></object></annotation>"""


def annotate(folder, stem, name, x, namespace=""):
    text = XML.format(name=name, x=x, right=x + 5, namespace=namespace)
    (folder / f"{stem}.xml").write_text(text)


def draw(folder, name):
    cv2.imwrite(str(folder / name), np.zeros((40, 60, 3), np.uint8))


def lefts(dataset):
    return {image.name: image.boxes[:, 0].tolist() for image in dataset.images}


def test_an_annotation_belongs_to_the_image_with_its_name(tmp_path):
    for number in (1, 2, 3):
        draw(tmp_path, f"{number}.png")
    annotate(tmp_path, "1", "1.png", 10)
    annotate(tmp_path, "2", "1.png", 20)
    annotate(tmp_path, "3", "C:\\photos\\2.png", 30)
    dataset = formats.read(tmp_path)
    assert lefts(dataset) == {"1.png": [10], "2.png": [20], "3.png": [30]}
    assert [(i.kind, i.action) for i in dataset.issues] == [("file name", "repaired")] * 2
    assert "'2.png' is named, '3.png' has the name of the annotation" in dataset.issues[1].text


def test_without_an_image_of_its_name_an_annotation_belongs_to_the_named_one(tmp_path):
    draw(tmp_path, "photo.png")
    annotate(tmp_path, "0001", "photo.png", 10)
    dataset = formats.read(tmp_path)
    assert (lefts(dataset), dataset.issues) == ({"photo.png": [10]}, [])


def test_two_annotations_of_one_image_are_joined(tmp_path):
    draw(tmp_path, "photo.png")
    annotate(tmp_path, "0001", "photo.png", 10)
    annotate(tmp_path, "0002", "photo.png", 20)
    annotate(tmp_path, "0003", "photo.png", 20)
    dataset = formats.read(tmp_path)
    assert lefts(dataset) == {"photo.png": [10, 20]}
    assert [i.kind for i in dataset.issues] == ["same image"] * 2
    with pytest.raises(SourceError, match=r"0002\.xml: same image: .*0001\.xml"):
        formats.read(tmp_path, issues="error")


def test_a_name_with_dots_is_not_cut(tmp_path):
    draw(tmp_path, "2024.01.png")
    annotate(tmp_path, "2024.01.05", "2024.01.05", 10)
    with pytest.raises(SourceError, match="no images in"):
        formats.read(tmp_path)


def test_namespaces_are_ignored(tmp_path):
    draw(tmp_path, "1.png")
    annotate(tmp_path, "1", "1.png", 10, ' xmlns="http://example.com/voc"')
    assert lefts(formats.read(tmp_path)) == {"1.png": [10]}


def test_an_image_without_annotation_is_reported(tmp_path):
    draw(tmp_path, "1.png")
    draw(tmp_path, "2.png")
    annotate(tmp_path, "1", "1.png", 10)
    dataset = formats.read(tmp_path)
    assert list(lefts(dataset)) == ["1.png"]
    (issue,) = dataset.issues
    assert (issue.kind, issue.action) == ("no annotation", "left out")
    assert issue.location.endswith("2.png")
