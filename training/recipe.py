"""Recipes: `conf/train/<name>.yaml`, changed by `key=value` arguments."""

from __future__ import annotations

import argparse
import importlib.resources
import logging
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import yaml
from omegaconf import OmegaConf
from omegaconf.errors import OmegaConfBaseException

from vidan.errors import ConfigError, did_you_mean

from .data.augment import Augmentation
from .data.loading import READ_OPTIONS
from .model.anchors import AnchorShapes

DEFAULT = "lite0"
SHIPPED = "facemask_lite0"  # of the model that ships: its data and split
PIPELINE_BASE = "d0"  # the recipe that a pipeline.config is laid over
# What a recipe need not say; these came after the first recipes, or change nothing as they are.
OPTIONAL: dict[str, Any] = {
    **READ_OPTIONS,
    "classes": None,
    "fine_tune_checkpoint_type": "full",
    "steps": None,
    "patience": None,
    "precision": "auto",
    "tensorboard": False,
    "matching": {"min_anchors": 3},
    "loss": {"delta": 0.1},
    "optimizer": {
        "name": "adamw",
        "momentum": 0.9,
        "schedule": "cosine",
        "warmup_rate": 0.0,
        "final": 0.01,
        "drops": [],
    },
    "augmentation": asdict(Augmentation()) | {"scale": list(Augmentation().scale)},
}
log = logging.getLogger(__name__)


def recipes() -> dict[str, Path]:
    """The recipes there are, by name."""
    folder = Path(str(importlib.resources.files("vidan.conf"))) / "train"
    return {file.stem: file for file in sorted(folder.glob("*.yaml"))}


def overrides(command: str, description: str, argv: Sequence[str], epilog: str = "") -> list[str]:
    """The `key=value` arguments of a command; answers `--help`."""
    parser = argparse.ArgumentParser(command, description=description, epilog=epilog)
    parser.add_argument("overrides", nargs="*", metavar="key=value")
    return list(parser.parse_args(argv).overrides)


def about_recipes() -> str:
    """The end of a command's help: what there is to choose from."""
    return (
        f"recipe=<name or YAML file> chooses the recipe ({', '.join(recipes())}; {DEFAULT} "
        "without it); every other key is one of the recipe's own, as in epochs=60 or "
        "optimizer.rate=0.0005. pipeline_config=<file> in place of recipe= starts from a "
        "pipeline.config of the TF Object Detection API."
    )


def load_recipe(argv: Sequence[str]) -> Any:
    """The recipe named by `recipe=`, a name or a file, with the other arguments put over it.

    `pipeline_config=<file>` in its place reads a `pipeline.config` of the TF Object Detection
    API; what of it is not honored is logged, a line each. Unknown keys and values of another
    type are errors.
    """
    given = dict(_pair(argument) for argument in argv)
    if file := given.pop("pipeline_config", None):
        if "recipe" in given:
            raise ConfigError("recipe= and pipeline_config= exclude each other")
        name, base = file, _from_pipeline(Path(file), given)
    else:
        name = given.pop("recipe", DEFAULT)
        base = _from_file(name)
    try:
        OmegaConf.set_struct(base, True)
        for key in given:
            _check_key(base, key)
        base.merge_with(OmegaConf.from_dotlist([f"{k}={v}" for k, v in given.items()]))
        OmegaConf.resolve(base)
    except OmegaConfBaseException as error:
        raise ConfigError(f"recipe {name!r}: {str(error).splitlines()[0]}") from error
    return base


def _from_file(name: str) -> Any:
    """A recipe by its name or file, with everything it need not say."""
    known = recipes()
    file = known.get(name, Path(name))
    if not file.is_file():
        raise ConfigError(f"unknown recipe {name!r}; {did_you_mean(name, known)}")
    try:
        return OmegaConf.merge(OmegaConf.create(OPTIONAL), OmegaConf.load(file))
    except (OmegaConfBaseException, yaml.YAMLError) as error:
        first = " ".join(str(error).split())
        raise ConfigError(f"recipe {name!r} cannot be read: {first}") from error


def _from_pipeline(file: Path, given: dict[str, str]) -> Any:
    """What a pipeline.config says, over the recipe of the model it is made for."""
    from .tfod.pipeline_config import read_pipeline

    pipeline = read_pipeline(file, given.get("model"))
    for note in pipeline.notes:
        log.warning("%s", note)
    base = _from_file(PIPELINE_BASE)
    for key, value in pipeline.values.items():
        base[key] = {**base[key], **value} if isinstance(value, dict) else value
    if "epochs" in given:
        base.steps = None  # the one or the other
    return base


def _pair(argument: str) -> tuple[str, str]:
    key, equals, value = argument.partition("=")
    if not equals or not key:
        raise ConfigError(f"argument {argument!r} is not key=value")
    return key, value


def _check_key(config: Any, key: str) -> None:
    """Raise if no such key is in the recipe; labels under `oversample` and such are free."""
    parent, _, last = key.rpartition(".")
    node = OmegaConf.select(config, parent) if parent else config
    if node is None or last not in node:
        names = [str(k) for k in (node or config)]
        raise ConfigError(f"unknown key {key!r}; {did_you_mean(last, names)}")


def shapes(config: Any) -> AnchorShapes:
    """The recipe's anchors."""
    a = config.anchors
    return AnchorShapes(float(a.scale), int(a.octaves), tuple(float(r) for r in a.ratios))


def augmentation(config: Any) -> Augmentation:
    """The recipe's augmentation."""
    values: Any = OmegaConf.to_container(config.augmentation)
    return Augmentation(**{**values, "scale": tuple(values["scale"])})


def by_class(labels: Sequence[str], factors: Any) -> list[float]:
    """Factors by label as a list over classes; 1 where nothing is said."""
    factors = factors or {}
    for label in factors:
        if label not in labels:
            raise ConfigError(f"unknown label {label!r}; {did_you_mean(label, labels)}")
    return [float(factors.get(label, 1.0)) for label in labels]
