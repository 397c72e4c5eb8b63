"""Exported formats agree with the model and describe it; int8; appearance features."""

import json

import numpy as np
import pytest

pytest.importorskip("tf2onnx", reason="needs the extra: pip install vidan[train]")

import cv2
import keras
import onnx
import onnxruntime
import tensorflow as tf

from vidan.errors import ConfigError
from vidan.formats import labelmap
from vidan.frames import ArrayFrame
from vidan.modelspec import ModelSpec, Scale
from vidan_plugins.detectors.native import model as efficientdet
from vidan_plugins.detectors.onnx import OnnxDetector
from vidan_plugins.detectors.savedmodel import SavedModelDetector
from vidan_training.evaluation.predict import load_onnx, select
from vidan_training.export import command, parity, quantize, tfod_saved_model
from vidan_training.export import onnx as export_onnx
from vidan_training.export.serving import Serving, decode_selected, to_center_form
from vidan_training.model import backbones
from vidan_training.model import efficientdet as model
from vidan_training.model.anchors import AnchorShapes, make_anchors
from vidan_training.model.box_coder import decode
from vidan_training.model.box_features import pool_box_features
from vidan_training.model.spec import TrainedModelSpec
from vidan_training.weights.npz import save

from ..drawn import draw

SHAPES = AnchorShapes(scale=2.0, octaves=1, ratios=(1.0,))
SPEC = TrainedModelSpec(
    architecture="tiny",
    labels=("disc", "square"),
    input_size=(128, 128),
    anchors=SHAPES,
    threshold=0.4,
    provenance={"from": "a test"},
)


