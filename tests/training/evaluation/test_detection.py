"""`vidan eval detection` on drawn images, by a detector that knows their colors."""

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

PICTURES = 6
FAKE = "tests.training.evaluation.fakes"


@pytest.fixture
def drawn(here, register):
    register("detector", "color", f"{FAKE}:ByColor")
    register("detector", "bare", f"{FAKE}:NoThreshold")
    register("detector", "fickle", f"{FAKE}:Fickle")
    draw(here / "data", PICTURES)
    return here


def run(*overrides, name="color", options=("threshold: null",)):
    """What metrics.json says."""
    inside = "".join(f",{option.replace(': ', ':')}" for option in options)
    chosen = ["~detector", f"+detector={{name:{name}{inside}}}", "run_dir=out"]
    assert main([*chosen, *overrides]) == 0
    return json.loads(Path("out/metrics.json").read_text())


def color(*options):
    return ("threshold: 0.5", *options)


def test_a_detector_that_finds_all(drawn, capsys):
    kept = run("data=data", options=color())
    for name in ("clean", "haze_light", "low_light"):
        assert kept["slices"][name]["all labels"]["AP50"] == 1, name
    clean = kept["slices"]["clean"]
    assert clean["disc"]["AR"] == pytest.approx(1, abs=0.3)
    assert clean["at threshold"] == {"threshold": 0.5, "precision": 1, "recall": 1, "F1": 1}
    assert kept["labels"] == ["disc", "square"]  # the data's, not the detector's order
    assert kept["confusion"] == [[PICTURES, 0, 0], [0, PICTURES, 0], [0, 0, 0]]
    assert kept["data"] == {"title": "data (all)", "pictures": PICTURES}
    out = capsys.readouterr().out
    for word in ("haze_dense", "any label", "all labels", "missed", "in out: metrics.json"):
        assert word in out
    for file in ("metrics.png", "worst.png", "config.yaml"):
        assert (drawn / "out" / file).is_file()


def test_figures_are_of_the_runs_threshold_and_curves_of_all_scores(drawn):
    # Squares score 0.3, under the threshold; a false alarm of 0.9 is in every image.
    kept = run("data=data", "slices=clean", options=color("shy: 0.3", "alarms: 0.9"))
    clean = kept["slices"]["clean"]
    assert list(kept["slices"]) == ["clean"]
    assert clean["disc"]["AP50"] == 1
    # Squares: 6 false alarms first, then 6 right ones: at best precision 6 / 12.
    assert clean["square"]["AP50"] == pytest.approx(0.5)
    # 6 discs right of 12 detections and of 12 objects.
    assert (clean["at threshold"]["precision"], clean["at threshold"]["recall"]) == (0.5, 0.5)
    assert kept["confusion"] == [[6, 0, 0], [0, 0, 6], [0, 6, 0]]
    assert kept["points"]["disc"]["P 0.9"]["threshold"] == pytest.approx(0.8)
    assert kept["points"]["square"]["P 0.9"] is None
    assert kept["points"]["square"]["best F1"]["threshold"] == pytest.approx(0.3)


def test_wrong_labels_and_loose_boxes_by_group(drawn, capsys):
    draw(drawn / "more", 4)
    kept = run(
        "data=data", "slices=clean", "confusions=more", r"group='image[01]?'",
        options=color("swapped: true"),
    )  # fmt: skip
    assert kept["slices"]["clean"]["any label"]["AP50"] == 1
    assert kept["slices"]["clean"]["all labels"]["AP50"] == 0
    tables = kept["confusions on loose boxes"]
    assert list(tables) == ["image", "image0", "image1", "all"]
    assert tables["image"]["counts"] == [[0, 2, 0], [2, 0, 0], [0, 0, 0]]
    assert tables["all"]["shares"]["disc"] == {"disc": 0, "square": 1}
    assert "100.0 %" in capsys.readouterr().out
    assert cv2.imread("out/confusions.png").shape[1] == cv2.imread("out/worst.png").shape[1]


def test_labels_can_be_renamed_and_joined(drawn, caplog):
    kept = run("data=data", "slices=clean", "rename={disc: square}", options=color())
    assert kept["labels"] == ["square"]
    assert kept["slices"]["clean"]["square"]["objects"] == 2 * PICTURES
    assert "left out, not being labels of the data: 'disc'" in caplog.text
    kept = run("data=data", "slices=clean", "rename={disc: ball}", options=color())
    assert kept["slices"]["clean"]["ball"]["AP50"] == 0
    assert "never found, not being labels of the detector: 'ball'" in caplog.text


def test_parts_of_the_data(drawn):
    (drawn / "few.txt").write_text("image1.png\nimage3\n\n")
    assert part("few.txt") == ["image1.png", "image3.png"]
    training, validation, every = (part(name) for name in ("training", "validation", "all"))
    assert sorted(training + validation) == every == [f"image{n}.png" for n in range(PICTURES)]
    assert len(validation) == round(0.15 * PICTURES)


def part(name):
    data, _ = load(compose(["data=data", f"split={name}", "run_dir=out"], "eval_detection"))
    return [sample.name for sample in data.samples]


def test_a_detector_without_a_threshold(drawn, caplog):
    kept = run("data=data", "slices=clean", name="bare", options=())
    # Squares score 0.9, discs 0.8, all are right: with both F1 is 1.
    assert "has no threshold to lower" in caplog.text
    assert "taken is that of the best F1" in caplog.text
    assert kept["threshold"] == pytest.approx(0.8)


def test_a_detector_that_changes_its_mind_is_told_of(drawn, caplog):
    run("data=data", "slices=clean", name="fickle", options=color())
    assert "with a lower threshold the detector gives other boxes than in a run" in caplog.text


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        (["slices=fog"], "slices='fog'"),
        (["precision=2"], "precision=2"),
        (["lowest_score=x"], "lowest_score='x'"),
        (["worst=-1"], "worst=-1"),
        (["group='('"], "not a pattern"),
        (["data=nowhere"], "no data in 'nowhere'"),
        (["data=data", "split=validatoin"], "did you mean 'validation'"),
        (["data=data", "rename={dics: x}"], "rename: no label 'dics': did you mean 'disc'"),
        (["data=data", "rename=3"], "rename=3: expected labels"),
        (["data=data", "rename={disc: a, square: b}"], "has no label of the detector"),
        (["data=data", "detektor=x"], "unknown key 'detektor': did you mean 'detector'"),
    ],
)
def test_bad_options(drawn, overrides, message):
    with pytest.raises(ConfigError, match=message.replace("(", r"\(")):
        run(*overrides, options=color())


def test_an_empty_part(drawn):
    (drawn / "none.txt").write_text("")
    with pytest.raises(ConfigError, match="there is no labeled object in 'data'"):
        run("data=data", "split=none.txt", options=color())


@pytest.mark.parametrize("module", ["faster_coco_eval", "matplotlib"])
def test_a_missing_extra_is_named_at_once(drawn, monkeypatch, module):
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(PluginError, match=rf"{module} is not installed: pip install 'vidan\[eval"):
        run("data=nowhere", options=color())


def test_help(capsys):
    assert cli(["eval", "detection", "--help"]) == 0
    out = capsys.readouterr().out
    assert "confusions: null" in out
    assert cli(["eval"]) == 2
    assert "eval detection" in capsys.readouterr().out
