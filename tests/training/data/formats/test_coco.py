import json
from contextlib import suppress

import cv2
import numpy as np
import pytest

from vidan.errors import SourceError
from vidan_training.data import formats

RED = {"id": 1, "name": "red"}


@pytest.fixture
def folder(tmp_path):
    for number in range(3):
        cv2.imwrite(str(tmp_path / f"{number}.png"), np.zeros((40, 60, 3), np.uint8))
    return tmp_path


def image(number, name):
    return {"id": number, "file_name": name, "width": 60, "height": 40}


def box(image_id, x, category=1):
    return {"image_id": image_id, "category_id": category, "bbox": [x, 5, 10, 10]}


def write(folder, images, boxes, categories=(RED,)):
    content = {"images": images, "annotations": boxes, "categories": list(categories)}
    (folder / "a.json").write_text(json.dumps(content))


def lefts(dataset):
    return {image.name: image.boxes[:, 0].tolist() for image in dataset.images}


def test_an_image_id_of_two_files_is_an_error(folder):
    write(folder, [image(1, "0.png"), image(1, "1.png"), image(2, "2.png")], [box(1, 5), box(2, 9)])
    with pytest.raises(SourceError, match=r"image id 1 stands for '0\.png' and '1\.png'"):
        formats.read(folder)
    dataset = formats.read(folder, issues="drop")
    assert lefts(dataset) == {"2.png": [9]}
    assert [i.kind for i in dataset.issues] == ["duplicate id", "unknown image"]


def test_a_category_id_of_two_names_is_an_error(folder):
    blue = [{"id": 1, "name": "blue"}, {"id": 2, "name": "green"}]
    write(folder, [image(1, "0.png")], [box(1, 5), box(1, 9, 2)], [RED, *blue])
    with pytest.raises(SourceError, match="category id 1 stands for 'red' and 'blue'"):
        formats.read(folder)
    dataset = formats.read(folder, issues="drop")
    assert (dataset.labels, lefts(dataset)) == (("green",), {"0.png": [9]})


def test_what_is_listed_twice_is_read_once(folder):
    write(folder, [image(1, "0.png")] * 2, [box(1, 5)], [RED] * 2)
    dataset = formats.read(folder)
    assert (dataset.labels, lefts(dataset)) == (("red",), {"0.png": [5]})
    assert [(i.kind, i.action) for i in dataset.issues] == [("duplicate id", "noted")] * 2


def test_two_ids_of_one_file_are_one_image(folder):
    write(folder, [image(1, "0.png"), image(2, "0.png")], [box(1, 5), box(2, 9)])
    dataset = formats.read(folder)
    assert lefts(dataset) == {"0.png": [5, 9]}
    assert [i.kind for i in dataset.issues] == ["same image"]


@pytest.mark.parametrize("name", formats.FORMATS)
def test_spaces_around_a_name_do_not_count(folder, name):
    """As in XML and label maps, so that labels survive every format."""
    write(folder, [image(0, "0.png")], [box(0, 5)], [{"id": 1, "name": " red car\n"}])
    found = formats.read(folder)
    assert found.labels == ("red car",)
    formats.write(found, folder / "out", name)
    assert formats.read(folder / "out").labels == ("red car",)


def test_images_of_one_name_are_those_in_the_named_folders(tmp_path):
    for n, day in enumerate(("", "day1", "day2", "x/day1"), 10):
        (tmp_path / "images" / day).mkdir(parents=True, exist_ok=True)
        image = np.zeros((40, 50 + n, 3), np.uint8)
        cv2.imwrite(str(tmp_path / "images" / day / "a.png"), image)
    names = {"a.png": 60, "day1/a.png": 61, r"set\day2\a.png": 62, "x/day1/a.png": 63}
    images = [{"id": n, "file_name": name, "width": names[name], "height": 40}
              for n, name in enumerate(names)]  # fmt: skip
    write(tmp_path, images, [box(n, n) for n in range(4)])
    dataset = formats.read(tmp_path)
    assert dataset.issues == []
    assert sorted((i.size[0], *i.boxes[:, 0]) for i in dataset.images) == [
        (60, 0), (61, 1), (62, 2), (63, 3)]  # fmt: skip


def test_brackets_without_end(tmp_path):
    (tmp_path / "a.coco.json").write_text("[" * 100_000)
    with pytest.raises(SourceError, match="cannot read COCO file"):
        formats.read(tmp_path)


@pytest.mark.parametrize(
    ("entry", "key", "value"),
    [
        ("images", "width", float("inf")),
        ("images", "height", 10**400),
        ("categories", "id", float("inf")),
        ("annotations", "image_id", []),
        ("annotations", "bbox", [10**400, 1, 1, 1]),
    ],
)
def test_values_of_other_kinds_are_issues_or_an_error(folder, entry, key, value):
    write(folder, [image(1, "0.png")], [box(1, 5)])
    content = json.loads((folder / "a.json").read_text())
    content[entry][0][key] = value
    (folder / "a.json").write_text(json.dumps(content))
    with suppress(SourceError):  # and nothing else
        formats.read(folder)
