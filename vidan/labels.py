"""New names of labels: the option `rename` of detectors and of training data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from .errors import ConfigError, did_you_mean
from .options import wrong

Rename = Mapping[str, str | None]
"""An option: new names of labels; None leaves a label out."""

MAX_LISTED = 100
"""Labels that an error lists at most."""


class Renaming:
    """Labels and their new names; several labels may get one name.

    Args:
        own: labels of a model or a data set.
        rename: new names by label, such as `{"car": "vehicle", "truck": "vehicle"}`; None as a
            name leaves the label out. Other labels keep their names. None renames nothing.

    Attributes:
        names: the new name of each label; None for one that is left out.
        labels: the new labels, in the order in which `own` has them first.
        classes: (C,) int32, the index into `labels` of each of the C own labels; -1 for one that is
            left out.
        origins: the own labels that each new one stands for.

    Raises:
        ConfigError: not such a mapping, or one of a label that does not exist.

    >>> renaming = Renaming(["person", "car", "truck"], {"car": "vehicle", "truck": "vehicle"})
    >>> renaming.labels, renaming.classes.tolist(), renaming.origins
    (('person', 'vehicle'), [0, 1, 1], (('person',), ('car', 'truck')))
    """

    def __init__(self, own: Sequence[str], rename: Rename | None) -> None:
        new = _checked(rename, own)
        self.names = {label: new.get(label, label) for label in own}
        self.labels = tuple(dict.fromkeys(name for name in self.names.values() if name is not None))
        if own and not self.labels:
            raise wrong("rename", rename, "at least one label that is not left out")
        index: dict[str | None, int] = {name: n for n, name in enumerate(self.labels)}
        classes = [index.get(self.names[label], -1) for label in own]
        self.classes: npt.NDArray[np.int32] = np.array(classes, np.int32)
        self.origins = tuple(
            tuple(old for old, name in self.names.items() if name == label) for label in self.labels
        )

    @property
    def merges(self) -> bool:
        """Whether a new label stands for several."""
        return any(len(old) > 1 for old in self.origins)


def _checked(rename: Any, own: Sequence[str]) -> Rename:
    if rename is None:
        return {}
    if not isinstance(rename, Mapping) or not all(map(_is_name, rename.values())):
        raise wrong("rename", rename, "new names of labels, such as {car: vehicle, truck: vehicle}")
    for old in rename:
        if old not in own:
            near = did_you_mean(str(old), own)
            guess = f"{near} The" if near.endswith("?") else "the"
            raise ConfigError(f"rename: no label {old!r}; {guess} labels are {_listed(own)}")
    return rename


def _is_name(value: Any) -> bool:
    return value is None or (isinstance(value, str) and value != "")


def _listed(labels: Sequence[str]) -> str:
    more = len(labels) - MAX_LISTED
    return ", ".join(labels[:MAX_LISTED]) + (f" and {more} more" if more > 0 else "")
