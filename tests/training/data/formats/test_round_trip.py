import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vidan.errors import ConfigError, SinkError, SourceError
from vidan_training.data import formats
from vidan_training.data.formats import example, records
from vidan_training.data.formats.records import BrokenRecordError, read_records, write_record

from ...drawn import LABELS, draw

TOLERANCE = 1e-3  # px: VOC and COCO keep four digits, records float32 shares of the image


def check_same(a, b):
    assert a.labels == b.labels
    assert [p.name for p in a.images] == [p.name for p in b.images]
    for one, other in zip(a.images, b.images, strict=True):
        assert one.labels == other.labels
        assert one.size == other.size
        assert one.boxes == pytest.approx(other.boxes, abs=TOLERANCE)
        assert one.file.read() == other.file.read()


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


@given(st.lists(st.binary(max_size=300), max_size=5))
@settings(max_examples=30)
def test_records_are_read_back_as_written(tmp_path_factory, contents):
    path = tmp_path_factory.mktemp("r") / "a.record"
    with path.open("wb") as stream:
        for content in contents:
            write_record(stream, content)
    assert [data for _, data in read_records(path)] == contents
    whole = path.read_bytes()
    for offset, data in read_records(path):
        assert whole[offset : offset + len(data)] == data


def test_the_checksum_equals_that_of_tensorflow():
    # CRC-32C of "123456789" is E3069283 (RFC 3720); rotated right by 15 and plus A282EAD8:
    # (E3069283 >> 15 | E3069283 << 17) = 2507C60D; + A282EAD8 = C78AB0E5.
    assert records.masked_crc32c(b"123456789") == 0xC78AB0E5


def test_records_are_compatible_with_tensorflow_both_ways(tmp_path):
    tf = pytest.importorskip("tensorflow")
    drawn = formats.read(draw(tmp_path / "drawn", 1))
    formats.write(drawn, tmp_path / "r", "tfrecord")
    (record,) = tf.data.TFRecordDataset(str(tmp_path / "r/data.record-00000-of-00001"))
    theirs = tf.train.Example.FromString(record.numpy())
    texts = theirs.features.feature["image/object/class/text"].bytes_list.value
    assert list(texts) == [b"disc", b"square"]
    assert example.parse(theirs.SerializeToString()) == example.parse(record.numpy())


@pytest.mark.parametrize(
    "damage", [lambda d: d[:-9], lambda d: d[:40] + b"?" + d[41:], lambda d: b"?" + d]
)
def test_damaged_records_are_errors(tmp_path, damage):
    path = tmp_path / "a.record"
    with path.open("wb") as stream:
        write_record(stream, b"x" * 50)
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(BrokenRecordError):
        list(read_records(path))


def test_an_existing_folder_is_not_overwritten(tmp_path):
    drawn = formats.read(draw(tmp_path / "drawn", 1))
    with pytest.raises(SinkError, match="already exists"):
        formats.write(drawn, tmp_path / "drawn", "voc")


def test_labels_are_selected_and_renamed(tmp_path):
    drawn = formats.read(draw(tmp_path / "drawn", 1))
    assert drawn.labels == LABELS
    one = drawn.select(["square"])
    assert (one.labels, one.images[0].labels) == (("square",), ("square",))
    merged = drawn.select(rename={"disc": "square"})
    assert (merged.labels, merged.images[0].labels) == (("square",), ("square", "square"))
    turned = drawn.select(["square", "round"], {"disc": "round"})
    assert turned.samples()[0].classes.tolist() == [1, 0]
    assert drawn.select(rename={"disc": None}).images[0].labels == ("square",)
    with pytest.raises(ConfigError, match="labels: no label 'sqare'; did you mean 'square'"):
        drawn.select(["sqare"])
    with pytest.raises(ConfigError, match="rename: no label 'dics'"):
        drawn.select(rename={"dics": "a"})


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


def test_equal_names_get_numbers(tmp_path):
    one = formats.read(draw(tmp_path / "a", 1))
    formats.write(formats.join([one, one]), tmp_path / "c", "yolo")
    names = [p.name for p in formats.read(tmp_path / "c").images]
    assert names == ["image0.png", "image0_2.png"]


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
