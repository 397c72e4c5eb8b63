"""Training batches: cached images, seeded augmentation, assigned targets."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import keras
import numpy as np
import numpy.typing as npt

from vidan.types import Image

from ..arrays import FloatArray
from .augment import Augmentation, augment, mosaic
from .sample import Objects, Sample
from .targets import Matching, assign_targets

DEFAULT_MATCHING = Matching()


class Batches(keras.utils.PyDataset):
    """Augmented batches, epoch after epoch.

    The content of a batch depends only on the seed, the epoch and the index of the batch, so
    that a resumed run sees the views that an uninterrupted one would have seen.

    Args:
        samples: the training samples.
        anchors: (A,4) xyxy, px of a view.
        size: side of a view, px.
        input_size: height and width of the model's input, px; see `augment`.
        batch_size: views in a batch, N.
        augmentation: how views are varied.
        seed: of the whole run.
        weights: relative frequency of each sample; None draws all equally often.
        epoch: the epoch to start with, from 0.
        matching: rules of the target assignment.
        workers: threads that prepare batches.
    """

    def __init__(
        self,
        samples: Sequence[Sample],
        anchors: FloatArray,
        size: int,
        input_size: tuple[int, int],
        batch_size: int,
        augmentation: Augmentation,
        seed: int,
        weights: Sequence[float] | None = None,
        epoch: int = 0,
        matching: Matching = DEFAULT_MATCHING,
        workers: int = 1,
    ) -> None:
        super().__init__(workers=workers, use_multiprocessing=False, max_queue_size=8)
        self.samples, self.anchors = samples, anchors
        self.size, self.input_size, self.batch_size = size, input_size, batch_size
        self.augmentation, self.seed, self.epoch = augmentation, seed, epoch
        weighting = np.ones(len(samples)) if weights is None else np.asarray(weights, np.float64)
        self.probabilities = weighting / weighting.sum()
        self.matching = matching
        self._images: dict[int, Image] = {}

    def __len__(self) -> int:
        """Batches in an epoch: one view per sample, rounded down to whole batches."""
        return max(1, len(self.samples) // self.batch_size)

    def on_epoch_end(self) -> None:
        """Advance to the next epoch."""
        self.epoch += 1

    def __getitem__(self, index: int) -> tuple[npt.NDArray[np.uint8], dict[str, FloatArray]]:
        """Views (N,size,size,3) uint8, and the targets of the heads `class` and `box`."""
        first = index * self.batch_size
        images, classes, boxes = [], [], []
        order = self.sample_order(self.epoch)
        for position, i in enumerate(order[first : first + self.batch_size]):
            rng = np.random.default_rng([self.seed, self.epoch, index, position])
            view, objects = self._view(int(i), rng)
            class_targets, box_targets = assign_targets(objects, self.anchors, self.matching)
            images.append(view)
            classes.append(class_targets)
            boxes.append(box_targets)
        return np.stack(images), {"class": np.stack(classes), "box": np.stack(boxes)}

    def _view(self, i: int, rng: np.random.Generator) -> tuple[Image, Objects]:
        """A random view of sample i, or a mosaic of it and three others."""
        if not self.augmentation.mosaic or rng.random() >= self.augmentation.mosaic:
            return self._augmented(i, self.size, rng)
        members = [i, *rng.choice(len(self.samples), 3, p=self.probabilities)]
        return mosaic([self._augmented(int(m), self.size // 2, rng) for m in members])

    def _augmented(self, i: int, size: int, rng: np.random.Generator) -> tuple[Image, Objects]:
        # A tile of a mosaic is a smaller view, but its image is scaled like any other.
        return augment(
            self._image(i),
            self.samples[i].objects,
            size,
            self.input_size,
            self.augmentation,
            rng,
        )

    def sample_order(self, epoch: int) -> npt.NDArray[np.int64]:
        """Indices of the samples that an epoch shows, in order: (len * batch_size,)."""
        rng = np.random.default_rng([self.seed, epoch])
        count = len(self) * self.batch_size
        # Low-variance sampling: evenly spaced points on the cumulative distribution, shifted
        # once at random.
        points = (np.arange(count) + rng.random()) / count
        cumulative = np.cumsum(self.probabilities)[:-1]
        return rng.permutation(np.searchsorted(cumulative, points, "right"))

    def _image(self, i: int) -> Image:
        """The image of sample i; decoded once and kept."""
        if i not in self._images:
            self._images[i] = self.samples[i].image()
        return self._images[i]


def sampling_weights(samples: Sequence[Sample], factors: Mapping[int, float]) -> list[float]:
    """Relative frequency of each sample: the largest factor of its classes, at least 1."""
    return [max([1.0] + [factors.get(int(c), 1.0) for c in s.classes]) for s in samples]
