import pytest

pytest.importorskip("tensorflow", reason="needs the extra: pip install vidan[train]")

from tests.real import DATA, needs_data
from vidan.errors import ConfigError
from vidan_training import recipe
from vidan_training.tfod.pipeline_config import read_output_layout, read_pipeline

HEAD = """model { ssd { num_classes: 2
  image_resizer { %s }
  feature_extractor { type: "ssd_efficientnet-b1_bifpn_keras" } } }
"""
SQUARE = "keep_aspect_ratio_resizer { min_dimension: 640 max_dimension: 640 }"


def written(tmp_path, text, resizer=SQUARE):
    file = tmp_path / "pipeline.config"
    file.write_text(HEAD % resizer + text)
    return file


@needs_data
def test_a_real_file_becomes_a_recipe():
    values = read_pipeline(DATA / "tfod/pipeline.config").values
    assert values["model"] == "d0"
    assert values["classes"] == 3
    assert values["size"] == [512, 512]
    assert values["crop"] == 512
    assert values["anchors"] == {"scale": 4.0, "octaves": 3, "ratios": [1.0, 2.0, 0.5]}
    assert values["matching"] == {"positive": 0.5, "negative": 0.5, "min_anchors": 1}
    assert values["loss"] == {
        "box": "huber", "delta": 1.0, "box_weight": 1.0, "alpha": 0.25, "gamma": 1.5,
        "class_weights": {},
    }  # fmt: skip
    assert values["optimizer"] == {
        "name": "sgd", "momentum": 0.9, "schedule": "cosine", "learning_rate": 0.08,
        "warmup_learning_rate": 0.001, "warmup": 2500 / 300000, "final_ratio": 0.0, "drops": [],
        "weight_decay": 4e-05, "clip_norm": None, "ema": 0.0, "backbone_factor": 1.0,
    }  # fmt: skip
    assert (values["batch"], values["steps"]) == (16, 300000)
    assert values["fine_tune_checkpoint_type"] == "detection"
    assert values["weights"].endswith("efficientdet_d0_coco17_tpu-32/checkpoint/ckpt-0")
    assert values["data"].endswith("annotations/train.record")
    assert values["validation"].endswith("annotations/test.record")
    assert values["label_map"].endswith("annotations/label_map.pbtxt")
    on = {name: value for name, value in values["augmentation"].items() if value}
    assert on == {"flip": 0.5, "scale": [0.1, 2.0]}


@needs_data
def test_no_field_of_a_real_file_is_ignored_silently():
    file = DATA / "tfod/pipeline.config"
    notes = read_pipeline(file).notes
    assert all(note.startswith("line ") for note in notes)
    lines = [int(note.split()[1].rstrip(":")) for note in notes]
    assert lines == sorted(lines)
    text = file.read_text().splitlines()
    # Each note has the number of the line that contains its field.
    for line, note in zip(lines, notes, strict=True):
        assert note.split(": ")[1].split("=")[0].rpartition(".")[2] in text[line - 1]
    assert not [note for note in notes if "unknown to vidan" in note]
    assert [n for n in notes if "batch_norm.decay='0.99'" in n and "not honored" in n]
    assert [n for n in notes if "pad_to_max_dimension='true': honored, with black" in n]


def test_unknown_fields_are_listed(tmp_path):
    file = written(tmp_path, "train_config { batch_size: 4\n  color_of_hat: 7\n  hat { size: 3 } }")
    notes = read_pipeline(file).notes
    assert "line 5: train_config.color_of_hat='7': not honored: unknown to vidan" in notes
    assert "line 6: train_config.hat.size='3': not honored: unknown to vidan" in notes
    assert not [note for note in notes if "batch_size" in note]


@pytest.mark.parametrize(
    ("resizer", "size", "noted"),
    [
        (SQUARE, [640, 640], False),
        ("keep_aspect_ratio_resizer { min_dimension: 600 max_dimension: 1024 }",
         [1024, 1024], True),
        ("fixed_shape_resizer { height: 300 width: 500 }", [384, 512], True),  # multiples of 128
    ],
)  # fmt: skip
def test_input_sizes(tmp_path, resizer, size, noted):
    pipeline = read_pipeline(written(tmp_path, "", resizer))
    assert pipeline.values["size"] == size
    assert any("dimension" in n or "becomes" in n for n in pipeline.notes) == noted


def schedule(tmp_path, text, optimizer="adam_optimizer"):
    text = f"train_config {{ optimizer {{ {optimizer} {{ learning_rate {{ {text} }} }} }} }}"
    return read_pipeline(written(tmp_path, text)).values["optimizer"]


