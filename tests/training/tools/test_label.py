"""`vidan data label` with the included model, which finds nothing in drawn images."""

import pytest

from vidan.errors import ConfigError, SinkError
from vidan_training.data import formats
from vidan_training.tools.label import main

from ..drawn import draw

STRICT = ("min_score=0.9", "crowd_score=0.9")


@pytest.fixture
def drawn(tmp_path):
    return draw(tmp_path / "drawn", 3)


def test_images_of_a_source(drawn, tmp_path, capsys):
    to = tmp_path / "labeled"
    given = [f"source.path={drawn / 'images'}", f"to={to}", "every=2", *STRICT]
    rename = "rename={without_mask:face,with_mask:face,mask_weared_incorrect:null}"
    assert main([*given, rename, "detectors=[{threshold: 0.2}]"]) == 0
    assert "2 images, no boxes, 0 crowds" in " ".join(capsys.readouterr().out.split())
    data = formats.read(to)
    assert data.labels == ("face",)
    assert [image.name for image in data.images] == ["image0.jpg", "image2.jpg"]
    with pytest.raises(SinkError, match="already exists"):
        main(given)


def test_labeled_images_keep_their_boxes(drawn, tmp_path):
    given = [f"from={drawn}", f"to={tmp_path / 'complete'}", "complete=[with_mask]"]
    assert main(given) == 0
    before, after = formats.read(drawn), formats.read(tmp_path / "complete")
    assert after.labels[: len(before.labels)] == before.labels
    assert [image.labels for image in after.images] == [image.labels for image in before.images]
    assert (after.images[0].boxes - before.images[0].boxes).max() < 0.001


def test_boxes_of_labels_that_are_not_selected_are_left_out(drawn, tmp_path):
    labels = formats.read(drawn).labels
    given = [f"from={drawn}", f"to={tmp_path / 'one'}", f"labels=[{labels[1]}]", *STRICT]
    assert main(given) == 0
    assert {name for image in formats.read(tmp_path / "one").images for name in image.labels} == {
        labels[1]
    }


@pytest.mark.parametrize(
    ("argument", "message"),
    [
        ("rename={car: vehicle}", "no detector has the label 'car'"),
        ("rename=car", "rename='car': expected labels"),
        ("crowd_labels=[with_maks]", "did you mean 'with_mask'"),
        ("labels=[person]", "no detector has the label 'person'"),
        ("complete=[person]", "no detector has the label 'person'"),
        ("crowd_score=0.6", "crowd_score=0.6: expected at most min_score=0.5"),
        ("min_score=2", "min_score=2: expected"),
        ("every=0", "every=0: expected"),
        ("detectors=other.onnx", "detectors='other.onnx': expected a list"),
        ("detectors=[{mode: a.onnx}]", "mode"),
    ],
)
def test_bad_options(drawn, tmp_path, argument, message):
    with pytest.raises(ConfigError, match=message):
        main([f"source.path={drawn / 'images'}", f"to={tmp_path / 'labeled'}", argument])
    assert not (tmp_path / "labeled").exists()


@pytest.mark.parametrize(("given", "missing"), [("to=x", "source.path"), ("from=x", "to")])
def test_missing_options(given, missing):
    with pytest.raises(ConfigError, match=f"missing {missing}: set {missing}="):
        main([given])


def test_help_lists_the_options(capsys):
    assert main(["--help"]) == 0
    assert "crowd_score: 0.35" in capsys.readouterr().out
