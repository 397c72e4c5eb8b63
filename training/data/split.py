"""Training and validation split: by seed, stratified, near duplicates kept together."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np

from .sample import Sample


def read_groups(path: Path) -> list[tuple[str, ...]]:
    """Groups of file names: the first two words of each line are images that look alike."""
    if not path.is_file():
        return []
    lines = path.read_text(encoding="utf-8").splitlines()
    return [tuple(line.split()[:2]) for line in lines if len(line.split()) >= 2]


def split(
    samples: Sequence[Sample],
    share: float,
    seed: int,
    groups: Iterable[Sequence[str]] = (),
) -> tuple[list[Sample], list[Sample]]:
    """Divide samples into training and validation.

    Images that share a group, also through a third, stay on one side. Strata are the rarest
    class in the image (or group), so that each class comes into both parts as often as its
    share says.

    Args:
        samples: all images.
        share: of the images that goes to validation, in (0,1).
        seed: the same seed and samples give the same split.
        groups: names of images that belong together.
    """
    classes = np.concatenate([s.classes for s in samples])
    counts = np.bincount(classes[classes >= 0])
    strata: dict[int, list[list[Sample]]] = {}
    for members in _together(samples, groups):
        present = np.unique(np.concatenate([s.classes for s in members]))
        present = present[present >= 0]  # without what is not to be judged
        rarest = int(present[np.argmin(counts[present])]) if len(present) else -1
        strata.setdefault(rarest, []).append(members)
    rng = np.random.default_rng(seed)
    training: list[Sample] = []
    validation: list[Sample] = []
    for stratum in sorted(strata):
        clusters = strata[stratum]
        wanted = round(share * sum(map(len, clusters)))
        taken = 0
        for i in rng.permutation(len(clusters)):
            side = validation if taken + len(clusters[i]) <= wanted else training
            taken += len(clusters[i]) if side is validation else 0
            side.extend(clusters[i])
    return sorted(training, key=_name), sorted(validation, key=_name)


def _together(samples: Sequence[Sample], groups: Iterable[Sequence[str]]) -> list[list[Sample]]:
    """Clusters of samples connected by groups (union-find by names), in order of name."""
    leader = {_name(s): _name(s) for s in samples}

    def find(name: str) -> str:
        while leader[name] != name:
            name = leader[name]
        return name

    for group in groups:
        known = [name for name in group if name in leader]
        for other in known[1:]:
            leader[find(other)] = find(known[0])
    clusters: dict[str, list[Sample]] = {}
    for sample in sorted(samples, key=_name):
        clusters.setdefault(find(_name(sample)), []).append(sample)
    return list(clusters.values())


def _name(sample: Sample) -> str:
    return sample.name
