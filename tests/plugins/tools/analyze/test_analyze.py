"""`vidan analyze`, on tracks that are written here and on those of a run."""

import json

import pytest

from vidan.cli.main import main

SCENE = "lines:\n  door: {from: [0.5, 0.0], to: [0.5, 1.0]}\n"
SIZE = "size=[640,360]"


def row(frame, track=1, left=0.0, *rest):
    """A box of 20 x 60 px; `rest` are the columns from the score on."""
    return ",".join(str(value) for value in (frame, track, left, 100, 20, 60, *(rest or (1,))))


def walk(frames, track=1, start=200, step=10, *rest):
    """From left to right: it crosses the middle of 640 px in frame 12."""
    return [row(n + 1, track, start + step * n, *rest) for n in range(frames)]


@pytest.fixture
def folder(here):
    (here / "scene.yaml").write_text(SCENE)
    (here / "tracks.txt").write_text("\n".join(walk(30)))
    return here


def analyze(*arguments):
    """Crossings and measures in the folder `out`."""
    assert main(["analyze", "scene=scene.yaml", "run_dir=out", *arguments]) == 0


def events(folder, kind="line.crossed"):
    lines = (folder / "events.jsonl").read_text().splitlines()
    return [event for event in map(json.loads, lines) if event["kind"] == kind]


def error(capsys, *arguments):
    """The only line of an error."""
    code = main(["analyze", "run_dir=out", *arguments])
    lines = capsys.readouterr().err.splitlines()
    assert code in (1, 2)
    assert len(lines) == 1, lines
    assert lines[0].startswith("vidan: error: ")
    return lines[0]


def test_a_crossing_is_an_event_a_measure_and_a_row_of_the_table(folder, capsys):
    analyze("tracks=tracks.txt", SIZE)
    (crossed,) = events(folder / "out")
    assert list(crossed)[:6] == ["id", "kind", "phase", "stream", "rule", "time"]
    assert (crossed["stream"], crossed["rule"], crossed["label"]) == ("tracks", "door", "person")
    assert crossed["data"]["direction"] == "out"  # upward, right is to the left of the walk
    assert crossed["time"] == pytest.approx(11 / 30, abs=1e-6)
    measures = json.loads((folder / "out/measures.json").read_text())
    labels = {"line": "door", "direction": "out", "label": "person"}
    assert {"name": "line_crossings_total", "labels": labels, "value": 1.0} in measures
    rows = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert ["door", "0", "1"] in rows


def test_both_spellings_are_the_same_command(folder, capsys):
    assert main(["analyse", "tracks=tracks.txt", "scene=scene.yaml", SIZE, "run_dir=s"]) == 0
    analyze("tracks=tracks.txt", SIZE)
    assert (folder / "s/events.jsonl").read_bytes() == (folder / "out/events.jsonl").read_bytes()
    main(["--help"])
    assert capsys.readouterr().out.count("analyse") == 1


def test_objects_appear_and_leave_without_any_chosen_analyzer(folder):
    analyze("tracks=tracks.txt", SIZE, "analytics=[lines]", "frames=90")
    (left,) = events(folder / "out", "object.left")
    assert left["time"] == pytest.approx(29 / 30, abs=1e-6)
    assert left["data"]["delay"] > 1  # in a frame without tracks


@pytest.mark.parametrize(("rate", "seconds"), [("rate=10", 1.1), ("rate=30", 11 / 30)])
def test_the_rate_gives_the_times(folder, rate, seconds):
    analyze("tracks=tracks.txt", SIZE, rate)
    assert events(folder / "out")[0]["time"] == pytest.approx(seconds, abs=1e-6)


def test_a_folder_of_sequences_has_a_folder_of_outputs_for_each(folder):
    truth = folder / "data/A/gt"
    truth.mkdir(parents=True)
    ignored = walk(30, 2, 200, 10, 0, 8, 1)  # a flag of 0: it does not count
    (truth / "gt.txt").write_text("\n".join([*walk(30, 1, 200, 10, 1, 1, 0.5), *ignored]))
    seqinfo = "[Sequence]\nframeRate=10\nseqLength=60\nimWidth=640\nimHeight=360\n"
    (folder / "data/A/seqinfo.ini").write_text(seqinfo)
    (folder / "data/B.txt").write_text("\n".join(walk(8)))
    analyze("tracks=data", SIZE)
    (crossed,) = events(folder / "out/A")
    assert (crossed["stream"], crossed["time"]) == ("A", pytest.approx(1.1))
    (left,) = events(folder / "out/A", "object.left")
    assert "delay" in left["data"]  # frames up to the length of the sequence have been seen
    assert events(folder / "out/B") == []
    assert (folder / "out/B/measures.json").exists()


