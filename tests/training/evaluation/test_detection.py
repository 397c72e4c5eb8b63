"""`vidan eval detection` on drawn images, with a detector that recognizes their colors."""

import json
import sys
from pathlib import Path

import cv2
import pytest

pytest.importorskip("faster_coco_eval", reason="needs the extra: pip install vidan[eval]")
pytest.importorskip("matplotlib", reason="needs the extra: pip install vidan[eval]")

from vidan.cli.main import main as cli
from vidan.config.compose import compose
from vidan.errors import ConfigError, PluginError
from vidan_training.evaluation.dataset import load
from vidan_training.evaluation.detection import main

from ..drawn import draw

IMAGES = 6
FAKE = "tests.training.evaluation.fakes"


@pytest.fixture
def drawn(here, register):
    register("detector", "color", f"{FAKE}:ColorDetector")
    register("detector", "no_threshold", f"{FAKE}:DetectorWithoutThreshold")
    register("detector", "threshold_dependent", f"{FAKE}:ThresholdDependentDetector")
    draw(here / "data", IMAGES)
    return here


def run(*overrides, name="color", options=("threshold: null",)):
    """Run the command and return the content of metrics.json."""
    inside = "".join(f",{option.replace(': ', ':')}" for option in options)
    chosen = ["~detector", f"+detector={{name:{name}{inside}}}", "run_dir=out"]
    assert main([*chosen, *overrides]) == 0
    return json.loads(Path("out/metrics.json").read_text())


def color(*options):
    return ("threshold: 0.5", *options)


def test_a_detector_that_finds_everything(drawn, capsys):
    kept = run("data=data", options=color())
    for name in ("clean", "haze_light", "low_light"):
        assert kept["slices"][name]["all labels"]["AP50"] == 1, name
    clean = kept["slices"]["clean"]
    assert clean["disc"]["AR"] == pytest.approx(1, abs=0.3)
    assert clean["at threshold"] == {"threshold": 0.5, "precision": 1, "recall": 1, "F1": 1}
    assert kept["labels"] == ["disc", "square"]  # in the order of the data, not of the detector
    assert kept["confusion"] == [[IMAGES, 0, 0], [0, IMAGES, 0], [0, 0, 0]]
    assert kept["data"] == {"title": "data (all)", "images": IMAGES}
    out = capsys.readouterr().out
    for word in ("haze_dense", "any label", "all labels", "missed", "in out: metrics.json"):
        assert word in out
    for file in ("metrics.png", "worst.png", "config.yaml"):
        assert (drawn / "out" / file).is_file()


def test_metrics_use_the_threshold_of_a_run_and_curves_all_scores(drawn):
    # Squares score 0.3, below the threshold; every image has a false alarm with score 0.9.
    kept = run("data=data", "slices=clean", options=color("square_score: 0.3", "alarm_score: 0.9"))
    clean = kept["slices"]["clean"]
    assert list(kept["slices"]) == ["clean"]
    assert clean["disc"]["AP50"] == 1
    # Squares: 6 false alarms first, then 6 right ones: the best precision is 6 / 12.
    assert clean["square"]["AP50"] == pytest.approx(0.5)
    # 6 discs are right, of 12 detections and of 12 objects.
    assert (clean["at threshold"]["precision"], clean["at threshold"]["recall"]) == (0.5, 0.5)
    assert kept["confusion"] == [[6, 0, 0], [0, 0, 6], [0, 6, 0]]
    assert kept["points"]["disc"]["P 0.9"]["threshold"] == pytest.approx(0.8)
    assert kept["points"]["square"]["P 0.9"] is None
    assert kept["points"]["square"]["best F1"]["threshold"] == pytest.approx(0.3)


