"""Weights from checkpoints of the TensorFlow Object Detection API's EfficientDets.

The graphs are the same function; names, and the order of the anchors at a location, are not:
there all octaves of a ratio follow each other, here all ratios of an octave
(object_detection/anchor_generators/grid_anchor_generator.py against `anchors.make_anchors`). Box
codes there are multiplied by the box coder's scale factors, and class 0 may be a background.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import keras
import numpy as np

from vidan.errors import ConfigError, ModelError, PluginError, did_you_mean

from ..arrays import AnyArray
from ..model.anchors import LEVELS, AnchorShapes

KINDS = ("classification", "detection", "full")
VALUE, SLOT = "/.ATTRIBUTES/VARIABLE_VALUE", "/.OPTIMIZER_SLOT/"
NODES = 2 * (len(LEVELS) - 1)  # of a BiFPN cell: P6 to P3 on the way down, P4 to P7 up
# What a checkpoint of a run holds besides the model.
NO_WEIGHTS = {
    "_CHECKPOINTABLE_OBJECT_GRAPH": "the list of objects, no weight",
    "save_counter": "how often the run was saved, no weight",
    "step": "the run's step, no weight",
}


@dataclass(frozen=True, slots=True)
class Origin:
    """What a checkpoint's own pipeline.config says of its outputs.

    Attributes:
        octaves: sizes of anchors between one level and the next.
        ratios: width / height of the anchors, in the order of the file.
        scales: what codes were multiplied by: y, x, height, width.
        background: whether class 0 is a background.
    """

    octaves: int = 3
    ratios: tuple[float, ...] = (1.0, 2.0, 0.5)
    scales: tuple[float, float, float, float] = (1.0, 1.0, 1.0, 1.0)
    background: bool = False


@dataclass(frozen=True, slots=True)
class Imported:
    """What became of every variable of a checkpoint.

    Attributes:
        arrays: values by the name of the model's variable.
        places: name in the checkpoint -> name in the model.
        left_out: name in the checkpoint -> why it was not taken.
    """

    arrays: dict[str, AnyArray] = field(default_factory=dict)
    places: dict[str, str] = field(default_factory=dict)
    left_out: dict[str, str] = field(default_factory=dict)


def find_checkpoint(path: Path) -> Path | None:
    """The prefix of the checkpoint that `path` means: itself, `<prefix>.index`, or a folder."""
    if path.is_dir():
        indices = sorted(path.glob("*.index"), key=lambda p: p.stat().st_mtime)
        named = _latest(path)
        return named or (indices[-1].with_suffix("") if indices else None)
    if path.suffix == ".index":
        path = path.with_suffix("")
    return path if Path(f"{path}.index").is_file() else None


def _latest(folder: Path) -> Path | None:
    """What the file `checkpoint` in a folder names as the newest, if it is there."""
    try:
        text = (folder / "checkpoint").read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return None
    match = re.search(r'^model_checkpoint_path:\s*"([^"]+)"', text, re.MULTILINE)
    prefix = folder / Path(match[1]).name if match else None
    return prefix if prefix and Path(f"{prefix}.index").is_file() else None


def read_checkpoint(prefix: Path) -> dict[str, AnyArray]:
    """Every variable that is a number or an array, by its name in the checkpoint."""
    reader = _reader(prefix)
    arrays = {}
    for name in reader.get_variable_to_shape_map():
        if SLOT in name or not name.endswith(VALUE):
            arrays[name] = np.empty(0)  # named, not read: no weight
            continue
        try:
            arrays[name.removesuffix(VALUE)] = np.asarray(reader.get_tensor(name))
        except Exception as error:  # tf.errors, without a common base outside TensorFlow
            raise ModelError(
                f"cannot read {name!r} from {str(prefix)!r}: are all "
                f"{prefix.name}.data-* files beside {prefix.name}.index?"
            ) from error
    return arrays


def _reader(prefix: Path) -> Any:
    try:
        import tensorflow as tf
    except ImportError as error:
        raise PluginError(
            f"reading checkpoint {prefix.name!r} needs TensorFlow: pip install vidan[tf]"
        ) from error
    try:
        return tf.train.load_checkpoint(str(prefix))
    except Exception as error:
        raise ModelError(f"cannot read checkpoint {str(prefix)!r}: {_first(error)}") from error


def _first(error: Exception) -> str:
    return (str(error) or repr(error)).splitlines()[0]


def convert(
    arrays: Mapping[str, AnyArray],
    model: keras.Model,
    shapes: AnchorShapes,
    kind: str = "full",
    origin: Origin | None = None,
) -> Imported:
    """Sort out the variables of a checkpoint for a model of `model.efficientdet`.

    Args:
        arrays: as `read_checkpoint` gives them.
        model: the model that is to start from them.
        shapes: its anchors.
        kind: how much: `classification` takes the backbone, `detection` the backbone and the
            BiFPN (as the Object Detection API does), `full` all that fits.
        origin: the anchors and outputs of the checkpoint's own model.

    Returns:
        Values in Keras names, and for each variable where it went or why nowhere.
    """
    if kind not in KINDS:
        raise ConfigError(f"fine_tune_checkpoint_type={kind!r}: {did_you_mean(kind, KINDS)}")
    outputs = _Outputs(model, shapes, origin or Origin())
    backbone = [x.name for x in model.layers if x.name.startswith(("stem", "block")) and x.weights]
    wanted = {f"{layer.name}/{v.name}": v for layer in model.layers for v in layer.variables}
    result = Imported()
    for name, array in sorted(arrays.items()):
        part, layer = _place(name, backbone)
        if layer is None:
            result.left_out[name] = part
            continue
        target = f"{layer}/{_variable(name)}"
        if layer.endswith("_dwconv"):
            target = f"{layer}/kernel"
        reason = _outside(part, kind) or _misfit(target, wanted)
        value = array
        if not reason and part == "output":
            value, reason = outputs.reorder(layer, array)
        if not reason:
            value, reason = _shaped(value, tuple(wanted[target].shape))
        if reason:
            result.left_out[name] = reason
        else:
            result.arrays[target], result.places[name] = value, target
    if not result.places:
        raise ModelError("the checkpoint has no weight of this model: is it an EfficientDet?")
    return result


def _outside(part: str, kind: str) -> str:
    """Why a part of the model is not taken by an import of this kind; empty if it is."""
    taken = {"classification": ("backbone",), "detection": ("backbone", "bifpn")}
    if part in taken.get(kind, (part,)):
        return ""
    return f"not part of fine_tune_checkpoint_type={kind}"


def _misfit(target: str, wanted: Mapping[str, Any]) -> str:
    return "" if target in wanted else f"this model has no {target!r}"


def _shaped(array: AnyArray, shape: tuple[int, ...]) -> tuple[AnyArray, str]:
    """The array in the shape of its variable (fusion weights are columns there)."""
    if tuple(n for n in array.shape if n != 1) != tuple(n for n in shape if n != 1):
        return array, f"shape {tuple(array.shape)} does not fit {shape}"
    return array.reshape(shape), ""


class _Outputs:
    """Puts the last layers' channels into this model's order of anchors, codes and classes."""

    def __init__(self, model: keras.Model, shapes: AnchorShapes, origin: Origin) -> None:
        self.classes = model.output["class"].shape[-1]
        self.origin = origin
        self.order: list[int] | None = None  # place there of each anchor here
        if origin.octaves == shapes.octaves and set(origin.ratios) == set(shapes.ratios):
            self.order = [
                origin.ratios.index(ratio) * shapes.octaves + octave
                for octave in range(shapes.octaves)
                for ratio in shapes.ratios
            ]

    def reorder(self, layer: str, array: AnyArray) -> tuple[AnyArray, str]:
        """The array with its last axis in our order, or why that cannot be."""
        if array.shape[-1] == 1:  # the depthwise kernel is before the channels are mixed
            return array, ""
        if self.order is None:
            return array, (
                f"its anchors differ: {self.origin.octaves} octaves of ratios "
                f"{list(self.origin.ratios)}"
            )
        anchors = len(self.order)
        if array.shape[-1] % anchors:
            return array, f"{array.shape[-1]} channels are not of {anchors} anchors"
        values = array.reshape(*array.shape[:-1], anchors, -1)[..., self.order, :]
        if layer == "box_predict":
            values = values / np.asarray(self.origin.scales, array.dtype)
        elif self.origin.background:
            values = values[..., 1:]
        if layer == "class_predict" and values.shape[-1] != self.classes:
            return array, f"it has {values.shape[-1]} classes, this model {self.classes}"
        return values.reshape(*array.shape[:-1], -1), ""


def _variable(name: str) -> str:
    """The last part of a name, as Keras 3 calls it."""
    last = name.rpartition("/")[2]
    return {"bifpn_combine_weights": "fusion_weights"}.get(last, last)


def _place(name: str, backbone: Sequence[str]) -> tuple[str, str | None]:
    """Part of the model and layer of a variable, or the reason why there is none, and None."""
    if SLOT in name:
        return "a slot of the optimizer, no weight", None
    if name in NO_WEIGHTS:
        return NO_WEIGHTS[name], None
    if name.startswith("optimizer/"):
        return "the optimizer's own, no weight", None
    for part, pattern, layer in _RULES:
        if match := pattern.search(name):
            if part == "backbone":
                number = int(match[1])
                return ("backbone", backbone[number]) if number < len(backbone) else (
                    "of the ImageNet classifier's top, which a detector has not", None)  # fmt: skip
            return part, layer(match)
    return "no such variable is known", None


def _node(number: int) -> str:
    """`fpn0_p6_td` and so on: what the BiFPN's node of this number is called here.

    Nodes 0 and 1 make P6 and P7 out of P5; then each cell has P6, P5, P4, P3 on its way down
    and P4, P5, P6, P7 up.
    """
    cell, place = divmod(number - 2, NODES)
    down = LEVELS[-2::-1]
    level, way = (
        (down[place], "td") if place < len(down) else (LEVELS[place - len(down) + 1], "out")
    )
    return f"fpn{cell}_p{level}_{way}"


def _input(match: re.Match[str]) -> str:
    """The 1x1 convolution before a node, or its batch norm."""
    number = int(match[1])
    kind = "conv" if match[2] in ("kernel", "bias") else "bn"
    if number < 2:
        return f"p6_{kind}"
    node = _node(number)
    stem, _, way = node.rpartition("_")
    return f"{stem}_{'in' if way == 'td' else 'in2'}_{kind}"


def _combined(match: re.Match[str]) -> str:
    kind = "conv" if match[2] in ("depthwise_kernel", "pointwise_kernel", "bias") else "bn"
    return f"{_node(int(match[1]))}_{kind}"


def _tower(match: re.Match[str]) -> str:
    """A layer of a head's tower: convolution, batch norm and activation by turns."""
    head = "box" if match[1].startswith(("box", "Box")) else "class"
    repeat, place = divmod(int(match[3]), 3)
    return f"{head}_conv{repeat}" if place == 0 else f"{head}_bn{repeat}_p{LEVELS[int(match[2])]}"


