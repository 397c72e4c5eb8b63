"""The data of a recipe, or of a command: data sets of any format, joined, with labels chosen."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from omegaconf import OmegaConf

from vidan.errors import ConfigError, SourceError

from . import formats
from .formats.detect import AUTO
from .formats.problems import REPAIR
from .sample import Sample
from .split import read_groups, split

OPTIONS: dict[str, Any] = {
    "format": AUTO,
    "label_map": None,
    "labels": None,
    "rename": None,
    "problems": REPAIR,
    "one_based": None,
    "groups": None,
}
"""Keys that say how data is read, with their defaults: what a recipe need not say."""

GROUP_FILES = ("near_duplicates.txt", "near_duplicates_within.txt")


def read_sets(
    data: str | Sequence[str], options: Mapping[str, Any]
) -> list[tuple[Path, formats.Dataset]]:
    """Each data set that `data` names, with the same labels in the same order.

    Args:
        data: folders, files or patterns; a folder of `train`, `valid` … is all of these.
        options: values of OPTIONS.

    Raises:
        ConfigError: there is no such place, or no such label.
        SourceError: it cannot be read.
    """
    paths = [Path(p).expanduser() for p in ([data] if isinstance(data, str) else data)]
    for path in paths:
        _must_be_there(path)
    parts = [part for path in paths for part in formats.expand(path, options["format"])]
    if not parts:
        raise ConfigError(f"data={data!r}: expected a folder or file, or a list of them")
    label_map = options["label_map"]
    read = [
        formats.read(
            part,
            options["format"],
            problems=options["problems"],
            label_map=Path(label_map).expanduser() if label_map else None,
            one_based=options["one_based"],
        )
        for part in parts
    ]
    chosen = formats.join(read).select(options["labels"], options["rename"])
    sets, begin = [], 0
    for part, dataset in zip(parts, read, strict=True):
        end = begin + len(dataset.pictures)
        mine = chosen.pictures[begin:end]
        sets.append((part, formats.Dataset(chosen.labels, mine, dataset.problems)))
        begin = end
    return sets


def read_data(config: Any) -> tuple[tuple[str, ...], list[Sample], list[Sample]]:
    """Labels, training and validation samples of a recipe.

    `validation` is the share of the images that is kept for it, or a data set of its own.
    """
    options = {key: OmegaConf.select(config, key, default=OPTIONS[key]) for key in OPTIONS}
    options = {key: _plain(value) for key, value in options.items()}
    data, held = _plain(config.data), _plain(config.validation)
    if isinstance(held, int | float):
        sets = read_sets(data, options)
        labels = sets[0][1].labels
        samples = [sample for _, dataset in sets for sample in dataset.samples()]
        groups = groups_of([path for path, _ in sets], options["groups"])
        training, validation = split(samples, held, config.seed, groups)
    else:
        parts = [read_sets(data, options), read_sets(held, {**options, "labels": None})]
        labels = parts[0][0][1].labels
        training = [sample for _, dataset in parts[0] for sample in dataset.samples()]
        validation = [s for _, d in parts[1] for s in _with_labels(d, labels, held).samples()]
    wanted = OmegaConf.select(config, "classes", default=None)
    if wanted and wanted != len(labels):
        raise ConfigError(f"classes={wanted}, but the data has {len(labels)}: {', '.join(labels)}")
    return labels, training, validation


def _with_labels(dataset: formats.Dataset, labels: tuple[str, ...], held: Any) -> formats.Dataset:
    """A validation set under the labels of the training set; what training leaves out goes."""
    if not set(labels) & set(dataset.labels):
        raise SourceError(f"validation={held!r}: none of its labels is among {', '.join(labels)}")
    known = [label for label in labels if label in dataset.labels]
    return formats.Dataset(labels, dataset.select(known).pictures, dataset.problems)


def groups_of(paths: Sequence[Path], file: str | None = None) -> list[tuple[str, ...]]:
    """Names of images that belong together: of a file, or of those beside the data.

    Raises:
        ConfigError: there is no such file.
    """
    if file is not None:
        if not Path(file).expanduser().is_file():
            raise ConfigError(f"groups={file!r}: there is no such file")
        return read_groups(Path(file).expanduser())
    return [group for path in paths for name in GROUP_FILES for group in read_groups(path / name)]


def _must_be_there(path: Path) -> None:
    if not path.exists():
        try:
            formats.detect(path)
        except SourceError as error:
            raise ConfigError(
                f"no data in {str(path)!r}: set VIDAN_DATA, or data=<folder, file or pattern>"
            ) from error


def _plain(value: Any) -> Any:
    return OmegaConf.to_container(value, resolve=True) if OmegaConf.is_config(value) else value
