"""Invalid input of every kind ends with a one-line error and the right exit code."""

import json

import cv2
import numpy as np
import pytest
from onnx import TensorProto, helper

from tests.clips import write_clip, write_sound
from vidan.cli import main as cli

FAST = ["tracker=sort", "sink=[jsonl]", "hydra.run.dir=out"]


@pytest.fixture
def files(here):
    """A working directory with a small video, its detections, and many invalid files."""
    write_clip(here / "good.mp4", 12)
    (here / "det.txt").write_text("".join(f"{n},-1,5,5,20,20,1,-1,-1,-1\n" for n in range(1, 13)))
    (here / "det9.txt").write_text("1,-1,5,5,20,20,1\n2,-1,5,five,20,20,1\n")
    (here / "empty.mp4").touch()
    (here / "text.mp4").write_text("this is not a video\n" * 50)
    whole = (here / "good.mp4").read_bytes()
    (here / "cut.mp4").write_bytes(whole[: len(whole) // 3])
    write_sound(here / "sound.wav")
    (here / "folder").mkdir()
    (here / "folder/notes.txt").write_text("no images here")
    (here / "no.onnx").write_bytes(b"not a model")
    (here / "labels.txt").write_text("one\ntwo\nthree\nfour\nfive\nsix\nseven\n")
    graph = helper.make_graph(
        [helper.make_node("Identity", ["x"], ["y"])],
        "other",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 7])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, [1, 7])],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    (here / "other.onnx").write_bytes(model.SerializeToString())
    np.save(here / "features.npy", np.zeros((3, 2)))
    return here


def run(capsys, *arguments):
    code = cli.main([*FAST, *arguments])
    return code, [line for line in capsys.readouterr().err.splitlines() if "error" in line]


MOT = ["detector=mot", "detector.path=det.txt"]
GOOD = ["source=file", "source.path=good.mp4"]


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["source=file", "source.path=nowhere.mp4", *MOT], 1, ["nowhere.mp4"]),
        (["source=file", "source.path=empty.mp4", *MOT], 1, ["empty.mp4"]),
        (["source=file", "source.path=text.mp4", *MOT], 1, ["text.mp4"]),
        (["source=file", "source.path=cut.mp4", *MOT], 1, ["cut.mp4"]),
        (["source=file", "source.path=sound.wav", *MOT], 1, ["sound.wav", "no video"]),
        (["source=file", "source.path=folder", *MOT], 1, ["folder"]),
        (["source=images", "source.path=folder", *MOT], 1, ["folder"]),
        (["source=webcam", "source.device=/dev/video99", *MOT], 1, ["/dev/video99"]),
        ([*GOOD, "detector=onnx", "detector.model=nowhere.onnx"], 1, ["nowhere.onnx"]),
        ([*GOOD, "detector=onnx", "detector.model=no.onnx"], 1, ["no.onnx"]),
        ([*GOOD, "detector=onnx", "detector.model=other.onnx"], 1, ["other.onnx", "x", "y"]),
        (
            [*GOOD, *MOT, "detector.label=vehicle", "images=blur"],
            2,
            ["images=blur", "no people or faces, but vehicle"],
        ),
        ([*GOOD, "detector=onnx", "detector.labels=labels.txt"], 1, ["7 labels", "3 classes"]),
        ([*GOOD, "detector=onnx", "detector.classes=[with_maks]"], 2, ["with_mask"]),
        ([*GOOD, *MOT, "detector.rename={car: x}"], 2, ["detector.rename", "'car'", "are person"]),
        ([*GOOD, *MOT, "detector.rename=car"], 2, ["detector.rename", "mapping", "'car'"]),
        ([*GOOD, "detector.rename={maks: x}"], 2, ["detector.rename", "'maks'", "with_mask"]),
        ([*GOOD, "detector=mot", "detector.path=det9.txt"], 1, ["det9.txt", "2"]),
        ([*GOOD, "detector=mot", "detector.path=nowhere.txt"], 1, ["nowhere.txt"]),
        ([*GOOD, "detector=mot", "detector.features=features.npy"], 2, ["features.npy"]),
        ([*GOOD, *MOT, "tracker=deepsrt"], 2, ["deepsrt", "deepsort"]),
        ([*GOOD, *MOT, "trakcer=sort"], 2, ["trakcer", "tracker"]),
        ([*GOOD, *MOT, "tracker.max_agee=3"], 2, ["max_agee", "max_age"]),
        ([*GOOD, *MOT, "tracker.max_age=-3"], 2, ["max_age", "-3"]),
        ([*GOOD, *MOT, "tracker.max_age=long"], 2, ["tracker.max_age", "long"]),
        ([*GOOD, *MOT, "on_sink_error=go_on"], 2, ["on_sink_error='go_on'", "continue, stop"]),
        ([*GOOD, *MOT, "source=5"], 2, ["5"]),
        ([*GOOD, *MOT, "~pipeline.buffer"], 2, ["pipeline.buffer"]),
        ([*GOOD, *MOT, "+tracker.5=3"], 2, ["tracker 'sort' has no key"]),
        ([*GOOD, *MOT, "sink=[video]", "sink.video.segment=soon"], 2, ["segment='soon'", "min"]),
        ([*GOOD, *MOT, "max_frames=many"], 2, ["max_frames", "many"]),
        ([*GOOD, *MOT, "sink.jsonl.path=good.mp4/out.jsonl"], 1, ["good.mp4/out.jsonl"]),
        ([*GOOD, *MOT, "sink.jsonl.path=/dev/full"], 1, ["sink.jsonl", "/dev/full", "No space"]),
    ],
    ids=lambda value: "-".join(value)[:60] if isinstance(value, list) else str(value),
)
def test_one_line_and_exit_code(files, capsys, arguments, code, words):
    found, lines = run(capsys, *arguments)
    assert found == code
    assert len(lines) == 1
    assert lines[0].startswith("vidan: error: ")
    for word in words:
        assert word in lines[0]


