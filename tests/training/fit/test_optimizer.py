import pytest

pytest.importorskip("tensorflow", reason="needs the extra: pip install vidan[train]")

import keras
import numpy as np

from vidan.errors import ConfigError
from vidan_training import recipe
from vidan_training.fit.optimizer import StepSchedule, make_optimizer, make_schedule, swap_average


def rates(schedule, steps):
    return [float(schedule(step)) for step in steps]


def options(*changes):
    return recipe.load_recipe(["recipe=lite0", *changes])


def test_the_default_is_a_cosine_to_a_hundredth():
    # 1000 steps, 50 of them warm-up to 0.001; midway after the warm-up it is the mean of both ends.
    schedule = make_schedule(options().optimizer, 1000)
    assert rates(schedule, [0, 25, 50, 525, 1000]) == pytest.approx(
        [0, 0.0005, 0.001, 0.000505, 0.00001], rel=1e-3
    )


def test_a_cosine_of_the_object_detection_api():
    # Base 0.08 and warm-up from 0.001: midway through the warm-up 0.0405, at the end 0.
    changes = ["optimizer.learning_rate=0.08", "optimizer.warmup_learning_rate=0.001",
               "optimizer.final_ratio=0", "optimizer.warmup=0.1"]  # fmt: skip
    schedule = make_schedule(options(*changes).optimizer, 1000)
    assert rates(schedule, [0, 50, 100, 550, 1000]) == pytest.approx([0.001, 0.0405, 0.08, 0.04, 0])


def test_a_step_schedule_with_warmup():
    schedule = StepSchedule(1.0, [[30, 0.01], [20, 0.1]], warmup=10, warmup_learning_rate=0.5)
    assert rates(schedule, [0, 5, 10, 19, 20, 29, 30, 99]) == pytest.approx(
        [0.5, 0.75, 1.0, 1.0, 0.1, 0.1, 0.01, 0.01]
    )


@pytest.mark.parametrize("name", ["sgd", "adamw"])
def test_pretrained_layers_learn_more_slowly(name):
    changes = [f"optimizer.name={name}", "optimizer.backbone_factor=0.1",
               "optimizer.weight_decay=0",
               "optimizer.warmup=0", "optimizer.schedule=steps", "optimizer.learning_rate=0.5",
               "optimizer.clip_norm=null", "optimizer.ema=0"]  # fmt: skip
    optimizer = make_optimizer(options(*changes), 10)
    variables = [keras.Variable(np.ones(2), name="kernel") for _ in range(2)]
    for variable, layer in zip(variables, ("block1a_dwconv", "class_conv0"), strict=True):
        variable._path = f"{layer}/kernel"
    optimizer.apply([keras.ops.ones(2), keras.ops.ones(2)], variables)
    # With a gradient of 1 and a learning rate of 0.5, both optimizers make a step of 0.5.
    assert [float(v[0]) for v in variables] == pytest.approx([0.95, 0.5], abs=1e-3)


def test_weights_and_average_are_swapped_and_restored():
    inputs = keras.Input((1,))
    model = keras.Model(inputs, keras.layers.Dense(1, use_bias=False)(inputs))
    model.compile(make_optimizer(options("optimizer.ema=0.5"), 10), "mse")
    model.optimizer.build(model.trainable_variables)
    model.trainable_variables[0].assign([[2.0]])
    model.optimizer._model_variables_moving_average[0].assign([[6.0]])
    swap_average(model)
    assert float(model.trainable_variables[0][0, 0]) == 6
    swap_average(model)
    assert float(model.trainable_variables[0][0, 0]) == 2


@pytest.mark.parametrize(
    ("change", "message"),
    [("name=sdg", "did you mean 'sgd'"), ("schedule=cosin", "did you mean 'cosine'")],
)
def test_unknown_names_are_errors(change, message):
    with pytest.raises(ConfigError, match=message):
        make_optimizer(options(f"optimizer.{change}"), 10)