def test_labels_by_class_leave_out_the_others(folder):
    rows = [*walk(30, 1, 200, 10, 1, 1, 1), *walk(30, 2, 200, 10, 1, 3, 1)]
    rows += walk(30, 3, 200, 10, 1, 9, 1)
    (folder / "tracks.txt").write_text("\n".join(rows))
    analyze("tracks=tracks.txt", SIZE, "label={1:person,3:car}")
    assert sorted(event["label"] for event in events(folder / "out")) == ["car", "person"]
    analyze("tracks=tracks.txt", SIZE, "label=bike")
    assert [event["label"] for event in events(folder / "out")] == ["bike"] * 3


def test_a_scene_in_px_needs_no_size(folder):
    (folder / "px.yaml").write_text("lines: {door: {from: [320, 0], to: [320, 300]}}")
    assert main(["analyze", "tracks=tracks.txt", "scene=px.yaml", "run_dir=out"]) == 0
    assert len(events(folder / "out")) == 1


def test_no_tracks_are_no_events(folder):
    (folder / "tracks.txt").write_text("")
    analyze("tracks=tracks.txt", SIZE, "frames=30")
    assert events(folder / "out", "object.appeared") == []


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        ([row(1), "2,1,5,5,20"], ["tracks.txt:2", "is not a track", "frame,id,left"]),
        ([row(1), "frame,id,x,y,w,h"], ["tracks.txt:2", "is not a track"]),
        ([row(1), row(0)], ["tracks.txt:2", "is not a track"]),
        ([row(1), row(2, 0)], ["tracks.txt:2", "track id of at least 1"]),
        ([row(1, -1)], ["tracks.txt:1", "track id of at least 1"]),
        ([row(5), row(7), "", row(6)], ["tracks.txt:4", "frames of a track in order"]),
        ([row(5), row(5)], ["track 1 has two boxes in frame 5"]),
    ],
)
def test_invalid_rows_are_named_by_their_line(folder, capsys, rows, words):
    (folder / "tracks.txt").write_text("\n".join(rows))
    line = error(capsys, "tracks=tracks.txt", "scene=scene.yaml", SIZE)
    assert all(word in line for word in words), line
    assert not (folder / "out/events.jsonl").exists()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["scene=scene.yaml", SIZE], ["tracks is missing", "set tracks="]),
        (["tracks=none.txt", "scene=scene.yaml", SIZE], ["none.txt", "no such file"]),
        (["tracks=empty", "scene=scene.yaml", SIZE], ["'empty'", "<seq>/gt/gt.txt"]),
        (["tracks=tracks.txt", SIZE], ["no lines or zones", "set scene="]),
        (["tracks=tracks.txt", "scene=none.yaml"], ["none.yaml", "No such file"]),
        (["tracks=tracks.txt", "scene=scene.yaml"], ["size is missing", "set size="]),
        (["tracks=tracks.txt", "scene=scene.yaml", "size=640"], ["size=640", "[width,height]"]),
        (["tracks=tracks.txt", "scene=scene.yaml", "size=[640,0]"], ["size=0"]),
        (["tracks=tracks.txt", "scene=scene.yaml", SIZE, "rate=0"], ["rate=0", "above 0"]),
        (["tracks=tracks.txt", "scene=scene.yaml", SIZE, "frames=0"], ["frames=0"]),
        (["tracks=tracks.txt", "scene=scene.yaml", SIZE, "label={one:person}"], ["{1:person}"]),
        (["tracks=tracks.txt", "scene=scene.yaml", SIZE, "label={2:car}"], ["no row", "-1"]),
        (["tracks=tracks.txt", "scene=scene.yaml", SIZE, "rte=9"], ["'rte'", "'rate'"]),
        (
            ["tracks=tracks.txt", "scene=scene.yaml", SIZE, "scene.lines.door.labels=[preson]"],
            ["preson", "did you mean 'person'"],
        ),
    ],
    ids=lambda value: "-".join(value)[:60] if isinstance(value, list) else None,
)
def test_invalid_options_are_one_line(folder, capsys, arguments, words):
    (folder / "empty").mkdir()
    line = error(capsys, *arguments)
    assert all(word in line for word in words), line
    assert not (folder / "out/events.jsonl").exists()


def test_the_events_are_those_of_the_run_that_wrote_the_tracks(folder):
    labels = "label={1:with_mask,2:without_mask,3:mask_weared_incorrect}"
    live = ["source=synthetic", "source.frames=90", "source.width=640", "source.height=360"]
    live += ["source.speed=3", "scene=scene.yaml", "analytics=[lines]", "hydra.run.dir=live"]
    assert main([*live, "sink=[mot,events]", "sink.mot.classes=true"]) == 0
    analyze("tracks=live/tracks.txt", SIZE, labels, "frames=90")
    expected = (folder / "live/events.jsonl").read_text().replace("synthetic", "tracks")
    assert (folder / "out/events.jsonl").read_text() == expected
    assert '"line.crossed"' in expected
