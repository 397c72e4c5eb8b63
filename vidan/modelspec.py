"""The contract between detection models and the code that trains, exports and runs them.

A model in vidan's native format takes letterboxed images and returns boxes and scores:

    images  uint8 [N,H,W,3]    RGB, scaled to fit, at the top left, the rest filled with `pad`
    boxes   float32 [N,K,4]    xyxy, px of the H x W input, best first, before suppression
    scores  float32 [N,K,C]    in [0,1], of C classes, none of them the background

and, if it was exported with `features=true`,

    features  float32 [N,K,D]  appearance vector of each box: similar objects have a small cosine
                               distance

`ModelSpec` is the rest of the contract, stored with the model as a JSON object. `letterbox` and
`Selection` are the steps before and after the network.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from .boxes import FloatArray, IntArray, clip, nms
from .errors import ConfigError, ModelError
from .labels import Renaming
from .support.score_scale import ScoreScale
from .types import Detections

DEFAULT_THRESHOLD = 0.25
"""Minimum score of a detection if the model recommends none."""

DEFAULT_IOU_THRESHOLD = 0.5
"""IoU above which the worse of two boxes is suppressed."""

PAD_VALUE = 0
"""Pixel value outside a letterboxed image, in training as in inference."""

SCORE_TOLERANCE = 1e-3
"""How far a score may lie outside [0,1]: the rounding of half precision."""

SCORE_SCALE = "score_scale"
"""Key of the level and the slope of a model's scores, in the JSON object and in options."""

FORMAT = {"format": "efficientdet", "version": 1, "resize": "letterbox", "color": "rgb"}
"""Keys of the JSON object that have one value in this version of the format."""


class Scale(NamedTuple):
    """Factors by which an image was scaled to fit a model's input, along x and y."""

    x: float
    y: float


class Placement(NamedTuple):
    """Where a scaled image lies in a model's input.

    Attributes:
        width: of the scaled image, px of the input.
        height: of the scaled image, px of the input.
        left: of its top left corner, px of the input.
        top: of its top left corner, px of the input.
        scale: of the scaled image relative to the original.
    """

    width: int
    height: int
    left: int
    top: int
    scale: Scale


