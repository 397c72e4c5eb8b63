"""`vidan train` and `vidan export` until Keras is needed, whose import takes many seconds."""

from __future__ import annotations

import sys

from vidan.cli.terminal import console
from vidan.support.extras import import_extra

from . import keras_backend, recipe


def train(argv: list[str]) -> int:
    """Run `vidan train`: help and errors in the recipe come before Keras is imported."""
    given = recipe.overrides(
        "vidan train", "Train a detector on images with boxes.", argv, recipe.recipe_help()
    )
    recipe.load_recipe(given)
    _load_keras()
    from .fit.train import main

    return main(argv)


def export(argv: list[str]) -> int:
    """Run `vidan export`."""
    _load_keras()
    from .export.command import main

    return main(argv)


def _load_keras() -> None:
    """Select Keras's backend and import it, and print that before.

    Raises:
        PluginError: the extra `train` is not installed.
    """
    if "keras" not in sys.modules:
        console(stderr=True).print("loading Keras")
        keras_backend.select()
    import_extra("keras", "train")
