"""Recipes: `conf/train/<name>.yaml`, changed by `key=value` arguments."""

from __future__ import annotations

import argparse
import importlib.resources
import logging
import re
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import yaml
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from vidan.cli.help import fitted
from vidan.errors import ConfigError, did_you_mean
from vidan.support.arguments import ArgumentParser
from vidan.support.text import one_line
from vidan.support.yaml_limit import load_yaml

from .data.augment import Augmentation
from .data.loading import READ_OPTIONS
from .model.anchors import AnchorShapes
from .weights.npz import spec_of

DEFAULT_RECIPE = "lite0"
SHIPPED_RECIPE = "facemask_lite0"
"""Recipe of the shipped model, whose data and split evaluation uses by default."""

PIPELINE_BASE_RECIPE = "d0"
"""Recipe that provides what a pipeline.config does not define."""

OPTIONAL_KEYS: dict[str, Any] = {
    **READ_OPTIONS,
    "classes": None,
    "fine_tune_checkpoint_type": "full",
    "steps": None,
    "patience": None,
    "precision": "auto",
    "tensorboard": False,
    "class_agnostic": True,
    "matching": {"min_anchors": 3},
    "loss": {"delta": 0.1},
    "optimizer": {
        "name": "adamw",
        "momentum": 0.9,
        "schedule": "cosine",
        "warmup_learning_rate": 0.0,
        "final_ratio": 0.01,
        "drops": [],
    },
    "augmentation": asdict(Augmentation()) | {"scale": list(Augmentation().scale)},
}
"""Keys that a recipe may leave out, with their defaults."""

DEFAULT_ANCHORS = AnchorShapes(2.0, 3, (0.5, 1.0, 2.0))
"""Anchors for objects of any shape, if neither the recipe nor the initial weights define them."""

MAPPINGS = ("loss.class_weights", "oversample", "rename", "provenance")
"""Keys with mappings from any names, such as labels; an argument replaces all of one."""

log = logging.getLogger(__name__)


def recipes() -> dict[str, Path]:
    """Paths of the shipped recipes by name."""
    folder = Path(str(importlib.resources.files("vidan.conf"))) / "train"
    return {file.stem: file for file in sorted(folder.glob("*.yaml"))}