def _shared(match: re.Match[str]) -> str:
    return f"{'box' if match[1] == 'Box' else 'class'}_conv{match[2]}"


_RULES: tuple[tuple[str, re.Pattern[str], Callable[[re.Match[str]], str]], ...] = (
    ("backbone", re.compile(r"(?:^|/)layer_with_weights-(\d+)/\w+$"), lambda m: m[1]),
    ("bifpn", re.compile(r"/_bifpn_stage/node_input_blocks/(\d+)/(?:\d+/)*(\w+)$"), _input),
    (
        "bifpn",
        re.compile(r"/_bifpn_stage/node_combine_op/(\d+)/bifpn_combine_weights$"),
        lambda m: f"{_node(int(m[1]))}_fuse",
    ),
    (
        "bifpn",
        re.compile(r"/_bifpn_stage/node_post_combine_block/(\d+)/(?:\d+/)*(\w+)$"),
        _combined,
    ),
    (
        "tower",
        re.compile(r"/_base_tower_layers_for_heads/(\w+)/(\d+)/(\d+)/\w+$"),
        _tower,
    ),
    (
        "tower",
        re.compile(r"/_head_scope_conv_layers/(Box|Class)PredictionTower/(\d+)/\w+$"),
        _shared,
    ),
    ("output", re.compile(r"/_box_encoder_layers/0/\w+$"), lambda m: "box_predict"),  # noqa: ARG005
    ("output", re.compile(r"/_class_predictor_layers/0/\w+$"), lambda m: "class_predict"),  # noqa: ARG005
)