def test_learning_rate_schedules(tmp_path):
    found = schedule(tmp_path, "constant_learning_rate { learning_rate: 0.01 }")
    assert (found["name"], found["schedule"], found["learning_rate"]) == ("adamw", "steps", 0.01)
    found = schedule(
        tmp_path,
        "manual_step_learning_rate { initial_learning_rate: 0.1 "
        "schedule { step: 90 learning_rate: 0.01 } schedule { step: 120 learning_rate: 0.001 } }",
    )
    assert (found["learning_rate"], found["drops"]) == (0.1, [[90, 0.01], [120, 0.001]])
    found = schedule(
        tmp_path,
        "exponential_decay_learning_rate { initial_learning_rate: 1 decay_steps: 10 "
        "decay_factor: 0.5 }",
    )
    assert found["drops"][:3] == [[10, 0.5], [20, 0.25], [30, 0.125]]


def test_augmentations_are_converted_or_listed(tmp_path):
    steps = "".join(
        f"data_augmentation_options {{ {name} {{ {options} }} }}\n"
        for name, options in [
            ("random_horizontal_flip", "probability: 0.3"),
            ("random_adjust_brightness", "max_delta: 0.2"),
            ("random_jpeg_quality", ""),
            ("random_vertical_flip", ""),
        ]
    )
    pipeline = read_pipeline(written(tmp_path, f"train_config {{ {steps} }}"))
    on = {name: value for name, value in pipeline.values["augmentation"].items() if value}
    assert on == {"flip": 0.3, "color": 0.7, "degrade": 0.1, "scale": [1.0, 1.0]}
    prefix = "train_config.data_augmentation_options"
    assert f"line 5: {prefix}.random_adjust_brightness: approximated by augmentation.color " \
        "(brightness, contrast, saturation, tint)" in pipeline.notes  # fmt: skip
    assert f"line 7: {prefix}.random_vertical_flip: not honored: vidan has no equivalent" \
        in pipeline.notes  # fmt: skip


def test_lists_of_records_and_of_ratios(tmp_path):
    text = """train_input_reader { tf_record_input_reader { input_path: ["a-0", "a-1"] } }
    model { ssd { anchor_generator { multiscale_anchor_generator {
      aspect_ratios: [1.0, 3.0] scales_per_octave: 2 } } } }"""
    file = tmp_path / "pipeline.config"
    anchors = text.partition("model { ssd {")[2].rstrip(" }") + "} }"
    head = (HEAD % SQUARE).replace("} }\n", anchors + "} }\n")
    file.write_text(head + text.partition("model")[0])
    values = read_pipeline(file).values
    assert values["data"] == ["a-0", "a-1"]
    assert values["anchors"] == {"scale": 4.0, "octaves": 2, "ratios": [1.0, 3.0]}


def test_the_default_output_layout_of_the_api(tmp_path):
    # box_coder.proto: scales 10, 10, 5, 5; ssd.proto: a background class is added.
    layout = read_output_layout(written(tmp_path, ""))
    assert (layout.scales, layout.background) == ((10.0, 10.0, 5.0, 5.0), True)


def test_overrides_apply_after_the_file(tmp_path, caplog):
    file = written(tmp_path, "train_config { num_steps: 900 sync_replicas: true\n"
                             'fine_tune_checkpoint: "gone/ckpt-0" }')  # fmt: skip
    config = recipe.load_recipe(
        [f"pipeline_config={file}", "optimizer.learning_rate=0.5", "data=x"]
    )
    assert (config.model, config.steps, config.optimizer.learning_rate) == ("d1", 900, 0.5)
    assert config.weights == "gone/ckpt-0"
    assert (
        "line 4: train_config.sync_replicas='true': not honored: training runs on one machine"
        in caplog.text
    )
    config = recipe.load_recipe([f"pipeline_config={file}", "epochs=2", "model=lite0"])
    assert (config.model, config.steps, config.epochs, config.weights) == ("lite0", None, 2, None)
    assert "model=lite0 is trained instead" in caplog.text


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('model { ssd { feature_extractor { type: "ssd_mobilenet_v2_keras" } } }',
         "describes 'ssd_mobilenet_v2_keras'; vidan trains EfficientDet .* model=d0 trains one"),
        ("model { faster_rcnn { } }", "describes 'faster_rcnn'"),
        ("model {", "line 1 is not a pipeline.config: the text ends"),
        (HEAD % SQUARE + "train_config { batch_size: many }",
         "train_config.batch_size is 'many', not a number"),
    ],
)  # fmt: skip
def test_unusable_files_are_errors(tmp_path, text, message):
    file = tmp_path / "pipeline.config"
    file.write_text(text)
    with pytest.raises(ConfigError, match=message):
        read_pipeline(file)


def test_a_missing_file_and_two_recipes_are_errors(tmp_path):
    with pytest.raises(ConfigError, match="cannot read pipeline_config='none'"):
        recipe.load_recipe(["pipeline_config=none"])
    with pytest.raises(ConfigError, match="mutually exclusive"):
        recipe.load_recipe(["pipeline_config=a", "recipe=d0"])
