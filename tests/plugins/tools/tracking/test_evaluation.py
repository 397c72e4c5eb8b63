"""`vidan eval tracking`, on scenes whose metrics can be computed by hand."""

import json
import math
import sys

import pytest

from tests.real import DATA, needs_data
from vidan.cli.main import main
from vidan.errors import ConfigError, PluginError, SourceError
from vidan_plugins.tools.tracking.commands import evaluate

from . import mot_files


def run(tmp_path, *overrides):
    """The metrics by sequence."""
    assert evaluate([*overrides, f"run_dir={tmp_path / 'run'}"]) == 0
    return json.loads((tmp_path / "run" / "metrics.json").read_text())["metrics"]


def test_perfect_results(here, capsys):
    rows = mot_files.sequence(here / "data", "A")
    mot_files.results(here / "out" / "A.txt", rows)
    metrics = run(here, f"data={here / 'data'}", f"results={here / 'out'}")
    for key in ("HOTA", "DetA", "AssA", "MOTA", "IDF1"):
        assert metrics["A"][key] == metrics["combined"][key] == pytest.approx(100)
    assert [metrics["A"][key] for key in ("IDSW", "Frag", "FP", "FN")] == [0, 0, 0, 0]
    lines = capsys.readouterr().out.splitlines()
    assert " ".join(lines[0].split()) == "sequence HOTA DetA AssA MOTA IDF1 IDSW Frag FP FN"
    assert lines[2].split()[:2] == ["combined", "100.0"]
    assert (here / "run" / "metrics.png").stat().st_size > 10_000
    assert (here / "run" / "config.yaml").is_file()


def test_an_id_that_changes_half_way(here):
    # One person, 20 frames; another track from frame 11: one switch.
    # MOTA = 1 - 1 / 20. Half of the boxes have the best matching id: IDF1 = 0.5.
    # DetA = 1; each box shares 10 of 20 frames with its track: AssA = 10 / 20.
    rows = mot_files.sequence(here / "data", "A", people=1)
    mot_files.results(here / "out" / "A.txt", [(f, 1 + (f > 10), *box) for f, _, *box in rows])
    metrics = run(here, f"data={here / 'data'}", f"results={here / 'out'}")["A"]
    expected = {"DetA": 100, "AssA": 50, "HOTA": 100 * math.sqrt(0.5), "MOTA": 95, "IDF1": 50}
    assert {key: metrics[key] for key in expected} == pytest.approx(expected)
    assert metrics["IDSW"] == 1


def test_misses_and_false_positives_of_two_sequences_add_up(here):
    # A: 2 of 40 boxes missing; B: 4 boxes too many. Combined: 40 + 40 true boxes.
    a = mot_files.sequence(here / "data", "A")
    b = mot_files.sequence(here / "data", "B")
    mot_files.results(here / "out" / "A.txt", a[2:])
    mot_files.results(here / "out" / "B.txt", b + [(f, 9, 500, 10, 20, 20) for f in range(1, 5)])
    metrics = run(here, f"data={here / 'data'}", f"results={here / 'out'}")
    assert (metrics["A"]["FN"], metrics["B"]["FP"]) == (2, 4)
    assert metrics["A"]["MOTA"] == pytest.approx(100 * (1 - 2 / 40))
    assert metrics["combined"]["MOTA"] == pytest.approx(100 * (1 - 6 / 80))


def test_a_tracker_is_run_and_timed(here, capsys):
    # SORT reports all tracks in the first three updates, later those with three consecutive
    # matches. Frame 10 has no detections: 11 and 12 are the first and second match after it.
    mot_files.sequence(here / "data", "A", people=1, missing={10})
    metrics = run(here, f"data={here / 'data'}", "tracker=sort")
    assert metrics["A"]["FN"] == 1 + 2
    assert metrics["A"]["ms"] > 0
    assert capsys.readouterr().out.splitlines()[0].split()[-1] == "ms"
    patient = run(here, f"data={here / 'data'}", "tracker=sort", "tracker.min_hits=0")
    assert patient["A"]["FN"] == 1
    rows = (here / "run" / "tracks" / "A.txt").read_text().splitlines()
    assert len(rows) == 19
    assert rows[0].startswith("1,1,53.00,100.00,40.00,80.00,0.9")


def test_the_default_tracker_fills_the_gap(here):
    mot_files.sequence(here / "data", "A", frames=40, missing={30, 31})
    metrics = run(here, f"data={here / 'data'}", "tracker.min_confirmed_ratio=0")
    assert (metrics["A"]["FN"], metrics["A"]["FP"], metrics["A"]["IDSW"]) == (0, 0, 0)