def test_people_are_pixelated_under_any_name(files, capsys):
    renamed = ["images=blur", "detector.rename={person: staff}", "sink=[jsonl,mot]"]
    assert run(capsys, *GOOD, *MOT, *renamed) == (0, [])
    assert '"staff"' in (files / "out/results.jsonl").read_text()


def test_valid_input(files, capsys):
    assert run(capsys, *GOOD, *MOT) == (0, [])
    assert len((files / "out/results.jsonl").read_text().splitlines()) == 12


def test_other_sinks_continue_when_the_disk_is_full_if_set(files, capsys):
    full = ["sink=[jsonl,mot]", "sink.jsonl.path=/dev/full"]
    code, lines = run(capsys, *GOOD, *MOT, *full, "on_sink_error=continue")
    assert (code, len(lines)) == (1, 1)
    assert "sink.jsonl at frame 0: cannot write '/dev/full': No space left" in lines[0]
    frames = {line.split(",")[0] for line in (files / "out/tracks.txt").read_text().splitlines()}
    assert "12" in frames
    summary = json.loads((files / "out/summary.json").read_text())
    assert len(summary["failures"]) == 1
    assert "/dev/full" in summary["failures"][0]
    assert summary["frames"] == 12


def test_a_broken_image_among_others_is_named_skipped_and_counted(files, capsys):
    for n in range(4):
        cv2.imwrite(str(files / f"folder/{n}.png"), np.full((48, 64, 3), n, np.uint8))
    (files / "folder/2.png").write_bytes(b"broken")
    assert cli.main(["source=images", "source.path=folder", *MOT, *FAST]) == 0
    captured = capsys.readouterr()
    assert "2.png" in captured.err
    assert "1 skipped" in captured.out
    lines = (files / "out/results.jsonl").read_text().splitlines()
    assert [json.loads(line)["image"] for line in lines] == ["0.png", "1.png", "3.png"]
    assert [json.loads(line)["frame"] for line in lines] == [0, 1, 3]


LINE = "from:[0.5,0.2],to:[0.5,0.8]"
ON_ONE_LINE = "points:[[0,0],[0.5,0.5],[1,1],[0.2,0.2]],meters:[[0,0],[1,0],[1,1],[0,1]]"


@pytest.mark.parametrize(
    ("scene", "words"),
    [
        (["scene.lnes.door={}"], ["unknown key 'lnes'", "'lines'"]),
        ([f"scene.lines.door={{{LINE},lables:[person]}}"], ["lines.door", "'lables'", "'labels'"]),
        (["scene.lines.door={from:[0.5,0.5],to:[0.5,0.5]}"], ["lines.door", "no length"]),
        (["scene.lines.door={from:[0.5,0.5],to:[0.5,1.5]}"], ["lines.door", "outside the image"]),
        (["scene.lines.door={from:[0,5],to:[0,5000]}"], ["[0.0, 5000.0]", "outside the image of"]),
        ([f"scene.lines.door={{{LINE},labels:[preson]}}"], ["no label 'preson'", "person"]),
        (
            ["scene.zones.till.polygon=[[0,0],[1,1],[1,0],[0,1]]"],
            ["zones.till", "intersects itself"],
        ),
        (["scene.zones.till.polygon=[[0,0],[0.5,0.5],[1,1]]"], ["zones.till", "on one line"]),
        ([f"scene.ground={{{ON_ONE_LINE}}}"], ["ground.points", "three of them are on one line"]),
        (["scene=nowhere.yaml"], ["nowhere.yaml", "No such file"]),
        (["scene=two.yaml"], ["two.yaml", "door", "line 3"]),
    ],
    ids=lambda value: "-".join(value)[:60] if isinstance(value, list) else None,
)
@pytest.mark.parametrize("analytics", ["[lines]", "[zones]", "[presence,scene]"])
def test_scenes_are_checked_before_the_run_starts(files, capsys, scene, words, analytics):
    (files / "two.yaml").write_text("lines:\n  door: {from: [0, 0], to: [1, 1]}\n  door: {}\n")
    code, lines = run(capsys, *GOOD, *MOT, f"analytics={analytics}", *scene)
    assert code == 2
    assert len(lines) == 1, lines
    assert lines[0].startswith("vidan: error: ")
    assert all(word in lines[0] for word in words), lines[0]
    assert "analytics.lines.scene" not in lines[0]
    assert not (files / "out/results.jsonl").exists()


def test_another_aspect_ratio_is_one_warning(files, capsys):
    scene = [f"scene.lines.door={{{LINE}}}", "scene.size=[100,900]"]
    assert cli.main([*FAST, *GOOD, *MOT, *scene, "analytics=[presence,scene]"]) == 0
    assert capsys.readouterr().err.count("another aspect ratio") == 1


def test_counts_of_another_scene_are_kept_and_named_in_one_line(files, capsys):
    counts = ["counts.path=counts.json", "counts.reset=never"]
    for position in ("0.4", "0.6"):
        line = f"scene.lines.door={{from:[{position},0.2],to:[{position},0.8]}}"
        assert cli.main([*FAST, *GOOD, *MOT, *counts, line]) == 0
    shown = [line for line in capsys.readouterr().err.splitlines() if "counts.json" in line]
    assert len(shown) == 1
    assert "are from another scene, or other analyzers: kept as counts.json.kept" in shown[0]
    assert (files / "counts.json.kept").exists()
