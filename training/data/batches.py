"""Batches for training: cached images, seeded views, matched targets."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import keras
import numpy as np

from vidan.types import Image

from ..arrays import FloatArray
from .augment import Augmentation, augment, mosaic
from .sample import Sample
from .targets import Matching, assign

DEFAULT_MATCHING = Matching()


class Batches(keras.utils.PyDataset):
    """One epoch after the other of augmented batches.

    What a batch holds depends on seed, epoch and its number alone, so that a run that was cut
    off and resumed sees what it would have seen.
    """

    def __init__(
        self,
        samples: Sequence[Sample],
        anchors: FloatArray,
        size: int,
        reference: int,
        batch: int,
        options: Augmentation,
        seed: int,
        chances: Sequence[float] | None = None,
        epoch: int = 0,
        matching: Matching = DEFAULT_MATCHING,
        workers: int = 1,
    ) -> None:
        """Size and reference: see `augment`; chances: how often each sample comes, relative."""
        super().__init__(workers=workers, use_multiprocessing=False, max_queue_size=8)
        self.samples, self.anchors = samples, anchors
        self.size, self.reference, self.batch = size, reference, batch
        self.options, self.seed, self.epoch = options, seed, epoch
        weights = np.ones(len(samples)) if chances is None else np.asarray(chances, np.float64)
        self.chances = weights / weights.sum()
        self.matching = matching
        self._images: dict[int, Image] = {}

    def __len__(self) -> int:
        """Batches in an epoch; as many images as there are samples, rounded down."""
        return max(1, len(self.samples) // self.batch)

    def on_epoch_end(self) -> None:
        """Go on to the next epoch's views."""
        self.epoch += 1

    def __getitem__(self, index: int) -> tuple[Any, dict[str, FloatArray]]:
        """Images (N,size,size,3) uint8, and the targets of the heads `class` and `box`."""
        drawn = self._drawn(self.epoch)[index * self.batch : (index + 1) * self.batch]
        images, classes, boxes = [], [], []
        for place, i in enumerate(drawn):
            rng = np.random.default_rng([self.seed, self.epoch, index, place])
            view, view_boxes, view_classes = self._view(int(i), rng)
            class_targets, box_targets = assign(
                view_boxes, view_classes, self.anchors, self.matching
            )
            images.append(view)
            classes.append(class_targets)
            boxes.append(box_targets)
        return np.stack(images), {"class": np.stack(classes), "box": np.stack(boxes)}

    def _view(self, i: int, rng: np.random.Generator) -> tuple[Image, FloatArray, Any]:
        """A random view of sample i, or a mosaic of it and three others."""
        if not self.options.mosaic or rng.random() >= self.options.mosaic:
            return self._augmented(i, self.size, rng)
        members = [i, *rng.choice(len(self.samples), 3, p=self.chances)]
        return mosaic([self._augmented(int(m), self.size // 2, rng) for m in members])

    def _augmented(
        self, i: int, size: int, rng: np.random.Generator
    ) -> tuple[Image, FloatArray, Any]:
        sample = self.samples[i]
        image = self._image(i)
        # A tile is a smaller view of an image that is scaled like any other.
        return augment(image, sample.boxes, sample.classes, size, self.reference, self.options, rng)

    def _drawn(self, epoch: int) -> Any:
        """Which samples the epoch shows, (len * batch,)."""
        rng = np.random.default_rng([self.seed, epoch])
        count = len(self) * self.batch
        # Low-variance sampling: evenly spaced points on the cumulated chances, one random shift.
        points = (np.arange(count) + rng.random()) / count
        return rng.permutation(np.searchsorted(np.cumsum(self.chances)[:-1], points, "right"))

    def _image(self, i: int) -> Image:
        """An image, decoded once."""
        if i not in self._images:
            self._images[i] = self.samples[i].image()
        return self._images[i]


def chances(samples: Sequence[Sample], factors: Mapping[int, float]) -> list[float]:
    """How often to show each sample: the largest factor among its classes, 1 without one."""
    return [max([1.0] + [factors.get(int(c), 1.0) for c in s.classes]) for s in samples]
