"""`vidan eval counting`, on scenes whose crossings are known."""

import json
import sys
from pathlib import Path

import pytest

from tests.plugins.tools.tracking import mot_files
from tests.real import DATA, needs_data
from vidan.cli.main import main
from vidan.errors import ConfigError, PluginError, SourceError
from vidan_plugins.tools.counting.commands import evaluate
from vidan_plugins.tools.counting.peers import LINE_ZONES

# People of mot_files walk from x = 73 at 3 px per frame: they cross 160 and 320 of 640 px in
# frames 30 and 83, to the left as seen from the top of the image.
FRAMES = 100


@pytest.fixture
def walkers(here):
    """A sequence of two people with perfect detections; returns its rows."""
    return mot_files.sequence(here / "data", "A", frames=FRAMES)


def run(*overrides, table="dead band 0.15", of="crossings"):
    """The figures by sequence."""
    assert evaluate(["data=data", *overrides, "run_dir=run"]) == 0
    return json.loads(Path("run/counting.json").read_text())[of][table]


def test_perfect_results(walkers, here, capsys):
    mot_files.results(here / "out" / "A.txt", walkers)
    scores = run("results=out")
    assert scores["A"] == scores["combined"] | {"gates": {"x0.25 out": [2, 2], "x0.5 out": [2, 2]}}
    assert (scores["A"]["true"], scores["A"]["f1"], scores["A"]["count_error"]) == (4, 1, 0)
    assert scores["A"]["time_error"] == pytest.approx(0, abs=1e-6)
    assert scores["A"]["origin_destination"] == 1
    lines = capsys.readouterr().out.splitlines()
    assert max(map(len, lines)) <= 80
    assert lines[0] == "out: crossings of vertical gates, truth with dead band 0.15"
    assert lines[1].split() == [
        "sequence",
        "true",
        "counted",
        "prec",
        "recall",
        "F1",
        "error",
        "time",
        "s",
        "OD",
    ]
    assert lines[2].split()[:6] == ["A", "4", "4", "1.000", "1.000", "1.000"]
    assert (here / "run" / "counting.png").stat().st_size > 10_000


def test_a_person_who_is_not_tracked_is_not_counted(walkers, here):
    mot_files.results(here / "out" / "A.txt", [row for row in walkers if row[1] == 1])
    scores = run("results=out")["A"]
    assert (scores["recall"], scores["precision"], scores["count_error"]) == (0.5, 1, 0.5)


def test_a_tracker_is_run(walkers):
    scores = run("tracker=sort")
    assert (scores["A"]["f1"], scores["A"]["counted"]) == (1, 4)


def test_a_detector_and_a_tracker_are_run(walkers, here):
    mot_files.images(here / "data" / "A", FRAMES)
    both = [(r[0], -1, *r[2:], 0.9, number) for r in walkers for number in (r[1],)]
    mot_files.write(here / "found.txt", both)  # of two people, one is found as a bicycle
    detector = ["detector=mot", "detector.path=found.txt", "detector.label=[person,bicycle]"]
    scores = run(*detector, "label=person")["A"]
    assert (scores["precision"], scores["recall"], scores["counted"]) == (1, 0.5, 2)
    with pytest.raises(ConfigError, match="label='persn': did you mean 'person'"):
        run(*detector, "label=persn")


def test_six_gates(walkers):
    # y is 180 and 280 of 480 px: nobody crosses a horizontal gate
    assert set(run("gates=six")["A"]["gates"]) == {"x0.25 out", "x0.5 out"}


def test_options_of_the_counter(walkers, here):
    # Everyone turns back 8 px behind the gate, in a box of 40 px.
    rows = [(f, i, x if x < 150 else 296 - x, y, w, h) for f, i, x, y, w, h in walkers]
    mot_files.results(here / "out" / "A.txt", rows)
    assert run("results=out", "analytics.lines.dead_band=0.25")["A"]["counted"] == 0
    assert run("results=out", "analytics.lines.dead_band=0.1")["A"]["counted"] == 4


def test_further_dead_bands_of_the_truth(walkers):
    for table in ("dead band 0.15", "dead band 0.05"):
        scores = run("tracker=sort", "truth_dead_bands=[0.15,0.05]", table=table)
        assert scores["A"]["f1"] == 1


def test_sequences_of_mot17_are_summed_by_detector(here):
    for name in ("MOT17-02-SDP", "MOT17-04-SDP", "MOT17-02-DPM"):
        mot_files.sequence(here / "data", name, frames=FRAMES)
    scores = run("tracker=sort")
    assert [scores[n]["true"] for n in ("all SDP", "all DPM", "combined")] == [8, 4, 12]


