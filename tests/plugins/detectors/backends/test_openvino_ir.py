"""OpenVINO IR: files, metadata, and what follows from it for labels and images."""

import numpy as np
import pytest

from vidan.errors import ConfigError, ModelError, PluginError
from vidan_plugins.detectors import engine as module
from vidan_plugins.detectors.onnx import OnnxDetector

from ..models import plain

ov = pytest.importorskip("openvino")
ops = pytest.importorskip("openvino.opset13")

BOXES = np.float32([[10, 20, 30, 40, 0.9], [48, 8, 80, 56, 0.7]])  # px of 96 x 64
LABELS = np.int64([1, 2])
EXPECTED = [[20, 40, 60, 80], [96, 16, 160, 112]]  # px of 192 x 128
PVB = "person-vehicle-bike-detection-2004"
CONVERTED = {
    "model_name": PVB,
    "reverse_input_channels": "True",
    "scale_values": "image[255.0]",
}


@pytest.fixture(autouse=True)
def _installed(monkeypatch, tmp_path, _onnx_runtime_unless_told):
    monkeypatch.setattr(module, "OPENVINO", True)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


@pytest.fixture
def ir(tmp_path):
    """Writes an IR with constant outputs, to which the image is added zero times."""

    def write(outputs, info, name="model.xml"):
        image = ops.parameter([1, 3, 64, 96], np.float32, name="image")
        image.output(0).set_names({"image"})
        mean = ops.reduce_mean(image, np.int64([0, 1, 2, 3]), keep_dims=False)
        nothing = ops.multiply(mean, np.float32(0))
        results = []
        for key, array in outputs.items():
            zero = ops.convert(nothing, str(array.dtype).replace("float", "f").replace("int", "i"))
            node = ops.result(ops.add(ops.constant(array), zero))
            node.output(0).set_names({key})
            results.append(node)
        model = ov.Model(results, [image], "made-by-hand")
        for path, value in info.items():
            model.set_rt_info(value, path.split("/"))
        ov.save_model(model, str(tmp_path / name), compress_to_fp16=False)
        return tmp_path / name

    return write


def converted(ir, outputs=None):
    info = {f"conversion_parameters/{key}": value for key, value in CONVERTED.items()}
    return ir(outputs or {"boxes": BOXES, "labels": LABELS}, info)


def test_boxes_and_labels_of_the_open_model_zoo(ir):
    detector = OnnxDetector(str(converted(ir)))
    (found,) = detector.detect([plain((255, 0, 0))])
    assert detector.labels == ("vehicle", "person", "bike")
    np.testing.assert_allclose(found.boxes, EXPECTED, atol=0.01)
    assert [detector.labels[c] for c in found.classes] == ["person", "bike"]
    assert "BGR, 0 to 255" in detector.summary


def test_boxes_and_labels_with_a_batch_axis(ir):
    model = converted(ir, {"boxes": BOXES[None], "labels": LABELS[None]})
    (found,) = OnnxDetector(str(model)).detect([plain((255, 0, 0))])
    np.testing.assert_allclose(found.boxes, EXPECTED, atol=0.01)


def test_the_model_api_describes_labels_and_images(ir):
    info = {
        "model_type": "ssd",
        "labels": "car traffic_light person",
        "resize_type": "fit_to_window_letterbox",
        "reverse_input_channels": "True",
        "mean_values": "123.675 116.28 103.53",
        "scale_values": "58.395 57.12 57.375",
        "pad_value": "7",
    }
    outputs = {"boxes": BOXES[None], "labels": LABELS[None]}
    detector = OnnxDetector(str(ir(outputs, {f"model_info/{k}": v for k, v in info.items()})))
    assert detector.labels == ("car", "traffic_light", "person")
    assert "letterbox (center, filled with 7), RGB, 0 to 255" in detector.summary
    assert "minus 123.675,116.28,103.53, divided by 58.395,57.12,57.375" in detector.summary


