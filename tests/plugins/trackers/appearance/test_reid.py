"""Re-identification networks, with tiny ONNX files generated here."""

from pathlib import Path

import numpy as np
import pytest

from vidan.errors import ModelError
from vidan_plugins.trackers.appearance.reid import IMAGENET_MEAN, IMAGENET_STD, OnnxEmbedder
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
        OnnxEmbedder(path)


@pytest.mark.parametrize("batch", ["n", 1, 4])
def test_crops_are_normalized_and_batched(network, batch):
    embedder = OnnxEmbedder(network((batch, 3, 16, 8)))
    colors = [(255, 0, 0), (0, 255, 0), (0, 0, 255), (9, 99, 199), (0, 0, 0)] * 9
    got = embedder.embed([plain(c) for c in colors])
    assert got.dtype == np.float32
    # the mean of a plain image is its color: RGB in [0,1], minus the mean, divided by the std
    wanted = (np.array(colors) / 255 - IMAGENET_MEAN) / IMAGENET_STD
    np.testing.assert_allclose(got, wanted, atol=1e-5)


def test_deepsort_runs_a_network(network):
    tracker = DeepSort(embedder="onnx", embedder_model=network())
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
        OnnxEmbedder(network(**made))
    assert str(error.value).startswith("embedder_model='")
    assert "\n" not in str(error.value)


def test_a_missing_file(tmp_path):
    with pytest.raises(ModelError, match=r"embedder_model='.*gone.onnx': there is no such file"):
        OnnxEmbedder(str(tmp_path / "gone.onnx"))


@pytest.mark.parametrize("content", [b"", b"not a network"])
def test_a_file_that_is_not_onnx(tmp_path, content):
    path = tmp_path / "bad.onnx"
    path.write_bytes(content)
    with pytest.raises(ModelError, match="not an ONNX model") as error:
        OnnxEmbedder(str(path))
    assert "\n" not in str(error.value)
