"""Data sets of a recipe or a command: any format, several joined, labels selected."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from omegaconf import OmegaConf

from vidan.errors import ConfigError, SourceError
from vidan.options import expanded

from . import formats
from .formats.detect import AUTO
from .formats.issues import REPAIR
from .sample import Sample
from .split import read_groups, split

READ_OPTIONS: dict[str, Any] = {
    "format": AUTO,
    "label_map": None,
    "labels": None,
    "rename": None,
    "issues": REPAIR,
    "one_based": None,
    "groups": None,
}
"""Options of reading data, with their defaults; a recipe may leave them out."""

GROUP_FILES = ("near_duplicates.txt", "near_duplicates_within.txt")


def read_datasets(
    data: str | Sequence[str], options: Mapping[str, Any]
) -> list[tuple[Path, formats.Dataset]]:
    """Read every data set that `data` names, all with the same labels in the same order.

    Args:
        data: folders, files or patterns; a folder of `train`, `valid` … stands for all of these.
        options: values of READ_OPTIONS.

    Raises:
        ConfigError: a path or a label does not exist.
        SourceError: the data cannot be read.
    """
    paths = [expanded(p) for p in ([data] if isinstance(data, str) else data)]
    for path in paths:
        _check_exists(path)
    parts = [part for path in paths for part in formats.expand(path, options["format"])]
    if not parts:
        raise ConfigError(f"data={data!r}: expected a folder or file, or a list of them")
    label_map = options["label_map"]
    datasets = [
        formats.read(
            part,
            options["format"],
            issues=options["issues"],
            label_map=expanded(label_map) if label_map else None,
            one_based=options["one_based"],
        )
        for part in parts
    ]
    selected = formats.join(datasets).select(options["labels"], options["rename"])
    results, begin = [], 0
    for part, dataset in zip(parts, datasets, strict=True):
        end = begin + len(dataset.images)
        images = selected.images[begin:end]
        results.append((part, formats.Dataset(selected.labels, images, dataset.issues)))
        begin = end
    return results


def read_recipe_data(config: Any) -> tuple[tuple[str, ...], list[Sample], list[Sample]]:
    """Read the labels, training samples and validation samples of a recipe.

    `validation` of the recipe is a fraction of the images, or a data set of its own.
    """
    options = {
        key: _plain(OmegaConf.select(config, key, default=default))
        for key, default in READ_OPTIONS.items()
    }
    data, held_out = _plain(config.data), _plain(config.validation)
    datasets = read_datasets(data, options)
    labels = datasets[0][1].labels
    training = [sample for _, dataset in datasets for sample in dataset.samples()]
    if isinstance(held_out, int | float):
        groups = duplicate_groups([path for path, _ in datasets], options["groups"])
        training, validation = split(training, held_out, config.seed, groups)
    else:
        others = read_datasets(held_out, {**options, "labels": None})
        validation = [s for _, d in others for s in _with_labels(d, labels, held_out).samples()]
    expected = OmegaConf.select(config, "classes", default=None)
    if expected and expected != len(labels):
        raise ConfigError(
            f"classes={expected}, but the data has {len(labels)}: {', '.join(labels)}"
        )
    return labels, training, validation


def _with_labels(dataset: formats.Dataset, labels: tuple[str, ...], data: Any) -> formats.Dataset:
    """A validation set with the labels of the training set; other labels are left out."""
    if not set(labels) & set(dataset.labels):
        raise SourceError(f"validation={data!r}: none of its labels is among {', '.join(labels)}")
    known = [label for label in labels if label in dataset.labels]
    return formats.Dataset(labels, dataset.select(known).images, dataset.issues)


def duplicate_groups(paths: Sequence[Path], file: str | None = None) -> list[tuple[str, ...]]:
    """Names of images that must stay together, from a file or from the files next to the data.

    Raises:
        ConfigError: the file does not exist.
    """
    if file is not None:
        if not expanded(file).is_file():
            raise ConfigError(f"groups={file!r}: no such file")
        return read_groups(expanded(file))
    return [group for path in paths for name in GROUP_FILES for group in read_groups(path / name)]


def _check_exists(path: Path) -> None:
    if not path.exists():
        try:
            formats.detect(path)
        except SourceError as error:
            raise ConfigError(
                f"no data in {str(path)!r}: set VIDAN_DATA, or data=<folder, file or pattern>"
            ) from error


def _plain(value: Any) -> Any:
    return OmegaConf.to_container(value, resolve=True) if OmegaConf.is_config(value) else value
