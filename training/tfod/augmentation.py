"""Augmentation options of a `pipeline.config`."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

from ..data.augment import Augmentation
from .message import Message

COLOR_STEPS = (
    "random_adjust_brightness", "random_adjust_contrast", "random_adjust_hue",
    "random_adjust_saturation", "random_distort_color", "random_rgb_to_gray",
)  # fmt: skip
DEGRADING_STEPS = ("random_jpeg_quality", "random_patch_gaussian", "random_pixel_value_scale")
CROPPING_STEPS = (
    "random_crop_image", "ssd_random_crop", "ssd_random_crop_fixed_aspect_ratio",
    "random_crop_pad_image", "random_crop_to_aspect_ratio", "ssd_random_crop_pad",
)  # fmt: skip


def read_augmentation(options: list[Message], size: int) -> tuple[dict[str, Any], int | None]:
    """Convert to a recipe's `augmentation`, and the side of a view in px if the file defines it.

    Args:
        options: `data_augmentation_options` of the file.
        size: side of the model's input, px.
    """
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
    step.note("scale_min", "honored, but with a log-uniform distribution")
    if crop != size:
        step.note("output_size", f"views have {crop} px, the input has {size}")
    return crop


def _approximate(step: Message, values: dict[str, Any]) -> None:
    """Use the most similar augmentation of vidan, with a note."""
    if step.name in COLOR_STEPS:
        values["color"] = 0.7
        step.note_all("approximated by augmentation.color (brightness, contrast, saturation, tint)")
    elif step.name in DEGRADING_STEPS:
        values["degrade"] = 0.1
        step.note_all("approximated by augmentation.degrade (blur, noise, compression)")
    elif step.name in CROPPING_STEPS:
        values["scale"], values["focus"] = [1.0, 1.8], 0.8
        step.note_all("approximated by augmentation.scale and focus (crops around a random box)")
    else:
        step.note_all("not honored: vidan has no equivalent")
