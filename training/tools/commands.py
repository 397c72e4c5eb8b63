"""`vidan data convert`, `vidan data split` and `vidan data check`."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from omegaconf import OmegaConf

from vidan import options
from vidan.cli.subcommands import asks_for_help, write_help
from vidan.cli.terminal import console, setup_logging, track
from vidan.config.compose import compose
from vidan.errors import ConfigError

from ..data import formats
from ..data.loading import READ_OPTIONS, duplicate_groups, read_datasets
from ..data.split import split

HELP = """\
vidan data {command} {usage} [key=value] ...

{about}
Formats: TFRecords of the TF Object Detection API, Pascal VOC, COCO JSON, YOLO. Issues of the
data are reported with file and box.

Every key with its default:

{keys}
"""
DEFAULT_PARTS = {"train": 0.8, "valid": 0.1, "test": 0.1}
USAGE = {"check": "data=<folder>"}
ABOUT = {
    "convert": "Writes a data set, or several joined, in another format.",
    "split": "Splits a data set into parts. Labels are distributed in proportion; near duplicates\n"
    "stay in the same part.",
    "check": "Reports the labels of a data set, the sizes of boxes and how well anchors fit them,\n"
    "broken files, near duplicates and leaks between data sets; draws a contact sheet.",
}
MIN_REMAINDER = 1e-9
"""Remaining fractions below this are rounding errors."""


def convert(arguments: list[str]) -> int:
    """Run `vidan data convert`."""
    config = _config("convert", arguments)
    if config is None:
        return 0
    dataset = _read(config)
    folder = options.path("to", config["to"])
    _write(dataset, folder, config)
    return 0


def split_parts(arguments: list[str]) -> int:
    """Run `vidan data split`."""
    config = _config("split", arguments)
    if config is None:
        return 0
    parts = DEFAULT_PARTS if config["parts"] is None else _parts(config["parts"])
    dataset, folder = _read(config), options.path("to", config["to"])
    if folder.exists() and any(folder.iterdir()):
        raise ConfigError(f"to={str(folder)!r} already exists: choose a new folder")
    remaining, groups = dataset.samples(), _groups(dataset, config)
    images = {id(s): image for s, image in zip(remaining, dataset.images, strict=True)}
    rest = 1.0
    for name, fraction in parts.items():
        taken = remaining
        if rest - fraction > MIN_REMAINDER:
            remaining, taken = split(remaining, fraction / rest, int(config["seed"]), groups)
        rest -= fraction
        part = formats.Dataset(dataset.labels, [images[id(s)] for s in taken])
        _write(part, folder / name, config)
    return 0


def check(arguments: list[str]) -> int:
    """Run `vidan data check`."""
    config = _config("check", arguments)
    if config is None:
        return 0
    from .check import check_data

    check_data(config)
    return 0


def _config(command: str, arguments: list[str]) -> dict[str, Any] | None:
    """The configuration of a command; None after printing the help that was asked for."""
    name = f"data_{command}"
    if asks_for_help(arguments):
        usage = USAGE.get(command, "from=<folder> to=<folder> format=<format>")
        text = HELP.format(command=command, usage=usage, about=ABOUT[command], keys="{keys}")
        write_help(text, name)
        return None
    setup_logging()
    config: Any = OmegaConf.to_container(compose(arguments, name), resolve=True)
    for key in ("from", "to", "format", "data"):
        if key in config and config[key] is None:
            raise ConfigError(f"missing {key}: set {key}=<value> (vidan data {command} --help)")
    return dict(config)


def _read(config: Mapping[str, Any]) -> formats.Dataset:
    options.choice("format", config["format"], formats.FORMATS)
    read_options = {key: config.get(key, default) for key, default in READ_OPTIONS.items()}
    datasets = read_datasets(config["from"], {**read_options, "format": config["from_format"]})
    return formats.join([dataset for _, dataset in datasets])


def _write(dataset: formats.Dataset, folder: Path, config: Mapping[str, Any]) -> None:
    formats.write(
        dataset,
        folder,
        config["format"],
        shards=options.whole("shards", config["shards"], 0),
        progress=lambda images: track(images, f"writing {folder.name}"),
    )
    counts = ", ".join(f"{n} {label}" for label, n in dataset.label_counts().most_common())
    console().print(f"{folder}: {len(dataset.images)} images, {counts or 'no boxes'}")


def _parts(given: Any) -> dict[str, float]:
    if not isinstance(given, dict) or not given:
        raise options.wrong("parts", given, "names and fractions, as {train:0.8,valid:0.2}")
    parts = {
        str(name): options.number(f"parts.{name}", fraction, 0, 1)
        for name, fraction in given.items()
    }
    parts = {name: fraction for name, fraction in parts.items() if fraction > 0}
    if not math.isclose(sum(parts.values()), 1, abs_tol=1e-6):
        raise ConfigError(f"parts={given!r}: expected fractions that add up to 1")
    return parts


def _groups(dataset: formats.Dataset, config: Mapping[str, Any]) -> list[tuple[str, ...]]:
    """Names of images that stay together."""
    if config["groups"] is not None:
        return duplicate_groups([], config["groups"])
    from .scan import scan_images

    threshold = options.number("similarity", config["similarity"], 0, 1)
    pairs = scan_images(dataset.images, threshold).pairs
    return [(dataset.images[p.first].name, dataset.images[p.second].name) for p in pairs]