def test_wrong_labels_and_loose_boxes_by_group(drawn, capsys):
    draw(drawn / "more", 4)
    kept = run(
        "data=data", "slices=clean", "loose_data=more", r"group_pattern='image[01]?'",
        options=color("swapped: true"),
    )  # fmt: skip
    assert kept["slices"]["clean"]["any label"]["AP50"] == 1
    assert kept["slices"]["clean"]["all labels"]["AP50"] == 0
    tables = kept["confusion on loose boxes"]
    assert list(tables) == ["image", "image0", "image1", "all"]
    assert tables["image"]["counts"] == [[0, 2, 0], [2, 0, 0], [0, 0, 0]]
    assert tables["all"]["fractions"]["disc"] == {"disc": 0, "square": 1}
    assert "100.0 %" in capsys.readouterr().out
    assert cv2.imread("out/loose_worst.png").shape[1] == cv2.imread("out/worst.png").shape[1]


def test_labels_can_be_renamed_and_merged(drawn, caplog):
    kept = run("data=data", "slices=clean", "rename={disc: square}", options=color())
    assert kept["labels"] == ["square"]
    assert kept["slices"]["clean"]["square"]["objects"] == 2 * IMAGES
    assert "left out, not labels of the data: 'disc'" in caplog.text
    kept = run("data=data", "slices=clean", "rename={disc: ball}", options=color())
    assert kept["slices"]["clean"]["ball"]["AP50"] == 0
    assert "cannot be found, not labels of the detector: 'ball'" in caplog.text


def test_parts_of_the_data(drawn):
    (drawn / "few.txt").write_text("image1.png\nimage3\n\n")
    assert names_in_part("few.txt") == ["image1.png", "image3.png"]
    training, validation, every = (
        names_in_part(name) for name in ("training", "validation", "all")
    )
    assert sorted(training + validation) == every == [f"image{n}.png" for n in range(IMAGES)]
    assert len(validation) == round(0.15 * IMAGES)


def names_in_part(name):
    data, _ = load(compose(["data=data", f"split={name}", "run_dir=out"], "eval_detection"))
    return [sample.name for sample in data.samples]


def test_a_detector_without_a_threshold(drawn, caplog):
    kept = run("data=data", "slices=clean", name="no_threshold", options=())
    # Squares score 0.9, discs 0.8, all are right: F1 is 1 at 0.8.
    assert "has no threshold that could be lowered" in caplog.text
    assert "using that of the best F1" in caplog.text
    assert kept["threshold"] == pytest.approx(0.8)


def test_a_detector_that_depends_on_the_threshold_is_reported(drawn, caplog):
    run("data=data", "slices=clean", name="threshold_dependent", options=color())
    assert "with a lower threshold the detector returns other boxes than in a run" in caplog.text


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        (["slices=fog"], "slices='fog'"),
        (["target_precision=2"], "target_precision=2"),
        (["min_score=x"], "min_score='x'"),
        (["worst=-1"], "worst=-1"),
        (["group_pattern='('"], "not a pattern"),
        (["data=nowhere"], "no data in 'nowhere'"),
        (["data=data", "split=validatoin"], "did you mean 'validation'"),
        (["data=data", "rename={dics: x}"], "rename: no label 'dics': did you mean 'disc'"),
        (["data=data", "rename=3"], "rename=3: expected labels"),
        (["data=data", "rename={disc: a, square: b}"], "has no label of the detector"),
        (["data=data", "detektor=x"], "unknown key 'detektor': did you mean 'detector'"),
    ],
)
def test_bad_options_are_errors(drawn, overrides, message):
    with pytest.raises(ConfigError, match=message.replace("(", r"\(")):
        run(*overrides, options=color())


def test_a_part_without_objects_is_an_error(drawn):
    (drawn / "none.txt").write_text("")
    with pytest.raises(ConfigError, match="there is no labeled object in 'data'"):
        run("data=data", "split=none.txt", options=color())


@pytest.mark.parametrize("module", ["faster_coco_eval", "matplotlib"])
def test_a_missing_extra_is_reported_at_once(drawn, monkeypatch, module):
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(PluginError, match=rf"{module} is not installed: pip install 'vidan\[eval"):
        run("data=nowhere", options=color())


def test_help_lists_the_options(capsys):
    assert cli(["eval", "detection", "--help"]) == 0
    out = capsys.readouterr().out
    assert "loose_data: null" in out
    assert cli(["eval"]) == 2
    assert "eval detection" in capsys.readouterr().out
