import numpy as np
import pytest

from tests.vidan.test_modelspec import LETTERBOXED
from vidan.errors import ModelError
from vidan.modelspec import ModelSpec, Selection
from vidan_plugins.detectors.base import ModelDetector
from vidan_plugins.detectors.native.model import NativeModel, letterbox_batch

from ..models import LABELS, plain

SPEC = ModelSpec(labels=LABELS, input_size=(64, 96), pad=7)


@pytest.mark.parametrize(("width", "height", "inside"), LETTERBOXED)
def test_letterboxed_images_are_at_the_top_left(width, height, inside):
    (image,), (scale,) = letterbox_batch([plain(200, width, height)], SPEC)
    w, h = inside
    assert (image[:h, :w] == 200).all()
    assert (image[h:] == 7).all()
    assert (image[:, w:] == 7).all()
    assert scale == (w / width, h / height)


def test_frames_of_several_sizes_are_letterboxed():
    batch, scales = letterbox_batch([plain(1), plain(2, 96, 32)], SPEC)
    assert (batch.shape, batch.dtype) == ((2, 64, 96, 3), np.uint8)
    assert batch[:, 0, 0, 0].tolist() == [1, 2]
    assert [scale.x for scale in scales] == [0.5, 1.0]
    assert letterbox_batch([], SPEC)[0].shape == (0, 64, 96, 3)


class Network:
    """Finds one box in each image, whose class is the image's first pixel."""

    def __init__(self):
        self.batches = []

    def __call__(self, batch):
        self.batches.append(len(batch))
        boxes = np.tile(np.float32([[10, 10, 20, 19]]), (len(batch), 1, 1))
        scores = np.zeros((len(batch), 1, 3), np.float32)
        scores[np.arange(len(batch)), 0, batch[:, 0, 0, 0]] = 0.8
        return boxes, scores


def detector(network, batch=8):
    return NativeModel(SPEC, Selection(0.5), batch, network)


def with_frames(model, frames):
    """The detections of `ModelDetector`, without its warm-up."""
    model.warm_up = lambda: None
    return ModelDetector("m", model, None).detect(frames)


@pytest.mark.parametrize(("batch", "batches"), [(8, [3]), (1, [1, 1, 1]), (2, [2, 1])])
def test_runs_are_no_larger_than_the_batch_size(batch, batches):
    network = Network()
    frames = [plain(2), plain(0), plain(1, 100, 30)]
    found = with_frames(detector(network, batch), frames)
    assert network.batches == batches
    assert [each.classes.tolist() for each in found] == [[2], [0], [1]]
    # 192x128 was halved.
    np.testing.assert_allclose(found[0].boxes, [[20, 20, 40, 38]])
    # 100x30 became 96x29: x by 0.96 and y by 29/30, so 19 is 19.66 of 30 px.
    np.testing.assert_allclose(
        found[2].boxes, [[10 / 0.96, 300 / 29, 20 / 0.96, 570 / 29]], rtol=1e-6
    )


def test_without_frames_nothing_is_run():
    network = Network()
    assert with_frames(detector(network), []) == []
    assert network.batches == []


def test_warm_up_runs_the_network_and_reports_failures():
    network = Network()
    with pytest.raises(ModelError, match="it does not run: index 7 is out of bounds"):
        detector(network).warm_up()  # the blank image is 7, the pad
    assert network.batches == [1]


@pytest.mark.parametrize(
    ("boxes", "scores", "message"),
    [
        ((1, 5, 4), (1, 5, 2), "it has 2 classes, but there are 3 labels"),
        ((1, 5, 4), (1, 6, 3), r"got \[1, 5, 4\] and \[1, 6, 3\]"),
        ((5, 4), (5, 3), r"expected boxes \[1,K,4\] and scores \[1,K,C\]"),
        ((2, 5, 4), (2, 5, 3), "got"),
    ],
)
def test_outputs_of_other_shapes_are_rejected(boxes, scores, message):
    network = detector(lambda batch: (np.zeros(boxes), np.zeros(scores)))
    with pytest.raises(ModelError, match=message):
        network.warm_up()
    with pytest.raises(ModelError, match=message):
        network.detect([plain(0)])


def test_features_stay_with_their_boxes():
    # Box 0 covers box 1 (IoU 90/100), box 2 is below the threshold: 3 and 0 remain, in this order.
    boxes = np.float32([[0, 0, 10, 10], [0, 0, 10, 9], [30, 0, 40, 10], [50, 0, 60, 10]])
    scores = np.float32([[0.7, 0, 0], [0.6, 0, 0], [0.1, 0, 0], [0.9, 0, 0]])
    features = np.float32([[1, 0], [2, 0], [3, 0], [4, 0]])
    (found,) = detector(lambda batch: (boxes[None], scores[None], features[None])).detect(
        [plain(0, 96, 64)]
    )
    assert found.features.tolist() == [[4, 0], [1, 0]]
    assert found.features.dtype == np.float32


def test_a_wrong_number_of_features_is_rejected():
    network = lambda batch: (np.zeros((1, 2, 4)), np.zeros((1, 2, 3)), np.zeros((1, 3, 8)))  # noqa: E731
    with pytest.raises(ModelError, match=r"expected features \[1,2,D\], got \[1, 3, 8\]"):
        detector(network).warm_up()
