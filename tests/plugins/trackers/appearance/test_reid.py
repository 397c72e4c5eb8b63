"""Re-identification networks, with tiny ONNX files generated here."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from vidan.errors import ModelError
from vidan_plugins.trackers.appearance.reid import IMAGENET_MEAN, IMAGENET_STD, ReidEmbedder
from vidan_plugins.trackers.deepsort import DeepSort

from ..scenes import Painted, found, ids

onnx = pytest.importorskip("onnx", reason="the package onnx is not installed")


@pytest.fixture
def network(tmp_path):
    """Writes a network that averages each color: (N,3,H,W) to (N,3)."""

    def write(shape=("n", 3, 16, 8), dtype="FLOAT", axes=(2, 3), inputs=1):
        helper, kind = onnx.helper, getattr(onnx.TensorProto, dtype)
        nodes = [helper.make_node("ReduceMean", ["image"], ["vector"], axes=axes, keepdims=0)]
        takes = [helper.make_tensor_value_info("image", kind, list(shape))]
        takes += [helper.make_tensor_value_info(f"more{k}", kind, [1]) for k in range(inputs - 1)]
        gives = [helper.make_tensor_value_info("vector", kind, None)]
        graph = helper.make_graph(nodes, "mean", takes, gives)
        opset = [helper.make_opsetid("", 13)]
        path = tmp_path / "net.onnx"
        onnx.save(helper.make_model(graph, opset_imports=opset, ir_version=8), path)
        return str(path)

    return write


def plain(color, width=20, height=40):
    return np.full((height, width, 3), color, np.uint8)


def test_weights_outside_the_folder_are_rejected(network):
    path = network()
    model = onnx.load(path)
    weights = onnx.TensorProto(name="w", data_type=onnx.TensorProto.FLOAT, dims=[4])
    weights.data_location = onnx.TensorProto.EXTERNAL
    weights.external_data.add(key="location", value="../secret")
    model.graph.initializer.append(weights)
    Path(path).write_bytes(model.SerializeToString())
    with pytest.raises(ModelError, match=r"'\.\./secret', outside the model's folder"):
        ReidEmbedder(path)


@pytest.mark.parametrize("batch", ["n", 1, 4])
def test_crops_are_normalized_and_batched(network, batch):
    embedder = ReidEmbedder(network((batch, 3, 16, 8)))
    colors = [(255, 0, 0), (0, 255, 0), (0, 0, 255), (9, 99, 199), (0, 0, 0)] * 9
    got = embedder.embed([plain(c) for c in colors])
    assert got.dtype == np.float32
    # the mean of a plain image is its color: RGB in [0,1], minus the mean, divided by the std
    wanted = (np.array(colors) / 255 - IMAGENET_MEAN) / IMAGENET_STD
    np.testing.assert_allclose(got, wanted, atol=1e-5)


def saved_ir(path, batch=-1, fixed=False, notes=None):
    """Writes an OpenVINO IR that averages each color: (N,3,16,8) to (N,3)."""
    ov = pytest.importorskip("openvino")
    image = ov.opset13.parameter([batch, 3, 16, 8], np.float32, name="data")
    mean = ov.opset13.reduce_mean(image, np.array([2, 3]), keep_dims=False)
    if fixed:  # as a graph does that was made for one batch size
        mean = ov.opset13.reshape(mean, np.array([1, 3]), special_zero=False)
    model = ov.Model([mean], [image], "mean")
    for key, value in (notes or {}).items():
        model.set_rt_info(value, ["conversion_parameters", key])
    ov.save_model(model, path, compress_to_fp16=False)
    return str(path)


@pytest.mark.parametrize("fixed", [False, True])
def test_an_ir_that_normalizes_colors_itself_gets_them_as_its_notes_say(tmp_path, fixed):
    notes = {"mean_values": "data[1,2,3]", "reverse_input_channels": "True"}
    embedder = ReidEmbedder(saved_ir(tmp_path / "net.xml", 1, fixed, notes))
    got = embedder.embed([plain((10, 20, 30)), plain((40, 50, 60)), plain((70, 80, 90))])
    np.testing.assert_allclose(got, [[30, 20, 10], [60, 50, 40], [90, 80, 70]], atol=1e-4)


def test_an_ir_without_notes_gets_normalized_colors(tmp_path):
    got = ReidEmbedder(saved_ir(tmp_path / "net.xml")).embed([plain((255, 0, 0))])
    wanted = (np.array([[1, 0, 0]]) - IMAGENET_MEAN) / IMAGENET_STD
    np.testing.assert_allclose(got, wanted, atol=1e-5)


def test_an_ir_without_its_weights(tmp_path):
    path = saved_ir(tmp_path / "net.xml")
    (tmp_path / "net.bin").unlink(missing_ok=True)
    with pytest.raises(
        ModelError, match=r"embedder='.*net.xml': its weights 'net.bin' are missing"
    ):
        ReidEmbedder(path)


SIGNAL = """
import signal, sys, threading
from vidan_plugins.trackers.appearance.reid import ReidEmbedder

