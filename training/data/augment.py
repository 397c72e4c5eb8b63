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
from .sample import IGNORED, Objects

MIN_IMAGE_FRACTION = 0.5
"""Smallest longer side of an image relative to the view, where `resize_boxes` sets the scale."""


@dataclass(frozen=True, slots=True)
class Augmentation:
    """How strongly, or how often, training images are varied.

    Attributes:
        scale: smallest and largest scale relative to the letterbox of inference.
        focus: probability that the crop is placed to show a randomly chosen box.
        flip: probability of a left-right flip.
        color: probability of a change of brightness, contrast, saturation and tint.
        degrade: probability of each of blur, noise and JPEG artifacts.
        haze: probability of haze, from light to dense.
        low_light: probability of low light.
        motion_blur: probability of motion blur.
        mosaic: probability that a view is composed of four smaller views of different images.
        resize_boxes: probability that the scale is chosen to give a randomly chosen box any
            size from `min_side` to half the view (Tang et al. 2018, arXiv 1803.07737, section
            3.3): small faces from images that have only large ones.
        min_visible: boxes of which a smaller fraction is inside the view are ignored.
        min_side: boxes with a shorter side than this, px of the input, are ignored.
    """

    scale: tuple[float, float] = (0.6, 1.8)
    focus: float = 0.8
    flip: float = 0.5
    color: float = 0.7
    degrade: float = 0.1
    haze: float = 0.0
    low_light: float = 0.0
    motion_blur: float = 0.0
    mosaic: float = 0.0
    resize_boxes: float = 0.0
    min_visible: float = 0.5
    min_side: float = 6.0


def letterbox(image: Image, height: int, width: int) -> tuple[Image, Scale]:
    """Scale an image to fit height x width, top left, padded with `PAD_VALUE`; and the scale."""
    placed = modelspec.letterbox(image.shape[1], image.shape[0], (height, width))
    canvas = np.full((height, width, 3), PAD_VALUE, np.uint8)
    canvas[: placed.height, : placed.width] = images.resize(image, placed.width, placed.height)
    return canvas, placed.scale


def resize(image: Image, scale: float) -> Image:
    """Scale an image by a factor; areas are averaged when shrinking, to avoid aliasing."""
    size = (max(1, round(image.shape[1] * scale)), max(1, round(image.shape[0] * scale)))
    interpolation = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(image, size, interpolation=interpolation), np.uint8)


def augment(
    image: Image,
    objects: Objects,
    size: int,
    input_size: tuple[int, int],
    options: Augmentation,
    rng: np.random.Generator,
) -> tuple[Image, Objects]:
    """Make one random view of an image.

    Args:
        image: (H,W,3) uint8 RGB.
        objects: its boxes, M of them.
        size: side of the view, px; may be smaller than the model's input, because the network
            learns objects of a certain size, not images of a certain size.
        input_size: height and width of the model's input, px; scales are relative to its
            letterbox.
        options: kinds and strengths of augmentation.
        rng: the only source of randomness.

    Returns:
        View (size,size,3), and its K boxes, px of the view, whose classes may be `IGNORED`.
    """
    boxes, classes, weights = objects
    scaled = resize(image, _random_scale(image, boxes, size, input_size, options, rng))
    ratio = [scaled.shape[1] / image.shape[1], scaled.shape[0] / image.shape[0]] * 2
    boxes = boxes * np.array(ratio, np.float32)
    focus = boxes[rng.integers(len(boxes))] if len(boxes) and rng.random() < options.focus else None
    left = _random_offset(scaled.shape[1], size, None if focus is None else focus[0::2], rng)
    top = _random_offset(scaled.shape[0], size, None if focus is None else focus[1::2], rng)
    view, boxes = crop(scaled, boxes, left, top, size)
    classes, keep = _visible(boxes, classes, size, options)
    boxes, classes, weights = np.clip(boxes[keep], 0, size), classes[keep], weights[keep]
    mirrored = rng.random() < options.flip
    rows = _image_part(scaled.shape[0], top, size)
    columns = _image_part(scaled.shape[1], left, size)
    part = recolor(weather(view[rows, columns], options, rng), options, rng)
    view[rows, columns] = degrade(part, options, rng)  # the padding stays as in inference
    if mirrored:
        view, boxes = flip(view, boxes)
    return view, Objects(boxes, classes, weights)


def mosaic(tiles: Sequence[tuple[Image, Objects]]) -> tuple[Image, Objects]:
    """Combine four square views of equal size and their boxes 2 x 2, in reading order."""
    side = tiles[0][0].shape[0]
    offsets = [np.array([x, y, x, y], np.float32) for y in (0, side) for x in (0, side)]
    images = [image for image, _ in tiles]
    rows = [np.concatenate(images[i : i + 2], axis=1) for i in (0, 2)]
    moved = [
        objects._replace(boxes=objects.boxes + offset)
        for (_, objects), offset in zip(tiles, offsets, strict=True)
    ]
    return np.concatenate(rows), Objects(*map(np.concatenate, zip(*moved, strict=True)))


