"""The images that a detector is evaluated on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from omegaconf import DictConfig, OmegaConf

from vidan.errors import ConfigError, SourceError, did_you_mean
from vidan.options import expanded

from .. import recipe as recipes
from ..data.formats.detect import AUTO
from ..data.loading import READ_OPTIONS, duplicate_groups, read_datasets, read_recipe_data
from ..data.sample import IGNORED, Sample
from ..data.split import split

PARTS = ("validation", "training", "all")


@dataclass(frozen=True, slots=True)
class EvaluationData:
    """Labeled images.

    Attributes:
        title: description of the data.
        labels: labels of the classes.
        samples: the images.
    """

    title: str
    labels: tuple[str, ...]
    samples: list[Sample]

    def renamed(self, names: Mapping[str, str]) -> EvaluationData:
        """The data with new names for some labels; two labels may become one class."""
        new = [names.get(label, label) for label in self.labels]
        labels = tuple(dict.fromkeys(new))
        classes = [labels.index(name) for name in new]
        samples = [_reclassified(sample, classes) for sample in self.samples]
        return replace(self, labels=labels, samples=samples)


def _reclassified(sample: Sample, classes: list[int]) -> Sample:
    changed = sample.classes.copy()
    for old, new in enumerate(classes):
        changed[sample.classes == old] = new
    return replace(sample, classes=changed)


def load(config: DictConfig) -> tuple[EvaluationData, EvaluationData | None]:
    """Load the images to evaluate on, and those with loose boxes, if there are any.

    Raises:
        ConfigError: an option has a bad value, or there is nothing to evaluate on.
        SourceError: the data cannot be read.
    """
    names: Any = _plain(config.rename) or {}
    if not isinstance(names, dict) or not all(isinstance(n, str) for n in names.values()):
        raise ConfigError(f"rename={names!r}: expected labels, such as {{mask: with_mask}}")
    recipe = config.recipe
    data = _load("data", _plain(config.data), config.split, recipe, config.format)
    loose = None
    if config.loose_data is not None:
        loose = _load("loose_data", _plain(config.loose_data), config.loose_split, recipe)
    known = {*data.labels, *(loose.labels if loose else ())}
    for old in names:
        if old not in known:
            raise ConfigError(f"rename: no label {old!r}: {did_you_mean(str(old), known)}")
    return data.renamed(names), loose and loose.renamed(names)


def _plain(value: Any) -> Any:
    return OmegaConf.to_container(value, resolve=True) if OmegaConf.is_config(value) else value


def _title(data: Any) -> str:
    return data if isinstance(data, str) else ", ".join(map(str, data))


def _load(key: str, data: Any, part: Any, recipe: Any, format: str = AUTO) -> EvaluationData:  # noqa: A002 - the option's word
    """Load the data of an option.

    Args:
        key: the option, `data` or `loose_data`, for errors.
        data: where the images are; None for those of the recipe.
        part: one of `PARTS`, or a file with names of images.
        recipe: its seed and validation fraction split the images; None for the default one.
        format: format of the data.
    """
    if part is None:
        part = "validation" if data is None else "all"
    if data is None:
        labels, samples, title = _load_recipe_data(recipe, part)
    else:
        title = _title(data)
        labels, samples = _load_data(key, data, part, recipe, format)
    if part not in PARTS:
        samples = _listed(key, samples, part)
    if not any((sample.classes != IGNORED).any() for sample in samples):
        raise ConfigError(f"{key}: there is no labeled object in {title!r} ({part})")
    return EvaluationData(f"{title} ({part})", labels, samples)


def _load_recipe_data(recipe: str | None, part: str) -> tuple[tuple[str, ...], list[Sample], str]:
    """Labels, samples and title of a recipe's own data."""
    config = _load_recipe(recipe)
    labels, training, validation = read_recipe_data(config)
    parts = {"training": training, "validation": validation}
    return labels, parts.get(part, training + validation), _title(_plain(config.data))


def _load_recipe(name: str | None) -> Any:
    """A recipe; that of the shipped model if None."""
    return recipes.load_recipe([f"recipe={recipes.SHIPPED_RECIPE if name is None else name}"])


def _load_data(
    key: str,
    data: Any,
    part: str,
    recipe: str | None,
    format: str,  # noqa: A002
) -> tuple[tuple[str, ...], list[Sample]]:
    """Labels and samples of data sets, split by the seed and fraction of a recipe if needed."""
    datasets = read_datasets(data, {**READ_OPTIONS, "format": format})
    labels = datasets[0][1].labels
    samples = [sample for _, dataset in datasets for sample in dataset.samples()]
    if part not in ("validation", "training"):
        return labels, samples
    config = _load_recipe(recipe)
    if not isinstance(config.validation, int | float):
        raise ConfigError(
            f"{key}: validation of the recipe is {str(config.validation)!r}, not a fraction of "
            f"its data: {part} is only available for recipe={recipe} without {key}="
        )
    groups = duplicate_groups([path for path, _ in datasets])
    training, validation = split(samples, config.validation, config.seed, groups)
    return labels, training if part == "training" else validation


def _listed(key: str, samples: list[Sample], file: str) -> list[Sample]:
    """The samples that a file lists, a name per line, with or without folder and suffix."""
    path = expanded(file)
    if not path.is_file():
        near = did_you_mean(file, PARTS)
        raise ConfigError(f"{key}: {file!r} is neither a part nor a file with names: {near}")
    names = {Path(line.strip()).stem for line in path.read_text("utf-8").splitlines()} - {""}
    if missing := sorted(names - {Path(sample.name).stem for sample in samples}):
        raise SourceError(f"{key}: {str(path)!r} names {missing[0]!r}, which is not in the data")
    return [sample for sample in samples if Path(sample.name).stem in names]
