"""Presence and visits per cell, and the files that have them."""

import json
from pathlib import Path

import cv2
import numpy as np
import pytest

import vidan
from vidan import ConfigError, SinkError
from vidan.testing import AnalyzerSuite
from vidan_plugins.analytics.heatmap.analyzer import Heatmap
from vidan_plugins.formats.imageless import ImagelessFrame

from ..paths import HEIGHT, WIDTH, path, result, results, straight


def map_of(given, folder, **options):
    """The arrays after some results."""
    heatmap = Heatmap(str(folder / "heatmap"), columns=16, **options)
    for one in given:
        assert heatmap.update(one) == []
    assert heatmap.finish() == []
    assert heatmap.outputs == [str(folder / "heatmap.npz"), str(folder / "heatmap.png")]
    with np.load(folder / "heatmap.npz") as arrays:
        return dict(arrays)


class TestHeatmap(AnalyzerSuite):
    def make(self, tmp_path):
        return Heatmap(str(tmp_path / "heatmap"))


def test_time_counts_for_the_cell_of_the_anchor(tmp_path):
    arrays = map_of(results(path([(100.0, 215.0)] * 61)), tmp_path)
    assert arrays["presence"].shape == (1, 12, 16)
    assert arrays["presence"][0, 5, 2] == pytest.approx(2.0)  # cells of 40 px
    assert arrays["presence"].sum() == pytest.approx(2.0)
    assert arrays["visits"].sum() == arrays["visits"][0, 5, 2] == 1
    assert arrays["dwell"][0, 5, 2] == pytest.approx(2.0)
    assert np.isnan(arrays["dwell"][0, 0, 0])
    assert (arrays["labels"].tolist(), arrays["size"].tolist()) == (["car"], [WIDTH, HEIGHT])
    assert arrays["seconds"] == pytest.approx((61 + 45 - 1) / 30)


@pytest.mark.parametrize("fps", [5, 15, 30])
def test_the_sum_is_the_duration_of_the_tracks_at_any_frame_rate(tmp_path, fps):
    count = round(4 * fps) + 1
    one = path(straight((50.0, 100.0), (500 / 4 / fps, 0), count))
    other = path(straight((50.0, 300.0), (0, 100 / 4 / fps), count), track=2, label="person")
    kept = [row for n, row in enumerate(one) if n % 5 or n == count - 1]
    arrays = map_of(results(kept, other, fps=fps), tmp_path)
    labels = arrays["labels"].tolist()
    assert arrays["presence"][labels.index("car")].sum() == pytest.approx(4, abs=1.01 / fps)
    assert arrays["presence"][labels.index("person")].sum() == pytest.approx(4)


def test_a_gap_is_no_presence(tmp_path):
    points = [(100.0, 215.0)] * 31 + [None] * 60 + [(100.0, 215.0)] * 31
    arrays = map_of(results(path(points)), tmp_path)
    assert arrays["presence"].sum() == pytest.approx(2.0)
    assert arrays["visits"].sum() == 2
    arrays = map_of(results(path(points)), tmp_path, max_gap=3.0)
    assert arrays["presence"].sum() == pytest.approx(4.0 + 1 / 30)
    assert arrays["visits"].sum() == 1


def test_noise_at_the_border_of_a_cell_is_no_movement(tmp_path):
    points = [(120.0 + 6.0 * (-1) ** n, 215.0) for n in range(61)]
    arrays = map_of(results(path(points)), tmp_path)
    assert arrays["visits"].sum() == 1


def test_a_path_visits_each_cell_once(tmp_path):
    arrays = map_of(results(path(straight((25.0, 215.0), (5.0, 0), 116))), tmp_path)
    assert arrays["visits"][0, 5].tolist() == [1] * 15 + [0]
    assert arrays["presence"][0, 5, 2:14] == pytest.approx(8 / 30, abs=0.04)


def test_two_objects_take_turns(tmp_path):
    one = path([(100.0, 215.0)] * 31)
    other = path([(100.0, 215.0)] * 31, start=61, track=2)
    arrays = map_of(results(one, other), tmp_path, join_within=0)
    assert arrays["visits"][0, 5, 2] == 2
    assert arrays["dwell"][0, 5, 2] == pytest.approx(1.0)


def test_a_box_that_the_border_cuts_off_is_nowhere(tmp_path):
    arrays = map_of(results(path([(100.0, HEIGHT - 2.0)] * 31)), tmp_path)
    assert arrays["presence"].sum() == arrays["visits"].sum() == 0


def test_a_fast_object_was_in_the_cells_between_two_boxes(tmp_path):
    arrays = map_of(results(path(straight((60.0, 215.0), (160.0, 0), 4))), tmp_path)
    assert arrays["visits"][0, 5].tolist() == [0] + [1] * 13 + [0, 0]
    assert (arrays["presence"][0, 5, 2:13] > 0).all()
    assert arrays["presence"].sum() == pytest.approx(0.1)


def test_the_image_shows_where_objects_were(tmp_path):
    map_of(results(path([(100.0, 215.0)] * 61)), tmp_path)
    image = cv2.imread(str(tmp_path / "heatmap.png"))
    assert image.shape == (HEIGHT, WIDTH, 3)
    assert image[220, 100].max() > 80
    assert image[20, 600].max() < 5


def test_tracks_without_images_are_drawn_on_black(tmp_path):
    given = [
        type(one)(
            ImagelessFrame(index=n, time=n / 30, captured=0.0, stream="tracks", width=WIDTH,
                           height=HEIGHT),
            one.detections, one.tracks, one.labels,
        )
        for n, one in enumerate(results(path([(100.0, 215.0)] * 31)))
    ]  # fmt: skip
    assert map_of(given, tmp_path)["still"].size == 0
    assert cv2.imread(str(tmp_path / "heatmap.png")) is not None