def test_visits_to_the_middle_third(walkers, here):
    # At 3 px per frame and 25 frames per second they are inside from 213.3 px on, to the end.
    mot_files.results(here / "out" / "A.txt", walkers)
    scores = run("results=out", of="visits")["A"]
    assert (scores["true"], scores["f1"]) == (2, 1)
    assert scores["dwell_error"] == pytest.approx(0, abs=1e-6)
    assert scores["person_seconds"] == pytest.approx(2 * (370 - 640 / 3) / 75)
    assert scores["loitering_true"] == scores["loitering_counted"] == 0


def test_loitering(here):
    # Someone stays in the middle for 200 of 200 frames; the counter is right about it.
    rows = [(f, 1, 300, 200, 40, 80) for f in range(1, 201)]
    mot_files.truth(here / "data" / "A" / "gt" / "gt.txt", rows)
    mot_files.detections(here / "data" / "A" / "det" / "det.txt", rows)
    mot_files.info(here / "data" / "A", 200)
    mot_files.results(here / "out" / "A.txt", rows)
    scores = run("results=out", of="visits")["A"]
    assert (scores["loitering_true"], scores["loitering_f1"]) == (1, 1)


def test_tracks_broken_on_purpose(walkers, capsys):
    first = run("broken=true")
    assert (first["A"]["true"], first["A"]["f1"]) == (4, 1)
    assert capsys.readouterr().out.startswith("broken ground truth: ")
    assert run("broken=true") == first
    assert run("broken=true", "seed=1") != first
    with pytest.raises(ConfigError, match="broken=true counts in tracks of the ground truth"):
        run("broken=true", "results=out")


def test_peers(walkers, here):
    pytest.importorskip("supervision")
    mot_files.results(here / "out" / "A.txt", walkers)
    for table in LINE_ZONES:
        scores = run("results=out", "peers=true", table=table)["A"]
        assert (scores["f1"], scores["gates"]) == (1, {"x0.25 out": [2, 2], "x0.5 out": [2, 2]})
    visits = run("results=out", "peers=true", table="PolygonZone", of="visits")["A"]
    assert visits["f1"] == 1
    assert visits["dwell_error"] < 0.03  # it has no time between frames


def test_a_missing_extra(walkers, here, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    with pytest.raises(PluginError, match=r"pip install 'vidan\[eval\]'"):
        run("tracker=sort")
    assert not (here / "run").exists()


def test_missing_peers(walkers, monkeypatch):
    monkeypatch.setitem(sys.modules, "supervision", None)
    with pytest.raises(PluginError, match=r"pip install 'vidan\[peers\]'"):
        run("peers=true")


def test_an_unknown_image_size(here):
    mot_files.sequence(here / "data", "A")
    (here / "data" / "A" / "seqinfo.ini").unlink()
    with pytest.raises(SourceError, match="size of the images of 'A' is not known: add imWidth"):
        run()


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("gates=vertikal", "gates='vertikal': did you mean 'vertical'"),
        ("tolerance=0", "tolerance=0: expected a number above 0"),
        ("truth_dead_bands=[a]", "truth_dead_bands='a': expected a number"),
        ("truth_dead_bands=[]", "truth_dead_bands=.*: expected at least one number"),
        ("truth_extent=height", "truth_extent='height'"),
        ("analytics.lines.dead_band=2", r"analytics.lines.dead_band: expected `float` <= 1.0"),
        ("analytics.lines.deadband=0.1", "did you mean"),
        ("analytics=[lines]", "analytics: expected lines and zones"),
        ("min_visibility=2", "min_visibility=2: expected a number from 0 to 1"),
        ("seed=-1", "seed=-1"),
        ("analytics.zones.lost_after=-1", "analytics.zones.lost_after"),
        ("results=nowhere", "results='nowhere': there is no such folder"),
        ("sequences=B", "no sequence 'B'"),
    ],
)
def test_invalid_options(walkers, override, message):
    with pytest.raises(ConfigError, match=message):
        run(override)


def test_the_command_line(capsys):
    assert main(["eval", "counting", "--help"]) == 0
    assert "gates: vertical" in capsys.readouterr().out


@needs_data
def test_the_gates_of_mot17_have_their_known_crossings(here):
    chosen = [f"data={DATA / 'mot17'}", "sequences=[MOT17-*-SDP]"]
    scores = run(*chosen, f"results={DATA / 'mot17' / 'reference' / 'sort'}")
    found = {name: (row["true"], row["invisible"]) for name, row in scores.items()}
    assert found["combined"] == (259, 59)
    assert found["MOT17-02-SDP"] == (30, 14)
    assert found["MOT17-05-SDP"] == (86, 18)


@needs_data
def test_visits_survive_a_track_that_is_continued_at_its_place_and_by_its_motion(here):
    chosen = [f"data={DATA / 'mot17'}", "sequences=[MOT17-0*-SDP]", "broken=true", "seed=1"]
    assert run(*chosen, of="visits")["combined"]["f1"] > 0.9
