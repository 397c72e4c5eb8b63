"""Split of samples into training and validation: seeded, stratified, near duplicates together."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np

from .sample import Sample


def read_groups(path: Path) -> list[tuple[str, ...]]:
    """Read groups of near duplicates: the first two words of each line are file names."""
    if not path.is_file():
        return []
    lines = path.read_text(encoding="utf-8").splitlines()
    return [tuple(line.split()[:2]) for line in lines if len(line.split()) >= 2]


def split(
    samples: Sequence[Sample],
    fraction: float,
    seed: int,
    groups: Iterable[Sequence[str]] = (),
) -> tuple[list[Sample], list[Sample]]:
    """Split samples into training and validation.

    Images that are connected by groups, directly or through others, end up on the same side.
    The split is stratified by the rarest class of each image or group, so that every class is
    represented in both parts in proportion.

    Args:
        samples: all samples.
        fraction: fraction of the images that goes to validation, in (0,1).
        seed: the same seed and samples give the same split.
        groups: names of images that must stay together.

    Returns:
        Training and validation samples, each sorted by name.
    """
    classes = np.concatenate([s.classes for s in samples])
    counts = np.bincount(classes[classes >= 0])
    strata: dict[int, list[list[Sample]]] = {}
    for members in _clusters(samples, groups):
        present = np.unique(np.concatenate([s.classes for s in members]))
        present = present[present >= 0]  # without ignored boxes
        rarest = int(present[np.argmin(counts[present])]) if len(present) else -1
        strata.setdefault(rarest, []).append(members)
    rng = np.random.default_rng(seed)
    training: list[Sample] = []
    validation: list[Sample] = []
    for stratum in sorted(strata):
        clusters = strata[stratum]
        target = round(fraction * sum(map(len, clusters)))
        taken = 0
        for i in rng.permutation(len(clusters)):
            side = validation if taken + len(clusters[i]) <= target else training
            taken += len(clusters[i]) if side is validation else 0
            side.extend(clusters[i])
    return sorted(training, key=_name), sorted(validation, key=_name)


def _clusters(samples: Sequence[Sample], groups: Iterable[Sequence[str]]) -> list[list[Sample]]:
    """Samples connected by groups (union-find over names), sorted by name."""
    parent = {_name(s): _name(s) for s in samples}

    def find(name: str) -> str:
        while parent[name] != name:
            name = parent[name]
        return name

    for group in groups:
        known = [name for name in group if name in parent]
        for other in known[1:]:
            parent[find(other)] = find(known[0])
    clusters: dict[str, list[Sample]] = {}
    for sample in sorted(samples, key=_name):
        clusters.setdefault(find(_name(sample)), []).append(sample)
    return list(clusters.values())


def _name(sample: Sample) -> str:
    return sample.name