def test_features_reach_the_tracker(here):
    rows = mot_files.sequence(here / "data", "A")
    mot_files.features(here / "data" / "features" / "A.npy", rows)
    metrics = run(here, f"data={here / 'data'}", "tracker=deepsort", "tracker.n_init=1")
    assert metrics["A"]["MOTA"] == pytest.approx(100)


def test_a_tracker_that_needs_images_says_so(here):
    mot_files.sequence(here / "data", "A")
    with pytest.raises(SourceError, match=r"'A' has no images: set images=<folder>"):
        run(here, f"data={here / 'data'}", "tracker=deepsort")


def test_sequences_without_ground_truth_are_skipped(here, caplog):
    rows = mot_files.sequence(here / "data", "A")
    mot_files.detections(here / "data" / "B" / "det" / "det.txt", rows)
    assert set(run(here, f"data={here / 'data'}")) == {"A", "combined"}
    assert "skipping sequences without ground truth: B" in caplog.text
    with pytest.raises(SourceError, match="no ground truth for 'B'"):
        run(here, f"data={here / 'data'}", "sequences=B")


@pytest.mark.parametrize(
    ("overrides", "error", "message"),
    [
        ([], ConfigError, "data is missing: set data=<folder"),
        (["data=nowhere"], SourceError, "there is no folder 'nowhere'"),
        (["data=data", "trackr=sort"], ConfigError, "unknown key 'trackr': did you mean 'tracker'"),
        (["data=data", "tracker=srot"], ConfigError, "unknown tracker 'srot': did you mean 'sort'"),
        (["data=data", "benchmark=MOT18"], ConfigError, "benchmark='MOT18'"),
        (["data=data", "rate=-1"], ConfigError, "rate=-1"),
        (["data=data", "results=nowhere"], ConfigError, "results='nowhere'"),
        (["data=data", "results=data"], SourceError, "no results in 'data'"),
        (["data=data", "sequences=B"], ConfigError, "no sequence 'B'"),
    ],
)
def test_invalid_options(here, overrides, error, message):
    mot_files.sequence(here / "data", "A")
    with pytest.raises(error, match=message):
        run(here, *overrides)


def test_invalid_results(here):
    rows = mot_files.sequence(here / "data", "A")
    mot_files.results(here / "out" / "A.txt", [rows[0], rows[0]])  # an id twice in a frame
    with pytest.raises(SourceError, match=r"cannot score 'out/A.txt': .*"):
        run(here, "data=data", "results=out")


def test_a_missing_extra(here, monkeypatch):
    mot_files.sequence(here / "data", "A")
    monkeypatch.setitem(sys.modules, "trackeval", None)
    with pytest.raises(PluginError, match=r"trackeval is not installed: pip install 'vidan\[eval"):
        run(here, "data=data")


def test_the_command_line(here, capsys):
    assert main(["eval", "tracking", "--help"]) == 0
    assert "sequences: null" in capsys.readouterr().out
    assert main(["eval", "--help"]) == 0
    assert "Score a tracker" in capsys.readouterr().out
    assert main(["eval"]) == 2
    assert main(["eval", "trackin"]) == 2
    assert "did you mean 'tracking'?" in capsys.readouterr().err


@needs_data
def test_sort_has_the_metrics_of_its_reference(here):
    chosen = [f"data={DATA / 'mot17'}", "sequences=[MOT17-09-SDP,MOT17-09-DPM]"]
    ours = run(here, *chosen, "tracker=sort")
    for row in ours.values():
        row.pop("ms")
    theirs = run(here, *chosen, f"results={DATA / 'mot17' / 'reference' / 'sort'}")
    for name, row in theirs.items():
        assert ours[name] == pytest.approx(row, abs=0.02)
    # of the output of the authors' own code
    assert theirs["MOT17-09-SDP"]["MOTA"] == pytest.approx(58.6, abs=0.05)
    assert theirs["MOT17-09-SDP"]["HOTA"] == pytest.approx(45.4, abs=0.05)
    assert theirs["MOT17-09-SDP"]["IDSW"] == 44


def test_without_an_image_size_all_boxes_are_inside(here):
    # People at 4050 px, beyond any 1080p image, are tracked through a gap.
    rows = [(f, i, x + 4000, y, w, h) for f, i, x, y, w, h in mot_files.boxes(2, 40)]
    mot_files.detections(here / "data" / "A" / "det" / "det.txt", rows, missing={30, 31})
    mot_files.truth(here / "data" / "A" / "gt" / "gt.txt", rows)
    metrics = run(here, f"data={here / 'data'}", "rate=10", "tracker.min_confirmed_ratio=0")
    assert (metrics["A"]["FN"], metrics["A"]["IDSW"]) == (0, 0)
