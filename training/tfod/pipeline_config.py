"""Conversion of a `pipeline.config` of the TensorFlow Object Detection API to a recipe.

Each field that is read is marked as used; all others are listed with their line, so that nothing
is ignored silently.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from vidan.errors import ConfigError
from vidan.formats.textproto import Field, TextProtoError, parse

from ..model.efficientdet import ARCHITECTURES
from ..model.heads import prior_bias
from .augmentation import read_augmentation
from .checkpoint import KINDS, OutputLayout
from .message import FieldUsage, Message
from .optimizer import read_optimizer

LARGEST_STRIDE = 128  # px
EXTRACTOR = re.compile(r"ssd_efficientnet-b([0-7])_bifpn_keras")


@dataclass(frozen=True, slots=True)
class PipelineConfig:
    """The content of a `pipeline.config`.

    Attributes:
        values: keys of a recipe, nested as in `conf/train`.
        notes: a line for each field that is not honored exactly.
        layout: how the outputs of the file's model are arranged.
    """

    values: dict[str, Any]
    notes: tuple[str, ...]
    layout: OutputLayout


def read_pipeline(file: Path, model: str | None = None) -> PipelineConfig:
    """Read a `pipeline.config`.

    Args:
        file: the file.
        model: replaces the model of the file, whose checkpoint is then not used.

    Raises:
        ConfigError: the file cannot be read, or describes a model that vidan does not have.
    """
    fields = _parse(file)
    usage = FieldUsage(file)
    top = Message(fields, "", usage)
    kind = next((m.name for m in top.child("model").children()), "")
    detector = top.child("model").child("ssd")
    values = _model(detector, kind, model, usage)
    train = top.child("train_config")
    values |= _data(top)
    values |= _training(train)
    if model:
        values["weights"] = None
        train.note("fine_tune_checkpoint", f"not used: it is not of model={model}")
    values["optimizer"] |= {"weight_decay": _weight_decay(detector)}
    size = values.pop("resized")
    augmentation, crop = read_augmentation(train.children("data_augmentation_options"), size[0])
    values |= {"augmentation": augmentation, "crop": crop or size[0], "size": size}
    values["matching"], values["loss"] = _matching(detector), _loss(detector)
    layout = _output_layout(detector)
    return PipelineConfig(values, usage.all_notes(fields), layout)


def read_output_layout(file: Path) -> OutputLayout:
    """Read how the outputs of the model of a `pipeline.config` are arranged.

    Raises:
        ConfigError: the file cannot be read.
    """
    detector = Message(_parse(file), "", FieldUsage(file)).child("model").child("ssd")
    return _output_layout(detector)


def _parse(file: Path) -> tuple[Field, ...]:
    try:
        return parse(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(f"cannot read pipeline_config={str(file)!r}: {error.strerror}") from error
    except (TextProtoError, UnicodeDecodeError) as error:
        line = f", line {error.line}" if isinstance(error, TextProtoError) else ""
        raise ConfigError(f"{str(file)!r}{line} is not a pipeline.config: {error}") from error


def _model(detector: Message, kind: str, model: str | None, usage: FieldUsage) -> dict[str, Any]:
    """Architecture, input size and anchors."""
    extractor = detector.child("feature_extractor")
    name = extractor.text("type")
    match = EXTRACTOR.fullmatch(name)
    found = f"d{match[1]}" if match else ""
    if model is None and found not in ARCHITECTURES:
        what = name or kind or "no model"
        raise ConfigError(
            f"{str(usage.file)!r} describes {what!r}; vidan trains EfficientDet "
            f"({', '.join(ARCHITECTURES)}): model=d0 trains one of them instead"
        )
    if model is not None and model != found:
        extractor.note("type", f"model={model} is trained instead")
    chosen = model or found
    pyramid, arch = extractor.child("bifpn"), ARCHITECTURES.get(chosen)
    own = {"min_level": 3, "max_level": 7}
    if arch:
        own |= {"num_iterations": arch.cells, "num_filters": arch.channels}
    for key, value in own.items():
        if pyramid.number(key, value) != value:
            pyramid.note(key, f"not honored: {chosen} has {value}")
    frozen = detector.flag("freeze_batchnorm", False)
    if frozen:
        detector.note("freeze_batchnorm", "honored only in the backbone")
    _check_convolution(extractor.child("conv_hyperparams"))
    predictor = detector.child("box_predictor").child("weight_shared_convolutional_box_predictor")
    _check_convolution(predictor.child("conv_hyperparams"))
    _check_predictor(predictor, arch)
    return {
        "model": chosen,
        "classes": int(detector.number("num_classes", 0)) or None,
        "resized": _size(detector.child("image_resizer")),
        "anchors": _anchors(detector),
        "frozen_stages": 0,
        "frozen_norm_stages": 7 if frozen else 0,
    }


def _check_convolution(convolution: Message) -> None:
    """Note hyperparameters of convolutions that differ from vidan's."""
    if convolution.text("activation", "SWISH") != "SWISH":
        convolution.note("activation", "not honored: the model has its own")
    if not convolution.flag("force_use_bias", True):
        convolution.note("force_use_bias", "not honored: convolutions have a bias")
    norm = convolution.child("batch_norm")
    if not (norm.flag("scale", False) and norm.flag("center", True)):
        norm.note("scale", "not honored: batch norm has scale and offset")
    if norm.number("epsilon", 0.001) != 0.001:
        norm.note("epsilon", "not honored: it is 0.001")