@pytest.fixture(scope="module")
def tiny():
    """A small network with random weights that produce different scores."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(backbones.SCALINGS, "tiny", backbones.CompoundScaling(0.25, 0.3, lite=True))
        patch.setitem(model.ARCHITECTURES, "tiny", model.Architecture("tiny", 16, 1, 1))
        patch.setattr(export_onnx, "MIN_HALF_SIZE", 64)
        keras.utils.set_random_seed(3)
        network = model.efficientdet("tiny", 2, SHAPES)
        rng = np.random.default_rng(0)
        for layer in network.layers:
            if layer.name.endswith("_predict"):
                kernel = layer.pointwise_kernel
                kernel.assign(rng.normal(0, 0.4, kernel.shape))
        yield network


@pytest.fixture(scope="module")
def images(tmp_path_factory):
    folder = draw(tmp_path_factory.mktemp("drawn") / "data", 4)
    return folder, list(
        quantize.network_inputs(quantize.calibration_samples(str(folder), 3), SPEC.input_size)
    )


def test_all_formats_agree(tiny, images, tmp_path):
    pytest.importorskip("openvino", reason="needs the extra: pip install vidan[openvino]")
    formats = list(parity.compare(tiny, SPEC, images[1], tmp_path))
    assert len(formats) == 4
    for name, score, px in formats:
        full = "float16" not in name
        assert score < (1e-4 if full else 1e-2), name
        assert px < (0.1 if full else 2.0), name


@pytest.fixture(scope="module")
def files(tiny, tmp_path_factory):
    """The tiny network as ONNX in float32 and as a SavedModel, with features."""
    folder = tmp_path_factory.mktemp("files")
    serving = Serving(tiny, SPEC, features=True)
    command.export_onnx(serving, SPEC, folder / "m.onnx", half=False)
    command.export_savedmodel(serving, SPEC, folder / "saved")
    return folder


def frames(folder):
    """Drawn images that are scaled down and up, in landscape and portrait format."""
    drawn = [sample.image() for sample in quantize.calibration_samples(str(folder), 3)]
    sizes = (120, 100), (100, 170), (333, 200)
    for n, (image, size) in enumerate(zip(drawn, sizes, strict=True)):
        rgb = cv2.resize(image, size, interpolation=cv2.INTER_LINEAR)
        yield ArrayFrame(rgb, index=n, time=0.0, captured=0.0, stream="drawn")


def test_all_formats_have_the_same_detections(tiny, images, files):
    """After suppression, in Keras, SavedModel, ONNX Runtime and OpenVINO with float32."""
    pytest.importorskip("openvino", reason="needs the extra: pip install vidan[openvino]")
    runs = {
        "Keras": parity.keras_function(tiny, SPEC),
        "SavedModel": parity.load_savedmodel(files / "saved"),
        "ONNX Runtime": load_onnx(files / "m.onnx"),
        "OpenVINO": parity.load_openvino(files / "m.onnx"),
    }
    for image in images[1]:
        found = {
            name: select(*(each[0] for each in run(image)), Scale(1, 1), SPEC.input_size[::-1])
            for name, run in runs.items()
        }
        truth = found.pop("Keras")
        least = clear_threshold(truth.scores)
        for name, ours in found.items():
            check_same(name, ours, truth, least, score=1e-3, px=0.1)


def test_the_object_detection_api_signature_has_the_detections_of_onnx(images, files):
    inputs = list(frames(images[0]))
    options = {"threshold": 0.01}
    one = OnnxDetector(str(files / "m.onnx"), backend="onnxruntime", **options)
    other = SavedModelDetector(str(files / "saved"), signature="serving_default", **options)
    assert one.labels == other.labels == SPEC.labels
    for truth, ours in zip(one.detect(inputs), other.detect(inputs), strict=True):
        # Pixels may be rounded differently, which matters more in an image that is scaled up.
        check_same("the API", ours, truth, clear_threshold(truth.scores), score=0.01, px=1.0)


def clear_threshold(scores):
    """A threshold in the widest gap between the third and the eleventh best score."""
    gaps = scores[2:10] - scores[3:11]
    n = int(gaps.argmax())
    return float(scores[2 + n] + scores[3 + n]) / 2


def check_same(name, found, truth, least, score, px):
    ours, theirs = found.scores >= least, truth.scores >= least
    assert ours.sum() == theirs.sum() >= 3, name
    for row in np.flatnonzero(theirs):  # nearly equal scores may be sorted differently
        distance = np.abs(found.boxes - truth.boxes[row]).max(axis=1)
        n = int(distance.argmin())
        assert distance[n] < px, name
        assert found.classes[n] == truth.classes[row], name
        assert found.scores[n] == pytest.approx(truth.scores[row], abs=score), name


def test_the_savedmodel_is_called_like_those_of_the_object_detection_api(images, files):
    (frame, *_) = frames(images[0])
    call = tf.saved_model.load(str(files / "saved"))
    outputs = {name: value.numpy() for name, value in call(frame.rgb()[None]).items()}
    assert {name: value.shape for name, value in outputs.items()} == {
        "detection_boxes": (1, 100, 4),
        "detection_scores": (1, 100),
        "detection_classes": (1, 100),
        "num_detections": (1,),
    }
    count = int(outputs["num_detections"][0])
    assert 0 < count <= 100
    boxes, scores, ids = (
        outputs[f"detection_{name}"][0] for name in ("boxes", "scores", "classes")
    )
    assert (np.diff(scores) <= 0).all()
    assert set(ids[:count]) <= {1.0, 2.0}
    assert not scores[count:].any()
    assert boxes.min() >= 0
    assert boxes.max() <= 1
    label_map = (files / "saved/label_map.pbtxt").read_text()
    assert [item.label for item in labelmap.parse(label_map)] == list(SPEC.labels)


def test_the_savedmodel_has_features(images, files):
    one = SavedModelDetector(str(files / "saved"), threshold=0.01)
    other = OnnxDetector(str(files / "m.onnx"), backend="onnxruntime", threshold=0.01)
    inputs = list(frames(images[0]))
    for ours, theirs in zip(one.detect(inputs), other.detect(inputs), strict=True):
        assert ours.features.shape == (len(ours), 8 * 16)
        n = (
            np.abs(ours.boxes - theirs.boxes[0]).max(axis=1).argmin()
        )  # ties may be sorted differently
        np.testing.assert_allclose(ours.features[n], theirs.features[0], atol=1e-2)


@pytest.mark.parametrize("size", [(120, 100), (64, 64), (40, 30), (100, 333), (129, 128)])
def test_the_graph_letterboxes_like_the_detectors(size):
    width, height = size
    y, x = np.mgrid[:height, :width]
    rgb = np.stack([x * 255 / width, y * 255 / height, (x + y) % 60], -1).astype(np.uint8)
    frame = ArrayFrame(rgb, index=0, time=0.0, captured=0.0, stream="drawn")
    spec = ModelSpec.from_json(json.dumps(SPEC.to_json()))
    theirs, (scale,) = efficientdet.letterbox_batch([frame], spec)
    ours, shown = tfod_saved_model.letterbox(tf.constant(rgb[None]), SPEC.input_size)
    assert shown.numpy() == pytest.approx([width * scale.x, height * scale.y] * 2)
    assert np.abs(ours.numpy().astype(int) - theirs).max() <= 1


def test_the_difference_is_that_of_the_nearest_box():
    boxes = np.float32([[[0, 0, 10, 10], [50, 50, 60, 60]]])
    scores = np.float32([[[0.9], [0.8]]])
    moved = boxes[:, ::-1] + np.float32(0.25)
    assert parity.max_difference((boxes, scores), (moved, scores[:, ::-1] - np.float32(0.125))) == (
        pytest.approx((0.125, 0.25))
    )


def test_selected_boxes_are_decoded_like_all_boxes():
    anchors = make_anchors(128, 128, SHAPES)
    codes = np.random.default_rng(0).normal(0, 1, (1, len(anchors), 4)).astype(np.float32)
    ours = decode_selected(tf.constant(codes), tf.constant(to_center_form(anchors)[None]))
    assert np.asarray(ours) == pytest.approx(np.asarray(decode(codes, anchors)), abs=1e-3)


def test_features_are_means_of_stripes():
    # A map whose values are the centers (x, y) of its cells in px. The box is 16 to 48 px along x
    # and 16 to 80 along y, in 8 stripes of 8 px, whose centers are at 20, 28 ... 76.
    stride = 8
    middle = (np.arange(16) + 0.5) * stride
    level = np.stack(np.meshgrid(middle, middle), -1).astype(np.float32)[None]
    vector = np.asarray(
        pool_box_features(tf.constant(level), tf.constant([[[16.0, 16, 48, 80]]]), stride)
    )[0, 0]
    expected = np.column_stack([np.full(8, 32.0), 20.0 + 8 * np.arange(8)]).ravel()
    assert vector == pytest.approx(expected / np.linalg.norm(expected), abs=1e-5)


def test_features_are_the_third_output(images, files):
    session = onnxruntime.InferenceSession(str(files / "m.onnx"))
    batch = np.concatenate(images[1])
    names = ["boxes", "scores", "features"]
    boxes, _, features = session.run(names, {"images": batch})
    assert features.shape == (3, boxes.shape[1], 8 * 16)
    assert np.linalg.norm(features, axis=-1) == pytest.approx(1, abs=1e-4)
    one = session.run(names, {"images": batch[1:2]})  # images of a batch are independent
    assert one[2][0] == pytest.approx(features[1], abs=1e-3)


@pytest.mark.slow
def test_half_precision_makes_the_file_smaller_and_hardly_changes_scores(tiny, images, tmp_path):
    weights, half = tmp_path / "tiny.npz", tmp_path / "half.npz"
    save(tiny, weights, metadata=json.dumps(SPEC.to_json()))
    assert command.main([f"weights={weights}", f"npz={half}"]) == 0
    small, full = tmp_path / "small.onnx", tmp_path / "full.onnx"
    assert command.main([f"weights={weights}", f"onnx={small}"]) == 0
    assert command.main([f"weights={half}", f"onnx={full}", "half=false"]) == 0
    assert small.stat().st_size < 0.8 * full.stat().st_size
    one, other = (
        np.sort(outputs(path, np.concatenate(images[1]))[1], axis=1) for path in (small, full)
    )
    assert one == pytest.approx(other, abs=1e-3)


@pytest.fixture
def export_int8(tiny, images, tmp_path):
    """Exports the tiny network in int8; returns the path of the file."""
    weights = tmp_path / "tiny.npz"
    save(tiny, weights, metadata=json.dumps(SPEC.to_json()))

    def export(name):
        path = tmp_path / name
        arguments = [f"weights={weights}", f"onnx={path}", "int8=true", "images=2"]
        assert command.main([*arguments, f"calibration={images[0]}"]) == 0
        return path

    return export


def outputs(path, images):
    session = onnxruntime.InferenceSession(str(path))
    return session.run(["boxes", "scores"], {"images": images})


def test_int8_export_is_close_to_float(tiny, images, export_int8):
    path = export_int8("a.onnx")
    written = onnx.load(path)
    check_what_is_int8(written.graph)
    origin = json.loads(written.metadata_props[0].value)["quantization"]
    assert origin["calibration"] == "2 images of data, minimum and maximum"
    assert origin["float32"]["file"] == "tiny.npz"
    _, scores = outputs(path, images[1][0])
    truth = parity.keras_function(tiny, SPEC)(images[1][0])
    assert np.sort(scores, axis=None) == pytest.approx(np.sort(truth[1], axis=None), abs=0.15)


@pytest.mark.slow
def test_int8_export_is_reproducible(images, export_int8):
    files = [export_int8(name) for name in ("a.onnx", "b.onnx")]
    # tf2onnx names nodes as it likes, and rarely leaves one out: what is computed is the same.
    one, other = (quantized_weights(onnx.load(file).graph) for file in files)
    assert len(one) > 10
    assert one == other
    (boxes, scores), again = (outputs(file, images[1][0]) for file in files)
    assert again[0] == pytest.approx(boxes, abs=1e-3)
    assert again[1] == pytest.approx(scores, abs=1e-5)


def quantized_weights(graph):
    """Kernels and biases, in a fixed order."""
    kinds = onnx.TensorProto.INT8, onnx.TensorProto.INT32
    tensors = [each for each in graph.initializer if each.data_type in kinds]
    return sorted(onnx.numpy_helper.to_array(each).tobytes() for each in tensors)


def check_what_is_int8(graph):
    kinds = [node.op_type for node in graph.node]
    name, lead = "images", []
    while not lead or lead[-1] != "Conv":
        (user,) = (node for node in graph.node if name in node.input)
        lead, name = [*lead, user.op_type], user.output[0]
    assert lead == ["Transpose", "DequantizeLinear", "Conv"]  # pixels are not quantized again
    kernels = {node.input[1] for node in graph.node if node.op_type == "Conv"}
    made = {node.output[0]: node.op_type for node in graph.node}
    assert {made[kernel] for kernel in kernels} == {"DequantizeLinear"}
    late = graph.node[kinds.index("TopK") :]
    assert not {"QuantizeLinear"} & {node.op_type for node in late}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["int8=yes", "onnx=x"], "int8='yes': expected true or false"),
        (["int8=true", "npz=x"], "int8=true is for ONNX"),
        (["images=0", "onnx=x"], "images='0': expected a whole number"),
        (["calibrate=x"], "did you mean 'calibration'"),
    ],
)
def test_wrong_options_are_errors(arguments, message):
    with pytest.raises(ConfigError, match=message):
        command.main(arguments)