def letterbox(
    width: int, height: int, input_size: tuple[int, int], *, centered: bool = False
) -> Placement:
    """Fit an image into a model's input without changing its aspect ratio.

    The scaled size is rounded to whole px, so that the exact scale differs slightly between
    x and y.

    Args:
        width: of the image, px.
        height: of the image, px.
        input_size: height and width of the input, px.
        centered: whether the image lies in the center, rather than at the top left.

    >>> letterbox(100, 30, (64, 96))
    Placement(width=96, height=29, left=0, top=0, scale=Scale(x=0.96, y=0.9666666666666667))
    """
    ratio = min(input_size[0] / height, input_size[1] / width)
    w, h = max(1, round(width * ratio)), max(1, round(height * ratio))
    left, top = ((input_size[1] - w) // 2, (input_size[0] - h) // 2) if centered else (0, 0)
    return Placement(w, h, left, top, Scale(w / width, h / height))


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelDefaults:
    """Values that apply unless the user sets others.

    Attributes:
        labels: of the C classes.
        class_agnostic: whether each object has exactly one class, so that boxes of different
            classes suppress each other.
        threshold: recommended minimum score, in [0,1].
        iou_threshold: IoU above which the worse of two boxes is suppressed, in [0,1].
        score_scale: of its scores; None if it has not been measured.
    """

    labels: tuple[str, ...]
    class_agnostic: bool = False
    threshold: float = DEFAULT_THRESHOLD
    iou_threshold: float = DEFAULT_IOU_THRESHOLD
    score_scale: ScoreScale | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelSpec(ModelDefaults):
    """How a model in the native format is to be used.

    Attributes:
        input_size: height and width of its input, px.
        pad: value of the pixels that the scaled image does not cover, 0 to 255.
    """

    input_size: tuple[int, int]
    pad: int = PAD_VALUE

    def to_json(self) -> dict[str, Any]:
        """The JSON object that `from_json` reads."""
        values = {key: getattr(self, field) for key, (field, _) in _FIELDS.items()}
        if self.score_scale is not None:
            values[SCORE_SCALE] = (self.score_scale.level, self.score_scale.slope)
        return FORMAT | {k: list(v) if isinstance(v, tuple) else v for k, v in values.items()}

    @classmethod
    def from_json(cls, text: str) -> ModelSpec:
        """Read a model's JSON object; unknown keys are ignored.

        Args:
            text: JSON, as in `{"format": "efficientdet", "version": 1, "labels": ["face"],
                "input_size": [320, 320], "resize": "letterbox", "pad": 0, "color": "rgb",
                "exclusive": true, "threshold": 0.4, "score_scale": [0.5, 2.0]}`; the last key is
                optional.

        Raises:
            ModelError: not a JSON object, a bad value, or another version of the format.
        """
        try:
            data = json.loads(text)
        except (ValueError, RecursionError) as error:
            raise ModelError(f"its metadata is not JSON: {error}") from error
        if not isinstance(data, dict):
            raise ModelError(f"its metadata is not a JSON object: {text[:40]!r}")
        for key, known in FORMAT.items():
            if data.get(key) != known:
                raise ModelError(
                    f"its metadata has {key}={data.get(key)!r}, but this version of vidan "
                    f"supports only {known!r}: use the version it was exported for, or export "
                    "it again"
                )
        for key, (_, is_valid) in _FIELDS.items():
            if not is_valid(data.get(key)):
                raise ModelError(f"its metadata has {key}={data.get(key)!r}: export it again")
        values = {field: data[key] for key, (field, _) in _FIELDS.items()}
        plain: dict[str, Any] = {
            k: tuple(v) if isinstance(v, list) else v for k, v in values.items()
        }
        return cls(**plain, score_scale=_score_scale(data.get(SCORE_SCALE)))


def _score_scale(values: Any) -> ScoreScale | None:
    if values is None:
        return None
    if not _is_list(values, lambda v: isinstance(v, int | float)):
        raise ModelError(f"its metadata has {SCORE_SCALE}={values!r}: export it again")
    try:
        return ScoreScale.of(values)
    except ConfigError as error:
        raise ModelError(f"its metadata has {error}") from error


def _is_int(value: Any, low: int, high: float = np.inf) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and low <= value <= high


def _is_list(value: Any, is_item: Callable[[Any], bool]) -> bool:
    return isinstance(value, list) and bool(value) and all(map(is_item, value))


_FIELDS: dict[str, tuple[str, Callable[[Any], bool]]] = {
    "labels": (
        "labels",
        lambda v: _is_list(v, lambda label: isinstance(label, str) and label != ""),
    ),
    "input_size": ("input_size", lambda v: _is_list(v, lambda n: _is_int(n, 1)) and len(v) == 2),
    "pad": ("pad", lambda v: _is_int(v, 0, 255)),
    "exclusive": ("class_agnostic", lambda v: isinstance(v, bool)),
    "threshold": (
        "threshold",
        lambda v: isinstance(v, int | float) and v is not True and 0 <= v <= 1,
    ),
}
"""The field of `ModelSpec` that each key of the JSON object holds, and a check of its value."""


MAX_CANDIDATES = 10_000
"""Best boxes of an image that are compared: the time this takes grows with their square."""


@dataclass(frozen=True, slots=True)
class Selection:
    """Which boxes of a network become detections.

    Attributes:
        threshold: minimum score, in [0,1].
        iou_threshold: IoU above which the worse of two boxes is suppressed, in [0,1].
        class_agnostic: whether boxes of different classes suppress each other, each box having
            its best class only.
        class_mask: (L,) bool, which of the `labels` to keep; None for all.
        renaming: of the C labels; None to keep them. Boxes of one new label suppress each other.
        max_detections: most detections in an image, the best ones; None for no limit.
        score_scale: of their scores; None if it is not known.
    """

    threshold: float
    iou_threshold: float = DEFAULT_IOU_THRESHOLD
    class_agnostic: bool = False
    class_mask: npt.NDArray[np.bool_] | None = None
    renaming: Renaming | None = None
    max_detections: int | None = None
    score_scale: ScoreScale | None = None

    def labels(self, own: tuple[str, ...]) -> tuple[str, ...]:
        """The labels of the detections, given the labels of the C classes."""
        return own if self.renaming is None else self.renaming.labels

    def own_labels(self, own: tuple[str, ...]) -> tuple[tuple[str, ...], ...]:
        """Which of the labels of the C classes each of `labels` stands for."""
        if self.renaming is None:
            return tuple((label,) for label in own)
        return self.renaming.origins

    def candidates(self, scores: FloatArray) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]:
        """Row and class of each score (K,C) that reaches the threshold."""
        if not self.class_agnostic:
            rows, classes = np.nonzero(scores >= self.threshold)
            return rows, classes
        rows = np.flatnonzero((scores >= self.threshold).any(axis=1))
        return rows, scores[rows].argmax(axis=1)

    def select(
        self,
        boxes: FloatArray,
        scores: FloatArray,
        classes: IntArray,
        scale: Scale,
        size: tuple[int, int],
        features: FloatArray | None = None,
    ) -> Detections:
        """Suppress, scale back to the image, clip to its border, and drop empty boxes.

        Args:
            boxes: (M,4) xyxy, px of the scaled image.
            scores: (M,), at least the threshold.
            classes: (M,) class indices of the model.
            scale: of the scaled image.
            size: width and height of the image, px.
            features: (M,D) appearance vectors, or None.

        Returns:
            Detections, best first; their classes are indices into `labels`.
        """
        valid = np.flatnonzero(_has_area(boxes))  # a box may be inverted, or not be finite
        if len(valid) > MAX_CANDIDATES:
            valid = valid[np.argsort(-scores[valid], kind="stable")[:MAX_CANDIDATES]]
        boxes, scores, classes = boxes[valid], scores[valid], classes[valid]
        if self.renaming is not None:
            classes = self.renaming.classes[classes]
        rows = nms(boxes, scores, self.iou_threshold, None if self.class_agnostic else classes)
        # Only now: a class not kept still suppresses others.
        rows = rows[self._is_kept(classes[rows])]
        clipped = clip(boxes[rows] / (scale * 2), *size).astype(np.float32)
        inside = np.flatnonzero(_has_area(clipped))[: self.max_detections]
        rows = rows[inside]
        return Detections(
            clipped[inside],
            scores[rows].astype(np.float32),
            classes[rows].astype(np.int32),
            None if features is None else features[valid][rows].astype(np.float32),
        )

    def _is_kept(self, classes: IntArray) -> npt.NDArray[np.bool_]:
        if self.class_mask is None:
            return np.asarray(classes >= 0)
        return np.asarray((classes >= 0) & self.class_mask[classes])


def _has_area(boxes: FloatArray) -> npt.NDArray[np.bool_]:
    finite = np.isfinite(boxes).all(axis=1)
    return np.asarray(finite & (boxes[:, :2] < boxes[:, 2:]).all(axis=1))


def check_scores(scores: FloatArray) -> None:
    """Check that scores of any shape are in [0,1].

    Raises:
        ModelError: some are outside, or not numbers.
    """
    if not scores.size:
        return
    low, high = scores.min(), scores.max()
    if not (low >= -SCORE_TOLERANCE and high <= 1 + SCORE_TOLERANCE):
        if np.isnan(low) or np.isnan(high):
            raise ModelError(
                "expected scores in [0,1], got NaN, as after an overflow of float16: export it in "
                "float32"
            )
        raise ModelError(
            f"expected scores in [0,1], got {low:g} to {high:g}: if they are logits, export it "
            "with its sigmoid or softmax; if they are something else, set detector.decode"
        )
