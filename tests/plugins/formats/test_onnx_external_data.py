"""External weights of ONNX files."""

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from vidan import ModelError
from vidan_plugins.formats.onnx_external_data import check_external_data


def model(path, location, *, inside=False):
    """A model that adds weights from another file; with `inside`, in a branch of an If."""
    tensor = TensorProto(name="w", data_type=TensorProto.FLOAT, dims=[4])
    tensor.data_location = TensorProto.EXTERNAL
    for key, value in (("location", location), ("offset", "0"), ("length", "16")):
        tensor.external_data.add(key=key, value=value)
    x = helper.make_tensor_value_info("x", TensorProto.FLOAT, [4])
    y = helper.make_tensor_value_info("y", TensorProto.FLOAT, [4])
    nodes, weights = [helper.make_node("Add", ["x", "w"], ["y"])], [tensor]
    if inside:
        branch = helper.make_graph(nodes, "branch", [], [y], weights)
        nodes = [helper.make_node("If", ["c"], ["y"], then_branch=branch, else_branch=branch)]
        weights = []
    graph = helper.make_graph(nodes, "g", [x], [y], weights)
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(made.SerializeToString())
    return path


@pytest.mark.parametrize("inside", [False, True])
@pytest.mark.parametrize(
    "location",
    ["../secret", "{tmp}/secret", "sub/../../secret", "link", "down/../link", "/etc/passwd"],
)
def test_weights_outside_the_folder_are_rejected(tmp_path, location, inside):
    (tmp_path / "secret").write_bytes(np.arange(4, dtype=np.float32).tobytes())
    path = model(tmp_path / "model/m.onnx", location.format(tmp=tmp_path), inside=inside)
    (tmp_path / "model/link").symlink_to(tmp_path / "secret")
    (tmp_path / "model/down").mkdir()
    with pytest.raises(ModelError, match="outside the model's folder: do not trust it"):
        check_external_data(path)


def test_weights_in_the_folder_are_allowed(tmp_path):
    path = model(tmp_path / "model/m.onnx", "weights/w.bin")
    check_external_data(path)
    onnx.load(path, load_external_data=False)


def test_a_name_that_contains_the_key_is_no_location(tmp_path):
    graph = helper.make_graph([], "location ../secret", [], [])
    path = tmp_path / "m.onnx"
    path.write_bytes(helper.make_model(graph).SerializeToString())
    check_external_data(path)


def test_a_truncated_file_is_rejected(tmp_path):
    path = model(tmp_path / "model/m.onnx", "../secret")
    data = path.read_bytes()
    for size in range(data.index(b"location") + len("location"), len(data)):
        path.write_bytes(data[:size])
        with pytest.raises(ModelError):
            check_external_data(path)
    path.write_bytes(data[: data.index(b"location")])
    check_external_data(path)  # no location: the engine reports that it is truncated
