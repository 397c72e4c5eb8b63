import json

import cv2
import numpy as np
import pytest

from vidan.errors import ConfigError, SinkError, SourceError
from vidan_training.data import formats
from vidan_training.data.formats import example
from vidan_training.data.formats.records import write_record

from ...drawn import TOLERANCE, check_same, draw


def test_conversion_through_every_format_and_back(tmp_path):
    first = current = formats.read(draw(tmp_path / "drawn", 5))
    for name in ("tfrecord", "coco", "yolo", "voc"):
        formats.write(current, tmp_path / name, name, shards=2)
        assert formats.detect(tmp_path / name) == name
        current = formats.read(tmp_path / name)
        assert current.issues == []
        check_same(first, current)
    files = sorted(f.name for f in (tmp_path / "tfrecord").iterdir())
    assert files[:2] == ["data.record-00000-of-00002", "data.record-00001-of-00002"]


def test_conversion_of_real_data_through_every_format(data, tmp_path):
    first = current = formats.read(data / "facemask")
    for name in ("tfrecord", "coco", "yolo", "voc"):
        formats.write(current, tmp_path / name, name, shards=3)
        current = formats.read(tmp_path / name, one_based=False)
        assert current.issues == []
        check_same(first, current)


def test_an_existing_folder_is_not_overwritten(tmp_path):
    drawn = formats.read(draw(tmp_path / "drawn", 1))
    with pytest.raises(SinkError, match="already exists"):
        formats.write(drawn, tmp_path / "drawn", "voc")


def test_missing_data_and_unknown_formats_are_errors(tmp_path):
    with pytest.raises(SourceError, match="no data set in"):
        formats.read(tmp_path)
    with pytest.raises(ConfigError, match="did you mean 'coco'"):
        formats.read(tmp_path, "cocoo")


def test_crowds_are_ignored(tmp_path):
    drawn = formats.read(draw(tmp_path / "drawn", 1))
    drawn.images[0].crowd[0] = True
    for name in ("coco", "tfrecord"):
        formats.write(drawn, tmp_path / name, name)
        assert formats.read(tmp_path / name).samples()[0].classes.tolist() == [-2, 1]


def test_weights_survive_where_the_format_has_them(tmp_path, caplog):
    drawn = formats.read(draw(tmp_path / "drawn", 1))
    drawn.images[0].weights[0] = 0.25
    for name in ("coco", "tfrecord"):
        formats.write(drawn, tmp_path / name, name)
        assert formats.read(tmp_path / name).samples()[0].weights.tolist() == [0.25, 1]
    assert not caplog.messages
    formats.write(drawn, tmp_path / "yolo", "yolo")
    assert "1 boxes lost their weights" in caplog.text


@pytest.mark.parametrize("score", [0, 1.5, "high", None])
def test_a_score_out_of_range_is_noted(tmp_path, score):
    formats.write(formats.read(draw(tmp_path / "drawn", 1)), tmp_path / "coco", "coco")
    file = tmp_path / "coco" / "annotations.json"
    content = json.loads(file.read_text())
    content["annotations"][0]["score"] = score
    file.write_text(json.dumps(content))
    dataset = formats.read(tmp_path / "coco")
    assert dataset.images[0].weights.tolist() == [1, 1]
    assert [(i.kind, i.action) for i in dataset.issues] == [("score", "noted")]


def test_equal_names_get_numbers(tmp_path):
    one = formats.read(draw(tmp_path / "a", 1))
    formats.write(formats.join([one, one]), tmp_path / "c", "yolo")
    names = [p.name for p in formats.read(tmp_path / "c").images]
    assert names == ["image0.png", "image0_2.png"]


@pytest.mark.parametrize("name", formats.FORMATS)
def test_records_without_usable_names_survive_every_format(tmp_path, name):
    """Names may be missing, without suffix, with dots, or not allowed in a file system."""
    names = [None, "", "frame3", "2024.01.05", "photo.jpeg?w=2", "a/b\x00c", "..", "x.PNG"]
    kinds = [".jpg", ".png", ".webp", ".bmp", ".tiff", ".jp2", ".gif", ".png"]
    rng = np.random.default_rng(0)
    with (tmp_path / "train.record").open("wb") as stream:
        for number, (given, kind) in enumerate(zip(names, kinds, strict=True)):
            pixels = rng.integers(0, 255, (40, 60, 3)).astype(np.uint8)
            features = {
                "image/encoded": [cv2.imencode(kind, pixels)[1].tobytes()],
                "image/object/class/text": [b"yes"],
                **{f"image/object/bbox/{side}min": [number / 20] for side in "xy"},
                **{f"image/object/bbox/{side}max": [number / 20 + 0.25] for side in "xy"},
            }
            if given is not None:
                features["image/filename"] = [given.encode()]
            write_record(stream, example.dump(features))
    first = formats.read(tmp_path / "train.record")
    assert len(first.images) == len(names)
    formats.write(first, tmp_path / "out", name)
    again = formats.read(tmp_path / "out")
    assert (again.labels, again.issues) == (("yes",), [])

    def by_left(dataset):
        return sorted(dataset.images, key=lambda image: image.boxes[0, 0])

    for one, other in zip(by_left(first), by_left(again), strict=True):
        assert one.boxes == pytest.approx(other.boxes, abs=TOLERANCE)
        if name != "tfrecord":  # which encodes again what the API cannot decode
            assert one.file.read() == other.file.read()
        np.testing.assert_array_equal(one.file.decode(), other.file.decode())
