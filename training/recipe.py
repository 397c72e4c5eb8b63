"""Recipes: `conf/train/<name>.yaml`, changed by `key=value` arguments."""

from __future__ import annotations

import argparse
import importlib.resources
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from omegaconf import OmegaConf
from omegaconf.errors import OmegaConfBaseException

from vidan.errors import ConfigError, did_you_mean

from .anchors import AnchorShapes
from .augment import Augmentation
from .data import Sample, read_label_map, read_voc
from .split import read_groups, split

DEFAULT = "facemask_lite0"


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
        "optimizer.rate=0.0005."
    )


def load_recipe(argv: Sequence[str]) -> Any:
    """The recipe named by `recipe=`, a name or a file, with the other arguments put over it.

    Unknown keys and values of another type are errors.
    """
    given = dict(_pair(argument) for argument in argv)
    name = given.pop("recipe", DEFAULT)
    known = recipes()
    file = known.get(name, Path(name))
    if not file.is_file():
        raise ConfigError(f"unknown recipe {name!r}; {did_you_mean(name, known)}")
    try:
        config = OmegaConf.load(file)
        OmegaConf.set_struct(config, True)
        for key in given:
            _check_key(config, key)
        config.merge_with(OmegaConf.from_dotlist([f"{k}={v}" for k, v in given.items()]))
        OmegaConf.resolve(config)
    except OmegaConfBaseException as error:
        raise ConfigError(f"recipe {name!r}: {str(error).splitlines()[0]}") from error
    return config


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
    values: dict[str, Any] = OmegaConf.to_container(config.augmentation)  # type: ignore[assignment]
    return Augmentation(**{**values, "scale": tuple(values["scale"])})


def read_data(config: Any) -> tuple[tuple[str, ...], list[Sample], list[Sample]]:
    """Labels, training and validation samples of the recipe's data folder."""
    folder = Path(config.data)
    if not folder.is_dir():
        raise ConfigError(
            f"no data folder {str(folder)!r}: set VIDAN_DATA, or data=<folder with images/, "
            "annotations/ and label_map.pbtxt>"
        )
    labels = read_label_map(folder / "label_map.pbtxt")
    samples = read_voc(folder, labels)
    groups = read_groups(folder / "near_duplicates_within.txt")
    training, validation = split(samples, config.validation, config.seed, groups)
    return labels, training, validation


def by_class(labels: Sequence[str], factors: Any) -> list[float]:
    """Factors by label as a list over classes; 1 where nothing is said."""
    factors = factors or {}
    for label in factors:
        if label not in labels:
            raise ConfigError(f"unknown label {label!r}; {did_you_mean(label, labels)}")
    return [float(factors.get(label, 1.0)) for label in labels]