def overrides(command: str, description: str, argv: Sequence[str], epilog: str = "") -> list[str]:
    """Parse the `key=value` arguments of a command; prints help and exits on `--help`."""
    parser = ArgumentParser(
        command,
        description=description,
        epilog=fitted(epilog).replace("%", "%%"),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("overrides", nargs="*", metavar="key=value")
    return list(parser.parse_args(argv).overrides)


def recipe_help() -> str:
    """Help text about choosing a recipe, with the keys of the default one."""
    text = recipes()[DEFAULT_RECIPE].read_text(encoding="utf-8")
    keys = [line for line in text.splitlines() if ":" in line and not line.startswith("#")]
    optional = ", ".join(key for key in OPTIONAL_KEYS if f"\n{key}:" not in text)
    return (
        "recipe=<name or YAML file> selects the recipe:\n"
        f"{', '.join(recipes())} (default {DEFAULT_RECIPE}).\n"
        "All other keys override keys of the recipe, as in epochs=60 or\n"
        "optimizer.learning_rate=0.0005. pipeline_config=<file> instead of recipe= starts from a\n"
        "pipeline.config of the TF Object Detection API.\n\n"
        f"Keys of {DEFAULT_RECIPE}, and others: {optional}\n\n" + "\n".join(keys)
    )


def load_recipe(argv: Sequence[str]) -> Any:
    """Load the recipe that `recipe=` names and apply the other arguments to it.

    Anchors that are null become those of the initial weights.

    `pipeline_config=<file>` instead of `recipe=` reads a `pipeline.config` of the TF Object
    Detection API and logs each field that is not honored.

    Raises:
        ConfigError: the recipe cannot be read, or a key is unknown or has the wrong type.
    """
    given = dict(_parse_argument(argument) for argument in argv)
    if file := given.pop("pipeline_config", None):
        if "recipe" in given:
            raise ConfigError("recipe= and pipeline_config= are mutually exclusive")
        name, base = file, _from_pipeline(Path(file), given)
    else:
        name = given.pop("recipe", DEFAULT_RECIPE)
        base = _from_file(name)
    try:
        OmegaConf.set_struct(base, True)
        for key in given:
            _check_key(base, key)
        for key in MAPPINGS:
            if key in given:
                OmegaConf.update(base, key, {}, merge=False)
            if isinstance(mapping := OmegaConf.select(base, key), DictConfig):
                OmegaConf.set_struct(mapping, False)
        base.merge_with(OmegaConf.from_dotlist([f"{k}={_spaced(v)}" for k, v in given.items()]))
        OmegaConf.resolve(base)
        _complete_anchors(base)
    except OmegaConfBaseException as error:
        raise ConfigError(f"recipe {name!r}: {str(error).splitlines()[0]}") from error
    return base


def _complete_anchors(config: Any) -> None:
    """Set anchors that are null to those of the initial weights, whose heads then fit."""
    spec = spec_of(config.weights)
    shapes = asdict(DEFAULT_ANCHORS if spec is None else spec.anchors)
    for key, value in config.anchors.items():
        if value is None:
            config.anchors[key] = list(shapes[key]) if key == "ratios" else shapes[key]


def _spaced(value: str) -> str:
    """A value for YAML, with a space after each colon of a mapping, as in `{face:2}`.

    >>> _spaced("{face:2,mask:1.5}"), _spaced("a:b")
    ('{face: 2,mask: 1.5}', 'a:b')
    """
    return re.sub(r":(?! )", ": ", value) if value.startswith("{") else value


def _from_file(name: str) -> Any:
    """A recipe by its name or file, with the defaults of optional keys."""
    known = recipes()
    file = known.get(name, Path(name))
    if not file.is_file():
        raise ConfigError(f"unknown recipe {name!r}; {did_you_mean(name, known)}")
    try:
        return OmegaConf.merge(OmegaConf.create(OPTIONAL_KEYS), load_yaml(file))
    except (OSError, yaml.YAMLError) as error:
        raise ConfigError(f"cannot read recipe {name!r}: {one_line(str(error))}") from error


def _from_pipeline(file: Path, given: dict[str, str]) -> Any:
    """A recipe from a pipeline.config."""
    from .tfod.pipeline_config import read_pipeline

    pipeline = read_pipeline(file, given.get("model"))
    for note in pipeline.notes:
        log.warning("%s", note)
    base = _from_file(PIPELINE_BASE_RECIPE)
    for key, value in pipeline.values.items():
        base[key] = {**base[key], **value} if isinstance(value, dict) else value
    if "epochs" in given:
        base.steps = None  # epochs= takes precedence
    return base


def _parse_argument(argument: str) -> tuple[str, str]:
    key, equals, value = argument.partition("=")
    if not equals or not key:
        raise ConfigError(f"argument {argument!r} is not key=value")
    return key, value


def _check_key(config: Any, key: str) -> None:
    """Raise if the recipe does not have the key."""
    parent, _, last = key.rpartition(".")
    node = OmegaConf.select(config, parent) if parent else config
    if node is None or last not in node:
        names = [str(k) for k in (node or config)]
        raise ConfigError(f"unknown key {key!r}; {did_you_mean(last, names)}")


def anchor_shapes(config: Any) -> AnchorShapes:
    """The anchor shapes of a recipe."""
    anchors = config.anchors
    ratios = tuple(float(ratio) for ratio in anchors.ratios)
    return AnchorShapes(float(anchors.scale), int(anchors.octaves), ratios)


def augmentation(config: Any) -> Augmentation:
    """The augmentation of a recipe."""
    values: Any = OmegaConf.to_container(config.augmentation)
    return Augmentation(**{**values, "scale": tuple(values["scale"])})


def factors_by_class(labels: Sequence[str], factors: Any) -> list[float]:
    """Factors by label as a list over classes; 1 where none is given.

    Raises:
        ConfigError: a label does not exist.
    """
    factors = factors or {}
    for label in factors:
        if label not in labels:
            raise ConfigError(f"unknown label {label!r}; {did_you_mean(label, labels)}")
    return [float(factors.get(label, 1.0)) for label in labels]
