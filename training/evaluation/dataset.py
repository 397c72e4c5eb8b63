"""The images that a detector is measured on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from omegaconf import DictConfig, OmegaConf

from vidan.errors import ConfigError, SourceError, did_you_mean

from .. import recipe as recipes
from ..data.formats.detect import AUTO
from ..data.loading import READ_OPTIONS, duplicate_groups, read_datasets, read_recipe_data
from ..data.sample import IGNORED, Sample
from ..data.split import split

PARTS = ("validation", "training", "all")


@dataclass(frozen=True, slots=True)
class Dataset:
    """Labeled images.

    Attributes:
        title: what they are, for people.
        labels: of the classes.
        samples: the images.
    """

    title: str
    labels: tuple[str, ...]
    samples: list[Sample]

    def about(self) -> dict[str, str | int]:
        """What it is and how large."""
        return {"title": self.title, "pictures": len(self.samples)}

    def renamed(self, names: Mapping[str, str]) -> Dataset:
        """With other names for some labels; two of the same name become one class."""
        new = [names.get(label, label) for label in self.labels]
        labels = tuple(dict.fromkeys(new))
        classes = [labels.index(name) for name in new]
        samples = [_reclassed(sample, classes) for sample in self.samples]
        return replace(self, labels=labels, samples=samples)


def _reclassed(sample: Sample, classes: list[int]) -> Sample:
    changed = sample.classes.copy()
    for old, new in enumerate(classes):
        changed[sample.classes == old] = new
    return replace(sample, classes=changed)


def load(config: DictConfig) -> tuple[Dataset, Dataset | None]:
    """The images to measure on, and those to count confusions on, if there are.

    Raises:
        ConfigError: an option has a bad value, or nothing is left to measure on.
        SourceError: the data cannot be read.
    """
    names: Any = _plain(config.rename) or {}
    if not isinstance(names, dict) or not all(isinstance(n, str) for n in names.values()):
        raise ConfigError(f"rename={names!r}: expected labels, such as {{mask: with_mask}}")
    recipe = config.recipe
    data = _load("data", _plain(config.data), config.split, recipe, config.format)
    loose = None
    if config.confusions is not None:
        loose = _load("confusions", _plain(config.confusions), config.confusions_split, recipe)
    known = {*data.labels, *(loose.labels if loose else ())}
    for old in names:
        if old not in known:
            raise ConfigError(f"rename: no label {old!r}: {did_you_mean(str(old), known)}")
    return data.renamed(names), loose and loose.renamed(names)


def _plain(value: Any) -> Any:
    return OmegaConf.to_container(value, resolve=True) if OmegaConf.is_config(value) else value


def _title(data: Any) -> str:
    return data if isinstance(data, str) else ", ".join(map(str, data))


def _load(key: str, data: Any, part: Any, recipe: Any, kind: str = AUTO) -> Dataset:
    """Read the data that a key names.

    Args:
        key: `data` or `confusions`, for errors.
        data: where the images are; None for those of the recipe.
        part: one of `PARTS`, or a file with names of images.
        recipe: whose seed and share divide the images; None for the default one.
        kind: the format, if it is not to be found out.
    """
    if part is None:
        part = "validation" if data is None else "all"
    if data is None:
        labels, samples, title = _of_recipe(recipe, part)
    else:
        title = _title(data)
        labels, samples = _of_data(key, data, part, recipe, kind)
    if part not in PARTS:
        samples = _listed(key, samples, part)
    if not any((sample.classes != IGNORED).any() for sample in samples):
        raise ConfigError(f"{key}: there is no labeled object in {title!r} ({part})")
    return Dataset(f"{title} ({part})", labels, samples)


def _of_recipe(recipe: str | None, part: str) -> tuple[tuple[str, ...], list[Sample], str]:
    """Labels, samples and title of a recipe's own data."""
    config = _recipe(recipe)
    labels, training, validation = read_recipe_data(config)
    chosen = {"training": training, "validation": validation}.get(part, training + validation)
    return labels, chosen, _title(_plain(config.data))


def _recipe(name: str | None) -> Any:
    """A recipe; that of the model that ships if None."""
    return recipes.load_recipe([f"recipe={recipes.SHIPPED if name is None else name}"])


def _of_data(
    key: str, data: Any, part: str, recipe: str | None, kind: str
) -> tuple[tuple[str, ...], list[Sample]]:
    """Labels and samples of data sets, divided by the seed and share of a recipe if need be."""
    sets = read_datasets(data, {**READ_OPTIONS, "format": kind})
    labels = sets[0][1].labels
    samples = [sample for _, dataset in sets for sample in dataset.samples()]
    if part not in ("validation", "training"):
        return labels, samples
    config = _recipe(recipe)
    if not isinstance(config.validation, int | float):
        raise ConfigError(
            f"{key}: the recipe's validation is {str(config.validation)!r}, not a share of its "
            f"data: {part} is only of recipe={recipe} without {key}="
        )
    groups = duplicate_groups([path for path, _ in sets])
    training, validation = split(samples, config.validation, config.seed, groups)
    return labels, training if part == "training" else validation


def _listed(key: str, samples: list[Sample], file: str) -> list[Sample]:
    """The samples whose images a file names, one a line, with or without folder and suffix."""
    path = Path(file).expanduser()
    if not path.is_file():
        near = did_you_mean(file, PARTS)
        raise ConfigError(f"{key}: {file!r} is neither a part nor a file of names: {near}")
    names = {Path(line.strip()).stem for line in path.read_text("utf-8").splitlines()} - {""}
    if missing := sorted(names - {Path(sample.name).stem for sample in samples}):
        raise SourceError(f"{key}: {str(path)!r} names {missing[0]!r}, which is not in the data")
    return [sample for sample in samples if Path(sample.name).stem in names]
