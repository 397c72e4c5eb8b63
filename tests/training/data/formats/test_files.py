import json

import pytest

from vidan.errors import ConfigError, SinkError, SourceError
from vidan_training.data import formats

from ...drawn import check_same, draw


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