def test_metadata_next_to_the_file(ir):
    path = ir({"boxes": BOXES, "labels": LABELS}, {})
    path.with_name("metadata.yaml").write_text("names: {0: a, 1: b, 2: c}\nimgsz: [64, 96]\n")
    assert OnnxDetector(str(path)).labels == ("a", "b", "c")
    path.with_name("metadata.yaml").write_text("names: {0")
    with pytest.raises(ModelError, match=r"cannot read its metadata 'metadata\.yaml'"):
        OnnxDetector(str(path))


def test_missing_weights(ir):
    path = converted(ir)
    path.with_suffix(".bin").unlink()
    with pytest.raises(ModelError, match=r"its weights 'model\.bin' are missing: put the file"):
        OnnxDetector(str(path))


@pytest.mark.parametrize("text", ["<netto>", "<html></html>", "no XML"])
def test_other_xml_files(tmp_path, text):
    (tmp_path / "a.xml").write_text(text)
    (tmp_path / "a.bin").write_bytes(b"0")
    with pytest.raises(ModelError, match="not an OpenVINO IR: expected XML"):
        OnnxDetector(str(tmp_path / "a.xml"))


def test_a_file_that_is_cut_off(ir):
    path = converted(ir)
    path.write_text(path.read_text()[:1500])
    with pytest.raises(ModelError, match="not a model that OpenVINO can read") as caught:
        OnnxDetector(str(path))
    assert "\n" not in str(caught.value)


def test_onnx_runtime_cannot_read_it(ir):
    with pytest.raises(
        ConfigError, match=r"backend='onnxruntime': it cannot read \.xml files: omit it"
    ):
        OnnxDetector(str(converted(ir)), backend="onnxruntime")


def test_openvino_is_not_installed(ir, monkeypatch):
    monkeypatch.setattr(module, "OPENVINO", False)
    with pytest.raises(
        PluginError, match=r"'model\.xml': openvino is not installed: .*vidan\[openvino\]"
    ):
        OnnxDetector(str(converted(ir)))


@pytest.mark.parametrize(("background", "found"), [(0, "vehicle"), (3, "person")])
def test_the_background_of_a_detection_output_tells_where_classes_start(
    tmp_path, background, found
):
    # One box; the logits of four classes are such that class 1 is the best.
    image = ops.parameter([1, 3, 64, 96], np.float32, name="image")
    image.output(0).set_names({"image"})
    nothing = ops.multiply(ops.reduce_mean(image, np.int64([0, 1, 2, 3])), np.float32(0))
    zeros = ops.add(ops.constant(np.zeros((1, 4), np.float32)), nothing)
    scores = ops.add(ops.constant(np.float32([[0.02, 0.9, 0.02, 0.02]])), nothing)
    prior = np.float32([10 / 96, 20 / 64, 30 / 96, 40 / 64, 0.1, 0.1, 0.2, 0.2]).reshape(1, 2, 4)
    attributes = {
        "background_label_id": background,
        "top_k": 10,
        "variance_encoded_in_target": False,
        "keep_top_k": [10],
        "code_type": "caffe.PriorBoxParameter.CENTER_SIZE",
        "share_location": True,
        "nms_threshold": 0.5,
        "confidence_threshold": 0.1,
        "normalized": True,
    }
    node = ops.detection_output(zeros, scores, ops.constant(prior), attributes)
    result = ops.result(node)
    result.output(0).set_names({"detection_out"})
    path = tmp_path / "model.xml"
    ov.save_model(ov.Model([result], [image], "ssd"), str(path), compress_to_fp16=False)
    detector = OnnxDetector(str(path), labels=["vehicle", "person", "bike"])
    (detections,) = detector.detect([plain((1, 2, 3))])
    np.testing.assert_allclose(detections.boxes, [EXPECTED[0]], atol=0.01)
    assert [detector.labels[c] for c in detections.classes] == [found]
    assert "BGR, 0 to 255" in detector.summary
