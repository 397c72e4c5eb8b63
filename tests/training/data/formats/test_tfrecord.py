import cv2
import numpy as np
import pytest

from vidan.errors import SourceError
from vidan_training.data import formats
from vidan_training.data.formats import example
from vidan_training.data.formats.records import write_record

from ...drawn import check_same, draw


def test_a_sample_reads_its_image_out_of_a_record(tmp_path):
    drawn = formats.read(draw(tmp_path / "drawn", 2))
    formats.write(drawn, tmp_path / "records", "tfrecord")
    inside = formats.read(tmp_path / "records").samples()
    for sample, other in zip(drawn.samples(), inside, strict=True):
        assert other.span is not None
        assert sample.name == other.name
        np.testing.assert_array_equal(sample.image(), other.image())


@pytest.mark.parametrize("path", ["", "data.record-*", "data.record", "data.record@3"])
def test_shards_are_found_by_folder_pattern_and_stem(tmp_path, path):
    drawn = formats.read(draw(tmp_path / "drawn", 4))
    formats.write(drawn, tmp_path / "r", "tfrecord", shards=3)
    check_same(drawn, formats.read(tmp_path / "r" / path))


def test_a_missing_shard_is_reported(tmp_path):
    drawn = formats.read(draw(tmp_path / "drawn", 4))
    formats.write(drawn, tmp_path / "r", "tfrecord", shards=3)
    (tmp_path / "r/data.record-00001-of-00003").unlink()
    dataset = formats.read(tmp_path / "r")
    assert [i.kind for i in dataset.issues] == ["missing shard"]
    assert dataset.issues[0].location.endswith("data.record-00001-of-00003")


def test_records_are_compatible_with_tensorflow_both_ways(tmp_path):
    tf = pytest.importorskip("tensorflow")
    drawn = formats.read(draw(tmp_path / "drawn", 1))
    formats.write(drawn, tmp_path / "r", "tfrecord")
    (record,) = tf.data.TFRecordDataset(str(tmp_path / "r/data.record-00000-of-00001"))
    theirs = tf.train.Example.FromString(record.numpy())
    texts = theirs.features.feature["image/object/class/text"].bytes_list.value
    assert list(texts) == [b"disc", b"square"]
    assert example.parse(theirs.SerializeToString()) == example.parse(record.numpy())


def test_records_without_optional_keys(tmp_path):
    encoded = cv2.imencode(".png", np.zeros((20, 40, 3), np.uint8))[1].tobytes()
    with (tmp_path / "train.tfrecord").open("wb") as stream:
        write_record(stream, example.dump({"image/encoded": [encoded]}))
        corners = {f"image/object/bbox/{k}": [v] for k, v in
                   {"xmin": 0.25, "ymin": 0.5, "xmax": 0.5, "ymax": 1.0}.items()}  # fmt: skip
        write_record(
            stream,
            example.dump({"image/encoded": [encoded], "image/object/class/label": [2], **corners}),
        )
    with pytest.raises(SourceError, match="only numbers for classes: set label_map="):
        formats.read(tmp_path)
    (tmp_path / "x_label_map.pbtxt").write_text("item {id: 1 name: 'a'} item {id: 2 name: 'b'}")
    empty, full = formats.read(tmp_path).images
    assert empty.labels == ()
    assert (full.labels, full.boxes.tolist()) == (("b",), [[10, 10, 20, 20]])
