"""Augmentation of an image and its boxes, and the letterbox of inference."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from vidan import images, modelspec
from vidan.modelspec import PAD_VALUE, Scale
from vidan.types import Image

from ..arrays import BoolArray, FloatArray, IntArray
from . import corruptions
from .sample import IGNORED

SMALLEST_IMAGE = 0.5  # of the view's side, where a box decides the scale


@dataclass(frozen=True, slots=True)
class Augmentation:
    """How far images are changed.

    Attributes:
        scale: smallest and largest factor on the size that the letterbox would give.
        focus: probability that the crop is placed to show a box drawn at random.
        flip: probability of a left-right flip.
        color: probability of a change of brightness, contrast, saturation and tint.
        degrade: probability of each of blur, noise and JPEG artifacts.
        haze: probability of haze, from light to dense.
        dark: probability of low light.
        motion: probability of motion blur.
        mosaic: probability that a view is four smaller views of different images.
        resize_boxes: probability that the scale is chosen for a box drawn at random to become
            any size from `smallest` to half the view (Tang et al. 2018, arXiv 1803.07737, section
            3.3): small faces from images that have only large ones.
        visible: share of a box that must be in the crop, or else it is ignored.
        smallest: side in px of the input below which a box is ignored.
    """

    scale: tuple[float, float] = (0.6, 1.8)
    focus: float = 0.8
    flip: float = 0.5
    color: float = 0.7
    degrade: float = 0.1
    haze: float = 0.0
    dark: float = 0.0
    motion: float = 0.0
    mosaic: float = 0.0
    resize_boxes: float = 0.0
    visible: float = 0.5
    smallest: float = 6.0


def letterbox(image: Image, height: int, width: int) -> tuple[Image, Scale]:
    """Scale an image into height x width, top-left, the rest `PAD_VALUE`; and the scale."""
    placed = modelspec.letterbox(image.shape[1], image.shape[0], (height, width))
    canvas = np.full((height, width, 3), PAD_VALUE, np.uint8)
    scaled = images.resize(image, placed.width, placed.height)
    canvas[: placed.height, : placed.width] = scaled
    return canvas, placed.scale


def resize(image: Image, scale: float) -> Image:
    """Scale by a factor; areas are averaged when it gets smaller, so that nothing aliases."""
    size = (max(1, round(image.shape[1] * scale)), max(1, round(image.shape[0] * scale)))
    interpolation = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(image, size, interpolation=interpolation), np.uint8)


def augment(
    image: Image,
    boxes: FloatArray,
    classes: IntArray,
    size: int,
    reference: int,
    options: Augmentation,
    rng: np.random.Generator,
) -> tuple[Image, FloatArray, IntArray]:
    """One random view of an image.

    Args:
        image: (H,W,3) uint8 RGB.
        boxes: (M,4) xyxy px.
        classes: (M,).
        size: side of the view, px; it may be smaller than inference's, since what the network
            learns is faces of a size, not images of a size.
        reference: side of inference's input, px; the scale is relative to its letterbox.
        options: how far to go.
        rng: the only source of chance.

    Returns:
        View (size,size,3), boxes (K,4) px of the view, classes (K,) with `IGNORED`.
    """
    scaled = resize(image, _scale(image, boxes, size, reference, options, rng))
    ratio = [scaled.shape[1] / image.shape[1], scaled.shape[0] / image.shape[0]] * 2
    boxes = boxes * np.array(ratio, np.float32)
    focus = boxes[rng.integers(len(boxes))] if len(boxes) and rng.random() < options.focus else None
    left = _offset(scaled.shape[1], size, None if focus is None else focus[0::2], rng)
    top = _offset(scaled.shape[0], size, None if focus is None else focus[1::2], rng)
    view, boxes = crop(scaled, boxes, left, top, size)
    classes, keep = _visible(boxes, classes, size, options)
    boxes, classes = np.clip(boxes[keep], 0, size), classes[keep]
    mirrored = rng.random() < options.flip
    rows, columns = _inside(scaled.shape[0], top, size), _inside(scaled.shape[1], left, size)
    part = recolor(weather(view[rows, columns], options, rng), options, rng)
    view[rows, columns] = degrade(part, options, rng)  # what lies outside stays as in inference
    if mirrored:
        view, boxes = flip(view, boxes)
    return view, boxes, classes


def mosaic(
    tiles: Sequence[tuple[Image, FloatArray, IntArray]],
) -> tuple[Image, FloatArray, IntArray]:
    """Four square views of one size with their boxes, put together 2 x 2 in reading order."""
    side = tiles[0][0].shape[0]
    offsets = [np.array([x, y, x, y], np.float32) for y in (0, side) for x in (0, side)]
    images = [image for image, _, _ in tiles]
    rows = [np.concatenate(images[i : i + 2], axis=1) for i in (0, 2)]
    boxes = [boxes + offset for (_, boxes, _), offset in zip(tiles, offsets, strict=True)]
    classes = [classes for _, _, classes in tiles]
    return np.concatenate(rows), np.concatenate(boxes), np.concatenate(classes)


def crop(
    image: Image, boxes: FloatArray, left: int, top: int, size: int
) -> tuple[Image, FloatArray]:
    """The square at (left, top), which may lie partly outside; boxes moved along, not cut."""
    view = np.full((size, size, 3), PAD_VALUE, np.uint8)
    x, y = max(0, -left), max(0, -top)  # where the image starts in the view
    part = image[max(0, top) : max(0, top + size), max(0, left) : max(0, left + size)]
    view[y : y + part.shape[0], x : x + part.shape[1]] = part
    return view, boxes - np.array([left, top, left, top], np.float32)


def flip(image: Image, boxes: FloatArray) -> tuple[Image, FloatArray]:
    """Mirror left and right; boxes (M,4) xyxy px."""
    width = image.shape[1]
    mirrored = np.stack([width - boxes[:, 2], boxes[:, 1], width - boxes[:, 0], boxes[:, 3]], 1)
    return np.ascontiguousarray(image[:, ::-1]), mirrored.astype(np.float32)


def weather(image: Image, options: Augmentation, rng: np.random.Generator) -> Image:
    """Haze, low light and motion blur, each as often as the options say."""
    if options.haze and rng.random() < options.haze:
        image = corruptions.haze(image, rng.uniform(0.25, 0.9), rng)
    if options.dark and rng.random() < options.dark:
        image = corruptions.low_light(image, np.exp(rng.uniform(*np.log((0.06, 0.6)))), rng)
    if options.motion and rng.random() < options.motion:
        image = corruptions.motion_blur(image, rng.uniform(2, 9), rng)
    return image


def recolor(image: Image, options: Augmentation, rng: np.random.Generator) -> Image:
    """Brightness, contrast, saturation, tint, now and then gray or dark."""
    if rng.random() >= options.color:
        return image
    x: FloatArray = image.astype(np.float32)
    gray: FloatArray = x @ np.array([0.299, 0.587, 0.114], np.float32)[:, None]  # (H,W,1), BT.601
    saturation = 0.0 if rng.random() < 0.05 else rng.uniform(0.5, 1.5)
    x = np.asarray(gray + (x - gray) * np.float32(saturation), np.float32)
    x *= rng.uniform(0.9, 1.1, 3).astype(np.float32)  # tint
    mean = np.float32(x.mean())
    contrast, brightness = np.float32(rng.uniform(0.6, 1.4)), np.float32(rng.uniform(0.6, 1.4))
    x = np.asarray((x - mean) * contrast + mean * brightness, np.float32)
    if rng.random() < 0.15:
        gamma = np.float32(rng.uniform(1.2, 2.2))
        x = np.asarray(255 * np.clip(x / 255, 0, 1) ** gamma, np.float32)  # low light
    return np.clip(x, 0, 255).astype(np.uint8)


def degrade(image: Image, options: Augmentation, rng: np.random.Generator) -> Image:
    """Blur, sensor noise and JPEG artifacts."""
    if rng.random() < options.degrade:
        image = np.asarray(cv2.GaussianBlur(image, (0, 0), rng.uniform(0.5, 1.8)), np.uint8)
    if rng.random() < options.degrade:
        noise = rng.normal(0, rng.uniform(2, 12), image.shape).astype(np.float32)
        image = np.clip(image + noise, 0, 255).astype(np.uint8)
    if rng.random() < options.degrade:
        quality = int(rng.integers(25, 70))
        _, data = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, quality])
        image = np.asarray(cv2.imdecode(data, cv2.IMREAD_COLOR), np.uint8)
    return image


def _scale(
    image: Image,
    boxes: FloatArray,
    size: int,
    reference: int,
    options: Augmentation,
    rng: np.random.Generator,
) -> float:
    """By how much the image is scaled, at random."""
    fit = reference / max(image.shape[:2])
    if options.resize_boxes and len(boxes) and rng.random() < options.resize_boxes:
        box = boxes[rng.integers(len(boxes))]
        wanted = np.exp(rng.uniform(*np.log((max(1.0, options.smallest), size / 2))))
        # Never larger than the other way would make it, which shows nothing but blur, and never
        # so small that the view is nearly empty.
        low, high = SMALLEST_IMAGE * size / max(image.shape[:2]), fit * options.scale[1]
        return float(np.clip(wanted / max(box[2:] - box[:2]), min(low, high), high))
    return float(fit * np.exp(rng.uniform(*np.log(options.scale))))


def _offset(length: int, size: int, span: FloatArray | None, rng: np.random.Generator) -> int:
    """Where the view starts in an image `length` px long; negative if it is shorter."""
    low, high = min(0, length - size), max(0, length - size)
    if span is not None:  # show the span [start, end], if that is possible
        low_span, high_span = int(span[1]) - size + 1, int(span[0])
        if max(low, low_span) <= min(high, high_span):
            low, high = max(low, low_span), min(high, high_span)
    return int(rng.integers(low, high + 1))


def _inside(length: int, start: int, size: int) -> slice:
    """The part of a view that shows an image `length` px long, if it starts there at `start`."""
    return slice(max(0, -start), min(size, length - start))


def _visible(
    boxes: FloatArray, classes: IntArray, size: int, options: Augmentation
) -> tuple[IntArray, BoolArray]:
    """Classes with `IGNORED` for what is cut or tiny, and which boxes are in the view at all."""
    inside = np.clip(boxes, 0, size)
    seen = (inside[:, 2:] - inside[:, :2]).prod(axis=1)
    share = seen / np.maximum((boxes[:, 2:] - boxes[:, :2]).prod(axis=1), 1e-6)
    tiny = (boxes[:, 2:] - boxes[:, :2]).min(axis=1) < options.smallest
    return np.where((share < options.visible) | tiny, IGNORED, classes).astype(np.int32), seen > 0