def test_the_arrays_have_a_small_image_of_the_scene(tmp_path):
    arrays = map_of(results(path([(100.0, 215.0)] * 31)), tmp_path)
    assert cv2.imdecode(arrays["still"], cv2.IMREAD_COLOR).shape == (HEIGHT, WIDTH, 3)


def test_the_arrays_are_written_more_often_than_the_image(tmp_path):
    heatmap = Heatmap(str(tmp_path / "heatmap"))
    for n in range(110):
        heatmap.update(result(n, [], fps=10))
    assert [file.name for file in tmp_path.iterdir()] == ["heatmap.npz"]


def test_both_files_are_there_every_minute(tmp_path):
    heatmap = Heatmap(str(tmp_path / "heatmap"))
    row = (0, 1, 0, (90.0, 195.0, 110.0, 215.0))
    for n in range(640):
        heatmap.update(result(n, [row], fps=10))
    with np.load(tmp_path / "heatmap.npz") as arrays:
        assert arrays["seconds"] == pytest.approx(60, abs=0.2)
    assert sorted(file.name for file in tmp_path.iterdir()) == ["heatmap.npz", "heatmap.png"]


def test_a_file_that_cannot_be_written_is_a_warning_until_the_end(tmp_path, caplog):
    heatmap = Heatmap(str(tmp_path / "heatmap"))
    (tmp_path / "heatmap.npz").mkdir()
    for n in range(70):
        heatmap.update(result(n, [], fps=1))
    assert "cannot write" in caplog.text
    with pytest.raises(SinkError, match=r"heatmap\.npz"):
        heatmap.finish()


def test_a_folder_that_cannot_be_made(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(SinkError, match="cannot write"):
        Heatmap(str(tmp_path / "file" / "heatmap"))


def test_a_stream_without_frames_writes_nothing(tmp_path):
    heatmap = Heatmap(str(tmp_path / "heatmap"))
    assert heatmap.finish() == []
    assert heatmap.outputs == []
    assert list(tmp_path.iterdir()) == []


def test_an_empty_stream_has_an_empty_map(tmp_path):
    arrays = map_of([result(n, []) for n in range(30)], tmp_path)
    assert arrays["presence"].shape == (0, 12, 16)


def test_another_image_size_goes_on_with_the_same_grid(tmp_path):
    given = results(path([(100.0, 215.0)] * 31), tail=0)
    small = [
        result(31 + n, [(31 + n, 1, 0, (40.0, 97.5, 60.0, 107.5))], width=320, height=240)
        for n in range(31)
    ]
    arrays = map_of([*given, *small], tmp_path)
    assert arrays["presence"][0, 5, 2] == arrays["presence"].sum() == pytest.approx(2.0)


def test_memory_is_bounded(tmp_path):
    heatmap = Heatmap(str(tmp_path / "heatmap"))
    for n in range(500):
        heatmap.update(result(n, [(n, n, 0, (90.0, 195.0, 110.0, 215.0))], fps=1))
    assert len(heatmap._memory.ids) < 30


def test_the_summary_names_the_files(here):
    summary = vidan.run(
        ["analytics=[heatmap]", "sink=[]", "source.live=false", "max_frames=20", "run_dir=out"]
    )
    names = [Path(path).name for path in summary["outputs"]]
    assert names == ["heatmap.npz", "heatmap.png", "summary.json"]
    assert all((here / "out" / name).exists() for name in names)


@pytest.mark.parametrize(
    ("options", "message"),
    [({"columns": 0}, r"analytics\.columns"), ({"max_gap": 0}, r"analytics\.max_gap"),
     ({"anchor": "left"}, r"analytics\.anchor")],
)  # fmt: skip
def test_bad_options(tmp_path, options, message):
    with pytest.raises(ConfigError, match=message):
        vidan.create("analytics", "heatmap", path=str(tmp_path / "heatmap"), **options)


def test_a_restart_at_any_frame_changes_nothing(tmp_path):
    given = results(path(straight((25.0, 215.0), (5.0, 0), 116)))
    expected = map_of(given, tmp_path)
    for cut in range(0, len(given), 11):
        first, second = (Heatmap(str(tmp_path / name), columns=16) for name in ("first", "second"))
        for one in given[:cut]:
            first.update(one)
        second.restore(json.loads(json.dumps(first.state(), allow_nan=False)))
        for one in given[cut:]:
            second.update(one)
        second.finish()
        with np.load(tmp_path / "second.npz") as arrays:
            for name in ("presence", "visits"):
                np.testing.assert_allclose(arrays[name], expected[name])


def test_counts_can_be_reset(tmp_path):
    heatmap = Heatmap(str(tmp_path / "heatmap"))
    for one in results(path([(100.0, 215.0)] * 61), tail=0):
        heatmap.update(one)
    heatmap.reset_counts()
    heatmap.finish()
    with np.load(tmp_path / "heatmap.npz") as arrays:
        assert arrays["presence"].sum() == arrays["visits"].sum() == arrays["seconds"] == 0


def test_a_state_of_another_grid_is_an_error(tmp_path):
    heatmap = Heatmap(str(tmp_path / "heatmap"), columns=16)
    heatmap.update(result(0, []))
    with pytest.raises(ValueError, match="columns=64: the state has 16"):
        Heatmap(str(tmp_path / "heatmap")).restore(heatmap.state())
    with pytest.raises(ValueError, match="not a state"):
        Heatmap(str(tmp_path / "heatmap")).restore({})