def _check_predictor(predictor: Message, arch: Any) -> None:
    own = {"kernel_size": 3.0}
    if arch:
        own |= {"depth": arch.channels, "num_layers_before_predictor": arch.head_repeats}
    for key, value in own.items():
        if predictor.number(key, value) != value:
            predictor.note(key, f"not honored: it is {value:g}")
    if not predictor.flag("use_depthwise", True):
        predictor.note("use_depthwise", "not honored: convolutions are separable")
    if abs(predictor.number("class_prediction_bias_init", prior_bias()) - prior_bias()) > 0.01:
        predictor.note("class_prediction_bias_init", f"not honored: it is {prior_bias():.3f}")


def _size(resizer: Message) -> list[int]:
    """Height and width of the input, rounded up to multiples of the largest stride."""
    keep, fixed = resizer.child("keep_aspect_ratio_resizer"), resizer.child("fixed_shape_resizer")
    if fixed.fields:
        wanted = [int(fixed.number("height", 512)), int(fixed.number("width", 512))]
        fixed.note_all("images keep their aspect ratio and are padded with black")
    else:
        longest = int(keep.number("max_dimension", 512))
        wanted = [longest, longest]
        if keep.number("min_dimension", longest) != longest:
            keep.note("min_dimension", "not honored: only the longer side determines the scale")
        if keep.flag("pad_to_max_dimension", False):
            keep.note("pad_to_max_dimension", "honored, with black instead of the mean color")
        else:
            keep.note("pad_to_max_dimension", "images are always padded to a square")
    size = [-(-n // LARGEST_STRIDE) * LARGEST_STRIDE for n in wanted]
    if size != wanted:
        resizer.note_all(f"size {wanted} becomes {size}, multiples of {LARGEST_STRIDE}")
    return size


def _anchors(detector: Message) -> dict[str, Any]:
    generator = detector.child("anchor_generator").child("multiscale_anchor_generator")
    for key, level in (("min_level", 3), ("max_level", 7)):
        if generator.number(key, level) != level:
            generator.note(key, f"not honored: it is {level}")
    return {
        "scale": generator.number("anchor_scale", 4.0),
        "octaves": int(generator.number("scales_per_octave", 2)),
        "ratios": [float(r) for r in generator.texts("aspect_ratios")] or [1.0, 2.0, 0.5],
    }


def _output_layout(detector: Message) -> OutputLayout:
    anchors = _anchors(detector)
    coder = detector.child("box_coder").child("faster_rcnn_box_coder")
    scales = (
        coder.number("y_scale", 10.0),
        coder.number("x_scale", 10.0),
        coder.number("height_scale", 5.0),
        coder.number("width_scale", 5.0),
    )
    for key in ("y_scale", "x_scale", "height_scale", "width_scale"):
        if coder.number(key, 1.0) != 1:
            coder.note(key, "removed from imported weights; codes are not scaled here")
    background = detector.flag("add_background_class", True)
    return OutputLayout(anchors["octaves"], tuple(anchors["ratios"]), scales, background)


def _matching(detector: Message) -> dict[str, Any]:
    matcher = detector.child("matcher").child("argmax_matcher")
    high = matcher.number("matched_threshold", 0.5)
    detector.child("similarity_calculator").children("iou_similarity")
    matcher.flag("negatives_lower_than_unmatched", True)
    ignored = matcher.flag("ignore_thresholds", False)
    if ignored:
        matcher.note("ignore_thresholds", "not honored: the thresholds apply")
    forced = matcher.flag("force_match_for_each_row", False)
    if not forced:
        matcher.note("force_match_for_each_row", "not honored: each box gets its best anchor")
    low = matcher.number("unmatched_threshold", high)
    return {"positive": high, "negative": low, "min_anchors": 1}


def _loss(detector: Message) -> dict[str, Any]:
    loss = detector.child("loss")
    focal = loss.child("classification_loss").child("weighted_sigmoid_focal")
    boxes = loss.child("localization_loss")
    smooth = boxes.child("weighted_smooth_l1")
    for other in boxes.children():
        if other.name != "weighted_smooth_l1":
            other.note_all("not honored: Huber loss with delta 1 is used")
    share = loss.number("classification_weight", 1.0)
    if share != 1:
        loss.note("classification_weight", "honored relative to localization_weight only")
    weight = loss.number("localization_weight", 1.0) / (share or 1.0)
    if not detector.flag("normalize_loc_loss_by_codesize", False):
        weight *= 4  # here Huber is averaged over the four codes, there it is added up
    if not detector.flag("normalize_loss_by_num_matches", True):
        detector.note("normalize_loss_by_num_matches", "not honored: losses are per positive")
    detector.flag("encode_background_as_zeros", False)  # which is always so with a sigmoid
    processing = detector.child("post_processing")
    if processing.text("score_converter", "IDENTITY") != "SIGMOID":
        processing.note("score_converter", "not honored: scores are sigmoids")
    return {
        "box": "huber",
        "delta": smooth.number("delta", 1.0),
        "box_weight": weight,
        "alpha": focal.number("alpha", 0.25),
        "gamma": focal.number("gamma", 2.0),
        "class_weights": {},
    }


def _weight_decay(detector: Message) -> float:
    convolution = detector.child("feature_extractor").child("conv_hyperparams")
    regularizer = convolution.child("regularizer").child("l2_regularizer")
    weight = regularizer.number("weight", 0.0)
    regularizer.note("weight", "honored as decoupled weight decay")
    return weight


def _training(train: Message) -> dict[str, Any]:
    """Initial weights, number of steps, batch size and optimizer."""
    weights = train.text("fine_tune_checkpoint")
    kind = train.text("fine_tune_checkpoint_type")
    if not kind and train.flag("from_detection_checkpoint", False):
        kind = "detection"
    if kind not in (*KINDS, ""):
        train.note("fine_tune_checkpoint_type", f"unknown: one of {', '.join(KINDS)}")
        kind = ""
    if train.texts("freeze_variables"):
        train.note("freeze_variables", "not honored: see frozen_stages")
    low_precision = train.flag("use_bfloat16", False)
    optimizer = read_optimizer(train.child("optimizer"))
    optimizer["clip_norm"] = train.number("gradient_clipping_by_norm", 0.0) or None
    return {
        "weights": weights or None,
        "fine_tune_checkpoint_type": kind or "detection",
        "steps": int(train.number("num_steps", 0)) or None,
        "batch": int(train.number("batch_size", 32)),
        "precision": "auto" if low_precision else "float32",
        "optimizer": optimizer,
        "oversample": {},
    }


def _data(top: Message) -> dict[str, Any]:
    """TFRecords for training and validation, and the label map."""
    values: dict[str, Any] = {}
    train, validation = top.child("train_input_reader"), top.child("eval_input_reader")
    values["data"] = _records(train)
    values["label_map"] = train.text("label_map_path") or None
    other = validation.text("label_map_path")
    if other and other != values["label_map"]:
        validation.note("label_map_path", "not honored: that of train_input_reader is used")
    if records := _records(validation):
        values["validation"] = records
    return {key: value for key, value in values.items() if value or key == "label_map"}


def _records(reader: Message) -> Any:
    """One path, or a list of several."""
    paths = reader.child("tf_record_input_reader").texts("input_path")
    return paths[0] if len(paths) == 1 else paths
