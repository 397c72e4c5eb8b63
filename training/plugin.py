"""Registers the training commands."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vidan.registry.hookspecs import hookimpl

if TYPE_CHECKING:
    from vidan.registry.commands import Commands


@hookimpl
def vidan_commands(commands: Commands) -> None:
    """Add `vidan train`, `vidan eval detection`, `vidan data` and `vidan export`."""
    commands.add(
        "train",
        "vidan_training.commands:train",
        "Train a detector on images with boxes.",
        "vidan_training.completion:complete",
    )
    commands.add(
        "eval detection",
        "vidan_training.evaluation.detection:main",
        "Evaluate a detector on labeled images, also in haze and low light.",
    )
    commands.add(
        "data tighten",
        "vidan_training.tools.tighten:main",
        "Replace loose boxes by those of a detector.",
    )
    commands.add(
        "data label",
        "vidan_training.tools.label:main",
        "Label images by one or several detectors.",
    )
    data = "vidan_training.tools.commands"
    commands.add("data convert", f"{data}:convert", "Write a data set in another format.")
    commands.add("data split", f"{data}:split_parts", "Split a data set into parts.")
    commands.add("data check", f"{data}:check", "Report statistics and issues of a data set.")
    commands.add("export", "vidan_training.commands:export", "Export a trained detector.")
