from dataclasses import replace

import pytest

pytest.importorskip("tensorflow", reason="needs the extra: pip install vidan[train]")

from vidan.errors import ConfigError
from vidan_training import recipe
from vidan_training.data.loading import read_recipe_data
from vidan_training.fit import train
from vidan_training.model.efficientdet import ARCHITECTURES
from vidan_training.weights.npz import read_spec, shipped_weights


@pytest.mark.parametrize("name", list(recipe.recipes()))
def test_every_recipe_is_complete(name):
    config = recipe.load_recipe([f"recipe={name}"])
    assert config.model in ARCHITECTURES
    assert recipe.anchor_shapes(config).per_location > 0
    recipe.augmentation(config)


def test_overrides_change_the_recipe():
    config = recipe.load_recipe(
        [
            "epochs=3",
            "optimizer.learning_rate=1e-4",
            "anchors.ratios=[1,2]",
            "augmentation.scale=[1,1.5]",
        ]
    )
    assert (config.epochs, config.optimizer.learning_rate) == (3, 1e-4)
    assert recipe.anchor_shapes(config).ratios == (1.0, 2.0)
    assert recipe.augmentation(config).scale == (1, 1.5)


def test_open_anchors_are_those_of_the_initial_weights():
    shapes = recipe.anchor_shapes(recipe.load_recipe(["recipe=lite0"]))
    assert shapes == read_spec(shipped_weights()).anchors
    changed = recipe.anchor_shapes(recipe.load_recipe(["recipe=lite0", "anchors.ratios=[0.5,2]"]))
    assert changed == replace(shapes, ratios=(0.5, 2.0))


@pytest.mark.parametrize("weights", ["null", "imagenet", "gone.npz", "gone.tflite"])
def test_open_anchors_without_a_model_fit_any_shape(weights):
    config = recipe.load_recipe(["recipe=lite0", f"weights={weights}"])
    assert recipe.anchor_shapes(config) == recipe.DEFAULT_ANCHORS


@pytest.mark.parametrize("value", ["{face:2,mask:1.5}", "{face: 2, mask: 1.5}"])
@pytest.mark.parametrize("name", ["lite0", "facemask_lite0"])
def test_weights_of_classes_can_be_given_for_any_labels(name, value):
    config = recipe.load_recipe([f"recipe={name}", f"loss.class_weights={value}"])
    assert config.loss.class_weights == {"face": 2, "mask": 1.5}


def test_the_data_folder_comes_from_the_environment(monkeypatch):
    monkeypatch.setenv("VIDAN_DATA", "/somewhere")
    assert recipe.load_recipe(["recipe=facemask_lite0"]).data == "/somewhere/facemask"
    monkeypatch.delenv("VIDAN_DATA")
    assert recipe.load_recipe(["recipe=facemask_lite0"]).data == "../shared/data/facemask"


@pytest.mark.parametrize("content", [b"model: gr\xf6\xdfe", b"model: [", b"model: ${oc.env"])
def test_a_file_that_is_no_recipe_is_one_line(tmp_path, content):
    path = tmp_path / "mine.yaml"
    path.write_bytes(content)
    with pytest.raises(ConfigError, match=r"cannot read recipe .*mine\.yaml") as error:
        recipe.load_recipe([f"recipe={path}"])
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("argument", "message"),
    [
        ("epoch=3", "unknown key 'epoch'; did you mean 'epochs'"),
        (
            "optimizer.learning_rat=3",
            "unknown key 'optimizer.learning_rat'; did you mean 'learning_rate'",
        ),
        ("epochs", "argument 'epochs' is not key=value"),
        ("recipe=facemask_lite", "unknown recipe 'facemask_lite'; did you mean 'facemask_lite0'"),
    ],
)
def test_wrong_arguments_are_errors(argument, message):
    with pytest.raises(ConfigError, match=message):
        recipe.load_recipe([argument])


def test_missing_data_is_an_error(tmp_path):
    with pytest.raises(ConfigError, match="set VIDAN_DATA"):
        read_recipe_data(recipe.load_recipe([f"data={tmp_path / 'none'}"]))


def test_factors_by_label_become_factors_by_class():
    assert recipe.factors_by_class(("a", "b"), {"b": 2}) == [1.0, 2.0]
    with pytest.raises(ConfigError, match="unknown label 'c'"):
        recipe.factors_by_class(("a", "b"), {"c": 2})


def test_help_lists_the_recipes(capsys):
    with pytest.raises(SystemExit) as end:
        train.main(["--help"])
    assert end.value.code == 0
    assert "facemask_lite0" in capsys.readouterr().out
