"""`vidan data convert`, `vidan data split` and `vidan data check`."""

from __future__ import annotations

import math
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from omegaconf import OmegaConf

from vidan import options
from vidan.cli.subcommands import asks_for_help, keys
from vidan.cli.terminal import console, listen, track
from vidan.config.compose import compose
from vidan.errors import ConfigError

from ..data import formats
from ..data.loading import OPTIONS, groups_of, read_sets
from ..data.split import split

HELP = """\
vidan data {command} {usage} [key=value] ...

{about}
Formats: TFRecords of the TF Object Detection API, Pascal VOC, COCO JSON, YOLO. What is wrong
with the data is said with file and box.

Every key with its default:

{keys}
"""
PARTS = {"train": 0.8, "valid": 0.1, "test": 0.1}
USAGE = {"check": "data=<folder>"}
ABOUT = {
    "convert": "Writes a data set, or several joined, in another format.",
    "split": "Divides a data set into parts: each label as often in each as its share says,\n"
    "pictures that look alike in the same one.",
    "check": "Says what is in a data set: labels, sizes of boxes and how the anchors fit them,\n"
    "broken files, near duplicates, leaks between data sets; draws a sheet of pictures with boxes.",
}


def convert(arguments: list[str]) -> int:
    """`vidan data convert`."""
    config = _config("convert", arguments)
    if config is None:
        return 0
    dataset = _read(config)
    folder = options.path("to", config["to"])
    _write(dataset, folder, config)
    return 0


def split_parts(arguments: list[str]) -> int:
    """`vidan data split`."""
    config = _config("split", arguments)
    if config is None:
        return 0
    parts = PARTS if config["parts"] is None else _parts(config["parts"])
    dataset, folder = _read(config), options.path("to", config["to"])
    if folder.exists() and any(folder.iterdir()):
        raise ConfigError(f"to={str(folder)!r} is there already: choose a new folder")
    left, groups = dataset.samples(), _groups(dataset, config)
    pictures = {id(s): p for s, p in zip(left, dataset.pictures, strict=True)}
    rest = 1.0
    for name, share in parts.items():
        taken = left
        if rest - share > 1e-9:
            left, taken = split(left, share / rest, int(config["seed"]), groups)
        rest -= share
        mine = formats.Dataset(dataset.labels, [pictures[id(s)] for s in taken])
        _write(mine, folder / name, config)
    return 0


def check(arguments: list[str]) -> int:
    """`vidan data check`."""
    config = _config("check", arguments)
    if config is None:
        return 0
    from .check import check_data

    check_data(config)
    return 0


def _config(command: str, arguments: list[str]) -> dict[str, Any] | None:
    """What a command runs with; None if it was asked for help, which is printed."""
    name = f"data_{command}"
    if asks_for_help(arguments):
        usage = USAGE.get(command, "from=<folder> to=<folder> format=<format>")
        text = HELP.format(command=command, usage=usage, about=ABOUT[command], keys=keys(name))
        sys.stdout.write(text)
        return None
    listen()
    config: Any = OmegaConf.to_container(compose(arguments, name), resolve=True)
    for key in ("from", "to", "format", "data"):
        if key in config and config[key] is None:
            raise ConfigError(f"{key} is missing: say {key}=<value> (vidan data {command} --help)")
    return dict(config)


def _read(config: Mapping[str, Any]) -> formats.Dataset:
    options.choice("format", config["format"], formats.FORMATS)
    reading = {key: config.get(key, default) for key, default in OPTIONS.items()}
    sets = read_sets(config["from"], {**reading, "format": config["from_format"]})
    return formats.join([dataset for _, dataset in sets])


def _write(dataset: formats.Dataset, folder: Path, config: Mapping[str, Any]) -> None:
    formats.write(
        dataset,
        folder,
        config["format"],
        shards=options.whole("shards", config["shards"], 0),
        progress=lambda pictures: track(pictures, f"writing {folder.name}"),
    )
    counts = ", ".join(f"{count} {label}" for label, count in dataset.counts().most_common())
    console().print(f"{folder}: {len(dataset.pictures)} pictures, {counts or 'no boxes'}")


def _parts(given: Any) -> dict[str, float]:
    if not isinstance(given, dict) or not given:
        raise options.wrong("parts", given, "names and shares, as {train:0.8,valid:0.2}")
    parts = {
        str(name): options.number(f"parts.{name}", share, 0, 1) for name, share in given.items()
    }
    parts = {name: share for name, share in parts.items() if share > 0}
    if not math.isclose(sum(parts.values()), 1, abs_tol=1e-6):
        raise ConfigError(f"parts={given!r}: expected shares that add up to 1")
    return parts


def _groups(dataset: formats.Dataset, config: Mapping[str, Any]) -> list[tuple[str, ...]]:
    """Names of images that stay together."""
    if config["groups"] is not None:
        return groups_of([], config["groups"])
    from .scan import scan

    found = scan(dataset.pictures, options.number("similar", config["similar"], 0, 1))
    return [(dataset.pictures[p.first].name, dataset.pictures[p.second].name) for p in found.pairs]
