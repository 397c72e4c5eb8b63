import cv2
import numpy as np
import pytest

from tests.vidan.support.test_yaml_limit import BOMB
from vidan.errors import ConfigError, SourceError
from vidan_training.data import formats
from vidan_training.data.formats.yolo import read_names

BOX = "0 0.5 0.5 0.2 0.4"  # 24, 12, 36, 28 px
POLYGON = "0 0.9 0.1 0.95 0.5 0.8 0.9"  # no box: 0.9 + 0.95 / 2 > 1


def write(folder, *lines, yaml=""):
    cv2.imwrite(str(folder / "a.png"), np.zeros((40, 60, 3), np.uint8))
    (folder / "a.txt").write_text("\n".join(lines))
    (folder / "data.yaml").write_text(f"names: [red]\n{yaml}")
    return folder


def boxes(folder):
    (image,) = formats.read(folder).images
    return [[round(value, 3) for value in box] for box in image.boxes.tolist()]


@pytest.mark.parametrize(
    ("shape", "keypoints"),
    [("[2, 2]", "0.1 0.2 0.3 0.9"), ("[2, 3]", "0.1 0.2 2 0.3 0.9 1"), ("[1, 2]", "0.9 0.9")],
)
def test_keypoints_follow_a_box(tmp_path, shape, keypoints):
    write(tmp_path, BOX, f"{BOX} {keypoints}", yaml=f"kpt_shape: {shape}")
    assert boxes(tmp_path) == [[24, 12, 36, 28]] * 2


def test_a_line_that_contradicts_kpt_shape_is_left_out(tmp_path):
    write(tmp_path, BOX, f"{BOX} 0.1 0.2", POLYGON, yaml="kpt_shape: [2, 2]")
    dataset = formats.read(tmp_path)
    assert len(dataset.images[0].labels) == 1
    assert "four numbers, and 4 of keypoints (kpt_shape)" in dataset.issues[0].text


@pytest.mark.parametrize("more", ["0.93 1", "0.93 0", "0.2 0.3 0.25 0.35", "0.4 0.4 0.6 0.6"])
def test_what_may_be_a_polygon_or_a_box_is_left_out(tmp_path, more):
    write(tmp_path, BOX, f"{BOX} {more}")
    dataset = formats.read(tmp_path)
    assert dataset.images[0].boxes.tolist() == [pytest.approx([24, 12, 36, 28])]
    (issue,) = dataset.issues
    assert (issue.kind, issue.action) == ("broken annotation", "left out")
    assert "set kpt_shape, or task" in issue.text


def test_ids_show_that_lines_begin_with_a_box(tmp_path):
    write(tmp_path, f"{BOX} 0.93 7", f"{BOX} 0.93 1")
    assert boxes(tmp_path) == [[24, 12, 36, 28]] * 2
    assert [i.action for i in formats.read(tmp_path).issues] == ["noted"]


def test_lines_that_are_no_boxes_show_polygons(tmp_path):
    write(tmp_path, POLYGON, "0 0.2 0.2 0.4 0.2 0.4 0.6 0.2 0.6", BOX)
    assert boxes(tmp_path) == [[48, 4, 57, 36], [12, 8, 24, 24], [24, 12, 36, 28]]


@pytest.mark.parametrize(
    ("task", "box"), [("segment", [12, 8, 24, 24]), ("detect", [0, 0, 24, 12])]
)
def test_the_task_decides(tmp_path, task, box):
    write(tmp_path, "0 0.2 0.2 0.4 0.2 0.4 0.6 0.2 0.6", yaml=f"task: {task}")
    assert boxes(tmp_path)[0] == pytest.approx(box, abs=4)
    write(tmp_path, BOX, yaml="task: segmnt")
    with pytest.raises(ConfigError, match="did you mean 'segment'"):
        formats.read(tmp_path)


def test_random_polygons_are_read_as_polygons(tmp_path):
    rng = np.random.default_rng(0)
    corners = []
    with (tmp_path / "lines").open("w") as stream:
        for _ in range(20):
            center, radius = rng.uniform(0.2, 0.8, 2), rng.uniform(0.05, 0.2)
            angles = np.sort(rng.uniform(0, 2 * np.pi, int(rng.integers(3, 9))))
            points = center + radius * np.stack([np.cos(angles), np.sin(angles)], axis=1)
            corners.append([*points.min(axis=0) * (60, 40), *points.max(axis=0) * (60, 40)])
            stream.write("0 " + " ".join(f"{v:.6f}" for v in points.ravel()) + "\n")
    write(tmp_path, *(tmp_path / "lines").read_text().splitlines())
    assert np.array(boxes(tmp_path)) == pytest.approx(np.array(corners), abs=1e-3)


def test_names_are_read_as_they_are_written(tmp_path):
    file = tmp_path / "data.yaml"
    words = ["yes", "no", "null", "007", "1.0", "2024-01-01", "~"]
    file.write_text(f"names: [{', '.join(words)}]")
    assert read_names(file) == tuple(words)
    file.write_text("names:\n" + "".join(f"  {n}: {word}\n" for n, word in enumerate(words)))
    assert read_names(file) == tuple(words)
    file.write_text("names: [' red car ']")
    assert read_names(file) == ("red car",)


@pytest.mark.parametrize("names", ["red", "[[a, b]]", "{a: {b: c}}"])
def test_names_that_are_no_list(tmp_path, names):
    (tmp_path / "data.yaml").write_text(f"names: {names}")
    with pytest.raises(SourceError, match=r"data\.yaml': names"):
        read_names(tmp_path / "data.yaml")


def test_aliases_that_stand_for_too_much(tmp_path):
    (tmp_path / "data.yaml").write_text(BOMB)
    with pytest.raises(SourceError, match="more than 100000 values"):
        read_names(tmp_path / "data.yaml")
