"""The augmentations of a `pipeline.config`."""

from __future__ import annotations

from dataclasses import fields
from typing import TYPE_CHECKING, Any

from ..data.augment import Augmentation

if TYPE_CHECKING:
    from .message import Message

COLORS = (
    "random_adjust_brightness", "random_adjust_contrast", "random_adjust_hue",
    "random_adjust_saturation", "random_distort_color", "random_rgb_to_gray",
)  # fmt: skip
DEGRADATIONS = ("random_jpeg_quality", "random_patch_gaussian", "random_pixel_value_scale")
CROPS = ("random_crop_image", "ssd_random_crop", "ssd_random_crop_fixed_aspect_ratio",
         "random_crop_pad_image", "random_crop_to_aspect_ratio", "ssd_random_crop_pad")  # fmt: skip


def read_augmentation(options: list[Message], size: int) -> tuple[dict[str, Any], int | None]:
    """The recipe's `augmentation`, and the side of a view in px if the file says it."""
    values: dict[str, Any] = {f.name: 0.0 for f in fields(Augmentation)}
    values["scale"] = [1.0, 1.0]
    crop = None
    for option in options:
        for step in option.children():
            if step.name == "random_horizontal_flip":
                values["flip"] = step.number("probability", 0.5)
            elif step.name == "random_scale_crop_and_pad_to_square":
                crop = _scale_and_crop(step, values, size)
            elif step.name == "random_image_scale":
                low, high = step.number("min_scale_ratio", 0.5), step.number("max_scale_ratio", 2.0)
                values["scale"] = [low, high]
            else:
                _approximate(step, values)
    return values, crop


def _scale_and_crop(step: Message, values: dict[str, Any], size: int) -> int:
    values["scale"] = [step.number("scale_min", 0.1), step.number("scale_max", 2.0)]
    crop = int(step.number("output_size", 512))
    step.note("scale_min", "honored, but as many views have half the size as have double")
    if crop != size:
        step.note("output_size", f"views have {crop} px, the input {size}")
    return crop


def _approximate(step: Message, values: dict[str, Any]) -> None:
    """What vidan has something like: said with what it is."""
    if step.name in COLORS:
        values["color"] = 0.7
        step.note_all("as augmentation.color: brightness, contrast, saturation and tint at once")
    elif step.name in DEGRADATIONS:
        values["degrade"] = 0.1
        step.note_all("as augmentation.degrade: blur, noise and compression")
    elif step.name in CROPS:
        values["scale"], values["focus"] = [1.0, 1.8], 0.8
        step.note_all("as augmentation.scale and focus: views of a part around a random box")
    else:
        step.note_all("not honored: vidan has no such augmentation")
