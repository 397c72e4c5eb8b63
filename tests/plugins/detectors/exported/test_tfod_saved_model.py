import numpy as np
import pytest

from vidan.errors import ModelError
from vidan.modelspec import Selection
from vidan_plugins.detectors.exported.tfod_saved_model import TfodModel, check_tfod, is_tfod
from vidan_plugins.detectors.native.signature import Signature, Tensor

from ..models import plain

LABELS = {1: "mask", 3: "bare"}


def network(boxes, scores, ids, count=None):
    """A network that finds the same in every image, and stores the images."""
    seen = []

    def run(batch):
        seen.append(batch)
        return {
            "detection_boxes": np.float32([boxes]).reshape(1, -1, 4),
            "detection_scores": np.float32([scores]),
            "detection_classes": np.float32([ids]),
            "num_detections": np.float32([len(boxes) if count is None else count]),
        }

    run.seen = seen
    return run


def model(run, size=None, **selection):
    return TfodModel(size, LABELS, Selection(**({"threshold": 0.5} | selection)), run)


def test_yxyx_fractions_become_xyxy_px():
    # y 0.1..0.6 of 100 px, x 0.25..0.5 of 200 px
    run = network([[0.1, 0.25, 0.6, 0.5]], [0.9], [3])
    (found,) = model(run).detect([plain(0, 200, 100)])
    np.testing.assert_allclose(found.boxes, [[50, 10, 100, 60]], rtol=1e-6)
    np.testing.assert_allclose(found.scores, [0.9])
    assert found.classes.tolist() == [1]  # the second label: ids have a gap


def test_valid_rows_that_reach_the_threshold_are_kept():
    boxes = [[0, 0, 0.1, 0.1], [0.2, 0, 0.3, 0.1], [0.4, 0, 0.5, 0.1], [0.6, 0, 0.7, 0.1]]
    run = network(boxes, [0.9, 0.5, 0.4, 0.9], [1, 3, 9, 9], count=3)
    (found,) = model(run).detect([plain(0)])
    assert found.classes.tolist() == [0, 1]


def test_class_agnostic_suppression():
    run = network([[0, 0, 0.5, 0.5], [0, 0, 0.5, 0.5]], [0.8, 0.9], [1, 3])
    assert len(model(run).detect([plain(0)])[0]) == 2
    (found,) = model(run, class_agnostic=True).detect([plain(0)])
    assert found.classes.tolist() == [1]


@pytest.mark.parametrize(("size", "shape"), [(None, (1, 50, 80, 3)), ((32, 48), (1, 32, 48, 3))])
def test_the_image_is_scaled_only_if_the_input_size_is_fixed(size, shape):
    run = network([[0, 0, 1, 1]], [0.9], [1])
    (found,) = model(run, size).detect([plain(9, 80, 50)])
    assert (run.seen[0].shape, run.seen[0].max()) == (shape, 9)
    assert found.boxes.tolist() == [[0, 0, 80, 50]]


@pytest.mark.parametrize("stranger", [0, 2, 4, -1])
def test_classes_without_a_label_are_rejected(stranger):
    run = network([[0, 0, 1, 1]], [0.9], [stranger])
    with pytest.raises(ModelError, match=f"^it found class {stranger} .*which the labels do not"):
        model(run).detect([plain(0)])


def test_warm_up_reports_failures():
    model(network([], [], [])).warm_up()
    with pytest.raises(ModelError, match=r"^expected scores in \[0,1\], got 2"):
        model(network([[0, 0, 1, 1]], [2], [1])).warm_up()
    with pytest.raises(ModelError, match="got 1, 2 and 2"):
        model(network([[0, 0, 1, 1]], [0.5, 0.5], [1, 1], count=2)).warm_up()

    def broken(batch):
        raise RuntimeError(f"no room for\n{batch.shape}")

    with pytest.raises(ModelError, match=r"^it does not run: no room for \(1, 320, 320, 3\)"):
        model(broken).warm_up()


IMAGE = Tensor("uint8", (1, None, None, 3))
OUTPUTS = {
    "detection_boxes": Tensor("float32", (1, 100, 4)),
    "detection_scores": Tensor("float32", (1, 100)),
    "detection_classes": Tensor("float32", (1, 100)),
    "num_detections": Tensor("float32", (1,)),
    "raw_detection_boxes": Tensor("float32", (1, 49104, 4)),
}


def test_the_format_is_recognized():
    right = Signature({"input_tensor": IMAGE}, OUTPUTS)
    assert is_tfod(right)
    assert check_tfod(right) is None
    fixed = Signature({"input_tensor": Tensor("uint8", (1, 320, 640, 3))}, OUTPUTS)
    assert check_tfod(fixed) == (320, 640)
    assert not is_tfod(Signature({"images": IMAGE}, {"boxes": IMAGE}))


@pytest.mark.parametrize(
    "wrong",
    [
        Signature({"input_tensor": Tensor("float32", (1, None, None, 3))}, OUTPUTS),
        Signature({"input_tensor": Tensor("string", (1,))}, OUTPUTS),
        Signature({"x": IMAGE}, OUTPUTS),
        Signature({"input_tensor": IMAGE}, {"detection_boxes": OUTPUTS["detection_boxes"]}),
        Signature({"input_tensor": IMAGE}, OUTPUTS | {"num_detections": Tensor("int32", (1,))}),
    ],
)
def test_other_formats_are_rejected(wrong):
    with pytest.raises(ModelError, match=r"^expected input input_tensor uint8 .* it has inputs"):
        check_tfod(wrong)
