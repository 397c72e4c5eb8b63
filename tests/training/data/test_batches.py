import numpy as np
import pytest

pytest.importorskip("tensorflow", reason="needs the extra: pip install vidan[train]")

from vidan_training.data.augment import Augmentation
from vidan_training.data.batches import Batches, sampling_weights
from vidan_training.data.formats import read
from vidan_training.data.sample import Sample
from vidan_training.model.anchors import AnchorShapes, make_anchors

from ..drawn import draw

ANCHORS = make_anchors(128, 128, AnchorShapes(2.0, 1, (1.0,)))


@pytest.fixture
def samples(tmp_path):
    return read(draw(tmp_path / "data", 7), "voc", one_based=False).samples()


def batches(samples, **options):
    values = {"size": 128, "input_size": (128, 128), "batch_size": 2, "seed": 1} | options
    return Batches(samples, ANCHORS, augmentation=Augmentation(), **values)


def test_shapes_of_a_batch(samples):
    loader = batches(samples)
    images, targets = loader[0]
    assert len(loader) == 3  # 7 images, 2 at a time, rounded down
    assert (images.shape, images.dtype) == ((2, 128, 128, 3), np.uint8)
    assert targets["class"].shape == (2, len(ANCHORS), 2)
    assert targets["box"].shape == (2, len(ANCHORS), 5)


def test_a_resumed_epoch_sees_the_same_views(samples):
    first, second = batches(samples), batches(samples, epoch=1)
    before = first[0][0]
    first.on_epoch_end()
    (images, targets), (again, same) = first[0], second[0]
    assert (images == again).all()
    assert (targets["class"] == same["class"]).all()
    assert not (images == before).all()


def test_without_weights_an_epoch_shows_every_image_once(samples):
    order = batches(samples, batch_size=7).sample_order(0)
    assert sorted(order.tolist()) == list(range(7))


def test_weights_set_how_often_images_appear(samples):
    loader = batches(samples, weights=[1, 1, 1, 1, 1, 3, 1])
    counts = np.bincount(np.concatenate([loader.sample_order(e) for e in range(60)]), minlength=7)
    assert counts[5] / counts[:5].mean() == pytest.approx(3, rel=0.2)


def test_the_weight_of_an_image_is_the_largest_factor_of_its_classes():
    samples = [
        Sample(None, np.zeros((len(c), 4), np.float32), np.array(c, np.int32))
        for c in ([0], [0, 1], [])
    ]
    assert sampling_weights(samples, {0: 1.0, 1: 2.5}) == [1.0, 2.5, 1.0]