def crop(
    image: Image, boxes: FloatArray, left: int, top: int, size: int
) -> tuple[Image, FloatArray]:
    """Cut out the square at (left, top), padded outside the image; boxes move but are not cut."""
    view = np.full((size, size, 3), PAD_VALUE, np.uint8)
    x, y = max(0, -left), max(0, -top)  # position of the image in the view
    part = image[max(0, top) : max(0, top + size), max(0, left) : max(0, left + size)]
    view[y : y + part.shape[0], x : x + part.shape[1]] = part
    return view, boxes - np.array([left, top, left, top], np.float32)


def flip(image: Image, boxes: FloatArray) -> tuple[Image, FloatArray]:
    """Mirror an image and its boxes (M,4) xyxy px left to right."""
    width = image.shape[1]
    mirrored = np.stack([width - boxes[:, 2], boxes[:, 1], width - boxes[:, 0], boxes[:, 3]], 1)
    return np.ascontiguousarray(image[:, ::-1]), mirrored.astype(np.float32)


def weather(image: Image, options: Augmentation, rng: np.random.Generator) -> Image:
    """Apply haze, low light and motion blur, each with its probability."""
    if options.haze and rng.random() < options.haze:
        image = corruptions.haze(image, rng.uniform(0.25, 0.9), rng)
    if options.low_light and rng.random() < options.low_light:
        image = corruptions.low_light(image, np.exp(rng.uniform(*np.log((0.06, 0.6)))), rng)
    if options.motion_blur and rng.random() < options.motion_blur:
        image = corruptions.motion_blur(image, rng.uniform(2, 9), rng)
    return image


def recolor(image: Image, options: Augmentation, rng: np.random.Generator) -> Image:
    """Change brightness, contrast, saturation and tint; occasionally to gray or dark."""
    if rng.random() >= options.color:
        return image
    x: FloatArray = image.astype(np.float32)
    gray: FloatArray = x @ np.array([0.299, 0.587, 0.114], np.float32)[:, None]  # BT.601, (H,W,1)
    saturation = 0.0 if rng.random() < 0.05 else rng.uniform(0.5, 1.5)
    x = np.asarray(gray + (x - gray) * np.float32(saturation), np.float32)
    x *= rng.uniform(0.9, 1.1, 3).astype(np.float32)  # tint
    mean = np.float32(x.mean())
    contrast, brightness = np.float32(rng.uniform(0.6, 1.4)), np.float32(rng.uniform(0.6, 1.4))
    x = np.asarray((x - mean) * contrast + mean * brightness, np.float32)
    if rng.random() < 0.15:
        gamma = np.float32(rng.uniform(1.2, 2.2))  # darker
        x = np.asarray(255 * np.clip(x / 255, 0, 1) ** gamma, np.float32)
    return np.clip(x, 0, 255).astype(np.uint8)


def degrade(image: Image, options: Augmentation, rng: np.random.Generator) -> Image:
    """Add blur, sensor noise and JPEG artifacts, each with probability `degrade`."""
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


def _random_scale(
    image: Image,
    boxes: FloatArray,
    size: int,
    input_size: tuple[int, int],
    options: Augmentation,
    rng: np.random.Generator,
) -> float:
    """A random scale factor for the image."""
    fit = min(input_size[0] / image.shape[0], input_size[1] / image.shape[1])
    if options.resize_boxes and len(boxes) and rng.random() < options.resize_boxes:
        box = boxes[rng.integers(len(boxes))]
        target = np.exp(rng.uniform(*np.log((max(1.0, options.min_side), size / 2))))
        # At most the largest ordinary scale, beyond which there is only blur, and at least
        # large enough that the view is not nearly empty.
        low, high = MIN_IMAGE_FRACTION * size / max(image.shape[:2]), fit * options.scale[1]
        return float(np.clip(target / max(box[2:] - box[:2]), min(low, high), high))
    return float(fit * np.exp(rng.uniform(*np.log(options.scale))))


def _random_offset(
    length: int, size: int, span: FloatArray | None, rng: np.random.Generator
) -> int:
    """Start of the view along one axis of an image; negative if the image is shorter.

    Args:
        length: of the image, px.
        size: of the view, px.
        span: (2,) start and end of what the view should show, if possible, px.
        rng: the only source of randomness.
    """
    low, high = min(0, length - size), max(0, length - size)
    if span is not None:
        low_span, high_span = int(span[1]) - size + 1, int(span[0])
        if max(low, low_span) <= min(high, high_span):
            low, high = max(low, low_span), min(high, high_span)
    return int(rng.integers(low, high + 1))


def _image_part(length: int, start: int, size: int) -> slice:
    """The part of a view that is not padding, along one axis; arguments as `_random_offset`."""
    return slice(max(0, -start), min(size, length - start))


def _visible(
    boxes: FloatArray, classes: IntArray, size: int, options: Augmentation
) -> tuple[IntArray, BoolArray]:
    """Classes, `IGNORED` where cut or tiny, and whether a box is in the view at all; (M,) each."""
    inside = np.clip(boxes, 0, size)
    seen = (inside[:, 2:] - inside[:, :2]).prod(axis=1)
    fraction = seen / np.maximum((boxes[:, 2:] - boxes[:, :2]).prod(axis=1), 1e-6)
    tiny = (boxes[:, 2:] - boxes[:, :2]).min(axis=1) < options.min_side
    cut = fraction < options.min_visible
    return np.where(cut | tiny, IGNORED, classes).astype(np.int32), seen > 0