embedders = [ReidEmbedder(sys.argv[1])]
thread = threading.Thread(target=embedders.clear)
thread.start()
thread.join()
try:
    signal.raise_signal(signal.SIGINT)
except KeyboardInterrupt:
    print("alive")
"""


def test_ctrl_c_after_an_ir_was_closed_in_another_thread(tmp_path):
    path = saved_ir(tmp_path / "net.xml")
    done = subprocess.run(
        [sys.executable, "-c", SIGNAL, path], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout) == (0, "alive\n"), done.stderr


def test_a_detector_is_no_embedder_of_the_catalog():
    with pytest.raises(ModelError, match="model 'yolox-nano' is for detection, not for appearance"):
        DeepSort(embedder="yolox-nano")


def test_a_network_of_the_catalog_is_not_downloaded_offline():
    with pytest.raises(ModelError, match=r"models\.offline=true forbids it"):
        DeepSort(embedder="person-reidentification-0288", offline=True)


def test_deepsort_runs_a_network(network):
    tracker = DeepSort(embedder=network())
    box = (60, 40, 100, 160)
    for k in range(4):
        tracks = tracker.update(Painted(k, {box: (200, 30, 30)}), found([box]))
    assert ids(tracks) == [1]


@pytest.mark.parametrize(
    ("made", "message"),
    [
        ({"shape": ("n", 3, "h", "w")}, "fixed H and W, got image"),
        ({"shape": ("n", 16, 8, 3), "axes": (1, 2)}, r"expected one input \(N,3,H,W\)"),
        ({"shape": (3, 16, 8), "axes": (1, 2)}, r"expected one input \(N,3,H,W\)"),
        ({"dtype": "DOUBLE"}, r"tensor\(double\)"),
        ({"inputs": 2}, "more0"),
        ({"axes": (2,)}, r"expected output \(N,D\) of floats, got \(1, 3, 8\)"),
        ({"axes": (0, 2, 3)}, r"expected output \(N,D\) of floats, got \(3,\)"),
    ],
)
def test_other_networks_are_rejected(network, made, message):
    with pytest.raises(ModelError, match=message) as error:
        ReidEmbedder(network(**made))
    assert str(error.value).startswith("embedder='")
    assert "\n" not in str(error.value)


def test_a_missing_file(tmp_path):
    with pytest.raises(ModelError, match=r"embedder='.*gone.onnx': there is no such file"):
        ReidEmbedder(str(tmp_path / "gone.onnx"))


@pytest.mark.parametrize("content", [b"", b"not a network"])
def test_a_file_that_is_not_onnx(tmp_path, content):
    path = tmp_path / "bad.onnx"
    path.write_bytes(content)
    with pytest.raises(ModelError, match="not an ONNX model") as error:
        ReidEmbedder(str(path))
    assert "\n" not in str(error.value)
