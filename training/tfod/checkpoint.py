"""Weights from checkpoints of the TensorFlow Object Detection API's EfficientDets.

The networks compute the same function, but names and the order of the anchors at a location
differ: the API sorts them by ratio and then by octave, this package by octave and then by ratio
(object_detection/anchor_generators/grid_anchor_generator.py and `anchors.make_anchors`). The API
also multiplies box codes by the box coder's scale factors, and class 0 may be a background.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import keras
import numpy as np

from vidan.errors import ConfigError, ModelError, did_you_mean
from vidan.support.extras import import_extra

from ..arrays import AnyArray
from ..model.anchors import LEVELS, AnchorShapes

KINDS = ("classification", "detection", "full")
VALUE, SLOT = "/.ATTRIBUTES/VARIABLE_VALUE", "/.OPTIMIZER_SLOT/"
NODES_PER_CELL = 2 * (len(LEVELS) - 1)  # of a BiFPN: P6 to P3 top-down, P4 to P7 bottom-up
NO_WEIGHTS = {
    "_CHECKPOINTABLE_OBJECT_GRAPH": "list of objects, not a weight",
    "save_counter": "counter of checkpoints, not a weight",
    "step": "step of the run, not a weight",
}
"""Entries of a checkpoint that do not belong to the model, and what they are."""


@dataclass(frozen=True, slots=True)
class OutputLayout:
    """How the outputs of a checkpoint's model are arranged, from its pipeline.config.

    Attributes:
        octaves: anchor sizes per pyramid level.
        ratios: aspect ratios of the anchors, width / height, in the order of the file.
        scales: factors of the codes: y, x, height, width.
        background: whether class 0 is the background.
    """

    octaves: int = 3
    ratios: tuple[float, ...] = (1.0, 2.0, 0.5)
    scales: tuple[float, float, float, float] = (1.0, 1.0, 1.0, 1.0)
    background: bool = False


@dataclass(frozen=True, slots=True)
class ImportedWeights:
    """Result of `convert`, which accounts for every variable of the checkpoint.

    Attributes:
        arrays: values by the name of the model's variable.
        targets: name in the model by name in the checkpoint.
        skipped: reason by name in the checkpoint.
    """

    arrays: dict[str, AnyArray] = field(default_factory=dict)
    targets: dict[str, str] = field(default_factory=dict)
    skipped: dict[str, str] = field(default_factory=dict)


def find_checkpoint(path: Path) -> Path | None:
    """Find the prefix of a checkpoint from itself, `<prefix>.index`, or a folder."""
    if path.is_dir():
        indices = sorted(path.glob("*.index"), key=lambda p: p.stat().st_mtime)
        named = _latest(path)
        return named or (indices[-1].with_suffix("") if indices else None)
    if path.suffix == ".index":
        path = path.with_suffix("")
    return path if Path(f"{path}.index").is_file() else None


def _latest(folder: Path) -> Path | None:
    """The newest checkpoint according to the file `checkpoint` in a folder, if it exists."""
    try:
        text = (folder / "checkpoint").read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return None
    match = re.search(r'^model_checkpoint_path:\s*"([^"]+)"', text, re.MULTILINE)
    prefix = folder / Path(match[1]).name if match else None
    return prefix if prefix and Path(f"{prefix}.index").is_file() else None


def read_checkpoint(prefix: Path) -> dict[str, AnyArray]:
    """Read all numeric variables by their names in the checkpoint.

    Raises:
        ModelError: the checkpoint cannot be read.
        PluginError: TensorFlow is not installed.
    """
    reader = _reader(prefix)
    arrays = {}
    for name in reader.get_variable_to_shape_map():
        if SLOT in name or not name.endswith(VALUE):
            arrays[name] = np.empty(0)  # listed but not read: not a weight
            continue
        try:
            arrays[name.removesuffix(VALUE)] = np.asarray(reader.get_tensor(name))
        except Exception as error:  # of tf.errors, without a common base class outside
            raise ModelError(
                f"cannot read {name!r} from {str(prefix)!r}: are all "
                f"{prefix.name}.data-* files next to {prefix.name}.index?"
            ) from error
    return arrays


def _reader(prefix: Path) -> Any:
    tf = import_extra("tensorflow", "tf", f"checkpoint {prefix.name!r}")
    try:
        return tf.train.load_checkpoint(str(prefix))
    except Exception as error:
        raise ModelError(f"cannot read checkpoint {str(prefix)!r}: {_first_line(error)}") from error


def _first_line(error: Exception) -> str:
    return (str(error) or repr(error)).splitlines()[0]


def convert(
    arrays: Mapping[str, AnyArray],
    model: keras.Model,
    shapes: AnchorShapes,
    kind: str = "full",
    layout: OutputLayout | None = None,
) -> ImportedWeights:
    """Assign the variables of a checkpoint to those of a model of `model.efficientdet`.

    Args:
        arrays: result of `read_checkpoint`.
        model: the model to initialize.
        shapes: its anchors.
        kind: what to use: `classification` is the backbone, `detection` the backbone and the
            BiFPN (as in the Object Detection API), `full` everything that fits.
        layout: output layout of the checkpoint's own model.

    Raises:
        ConfigError: unknown kind.
        ModelError: no variable of the checkpoint fits.
    """
    if kind not in KINDS:
        raise ConfigError(f"fine_tune_checkpoint_type={kind!r}: {did_you_mean(kind, KINDS)}")
    reorder = _OutputReorder(model, shapes, layout or OutputLayout())
    backbone = [x.name for x in model.layers if x.name.startswith(("stem", "block")) and x.weights]
    wanted = {f"{layer.name}/{v.name}": v for layer in model.layers for v in layer.variables}
    result = ImportedWeights()
    for name, array in sorted(arrays.items()):
        part, layer = _locate(name, backbone)
        if layer is None:
            result.skipped[name] = part
            continue
        target = f"{layer}/{_variable(name)}"
        if layer.endswith("_dwconv"):
            target = f"{layer}/kernel"
        reason = _excluded(part, kind) or _unknown(target, wanted)
        value = array
        if not reason and part == "output":
            value, reason = reorder(layer, array)
        if not reason:
            value, reason = _reshape(value, tuple(wanted[target].shape))
        if reason:
            result.skipped[name] = reason
        else:
            result.arrays[target], result.targets[name] = value, target
    if not result.targets:
        raise ModelError("the checkpoint has no weight of this model: is it an EfficientDet?")
    return result


def _excluded(part: str, kind: str) -> str:
    """Why an import of this kind does not use a part of the model; empty if it does."""
    taken = {"classification": ("backbone",), "detection": ("backbone", "bifpn")}
    if part in taken.get(kind, (part,)):
        return ""
    return f"not part of fine_tune_checkpoint_type={kind}"


def _unknown(target: str, wanted: Mapping[str, Any]) -> str:
    return "" if target in wanted else f"this model has no {target!r}"


def _reshape(array: AnyArray, shape: tuple[int, ...]) -> tuple[AnyArray, str]:
    """Reshape an array to its variable (the API's fusion weights are columns)."""
    if tuple(n for n in array.shape if n != 1) != tuple(n for n in shape if n != 1):
        return array, f"shape {tuple(array.shape)} does not fit {shape}"
    return array.reshape(shape), ""


class _OutputReorder:
    """Reorders the channels of the last layers by this model's anchors, codes and classes."""

    def __init__(self, model: keras.Model, shapes: AnchorShapes, layout: OutputLayout) -> None:
        self.classes = model.output["class"].shape[-1]
        self.layout = layout
        self.order: list[int] | None = None  # index there of each anchor here
        if layout.octaves == shapes.octaves and set(layout.ratios) == set(shapes.ratios):
            self.order = [
                layout.ratios.index(ratio) * shapes.octaves + octave
                for octave in range(shapes.octaves)
                for ratio in shapes.ratios
            ]

    def __call__(self, layer: str, array: AnyArray) -> tuple[AnyArray, str]:
        """Reorder the last axis of an array; also return why that is impossible, else empty."""
        if array.shape[-1] == 1:  # the depthwise kernel precedes the mixing of channels
            return array, ""
        if self.order is None:
            return array, (
                f"its anchors differ: {self.layout.octaves} octaves of ratios "
                f"{list(self.layout.ratios)}"
            )
        anchors = len(self.order)
        if array.shape[-1] % anchors:
            return array, f"{array.shape[-1]} channels do not fit {anchors} anchors"
        values = array.reshape(*array.shape[:-1], anchors, -1)[..., self.order, :]
        if layer == "box_predict":
            values = values / np.asarray(self.layout.scales, array.dtype)
        elif self.layout.background:
            values = values[..., 1:]
        if layer == "class_predict" and values.shape[-1] != self.classes:
            return array, f"it has {values.shape[-1]} classes, this model has {self.classes}"
        return values.reshape(*array.shape[:-1], -1), ""


def _variable(name: str) -> str:
    """Keras 3's name of a variable."""
    last = name.rpartition("/")[2]
    return {"bifpn_combine_weights": "fusion_weights"}.get(last, last)


def _locate(name: str, backbone: Sequence[str]) -> tuple[str, str | None]:
    """Part and layer of the model for a variable; or the reason why there is none, and None."""
    if SLOT in name:
        return "slot of the optimizer, not a weight", None
    if name in NO_WEIGHTS:
        return NO_WEIGHTS[name], None
    if name.startswith("optimizer/"):
        return "state of the optimizer, not a weight", None
    for part, pattern, layer in _RULES:
        if match := pattern.search(name):
            if part == "backbone":
                number = int(match[1])
                return ("backbone", backbone[number]) if number < len(backbone) else (
                    "top of the ImageNet classifier, not part of a detector", None)  # fmt: skip
            return part, layer(match)
    return "unknown variable", None


def _node(number: int) -> str:
    """Name of a BiFPN node, such as `fpn0_p6_td`, by its number.

    Nodes 0 and 1 make P6 and P7 from P5; then each cell has P6, P5, P4, P3 top-down and P4, P5,
    P6, P7 bottom-up.
    """
    cell, index = divmod(number - 2, NODES_PER_CELL)
    down = LEVELS[-2::-1]
    level, way = (
        (down[index], "td") if index < len(down) else (LEVELS[index - len(down) + 1], "out")
    )
    return f"fpn{cell}_p{level}_{way}"


def _input(match: re.Match[str]) -> str:
    """Name of the 1x1 convolution before a node, or of its batch norm."""
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
    """Name of a layer of a head: convolution, batch norm and activation alternate."""
    head = "box" if match[1].startswith(("box", "Box")) else "class"
    repeat, index = divmod(int(match[3]), 3)
    return f"{head}_conv{repeat}" if index == 0 else f"{head}_bn{repeat}_p{LEVELS[int(match[2])]}"


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
