"""docs/private-apis.md lists every private API in use, and each of them still works as expected."""

import ast
import inspect
import socket
import subprocess
import sys
import threading
import time
import tomllib

import av
import pytest
from packaging.requirements import Requirement

from tests.structure import ROOT, modules

PAGE = (ROOT / "docs/private-apis.md").read_text("utf-8")
PUBLIC = {"_asdict", "_replace", "_fields", "_exit", "_typeshed"}
"""Documented in spite of their names: named tuples, `os._exit`, types of the standard library."""


def test_pyav_reads_the_time_through_av_container_core_time():
    from vidan_plugins.sources.ffmpeg.timeouts import interruptible

    with socket.create_server(("127.0.0.1", 0)) as server:  # accepts connections, never answers
        url = f"http://127.0.0.1:{server.getsockname()[1]}/"
        started = time.monotonic()
        with pytest.raises(av.error.FFmpegError), interruptible(threading.Event(), started + 0.2):
            av.open(url, timeout=30)
    assert time.monotonic() - started < 10, "av.container.core.time is not used for timeouts"


def test_pyav_side_data_container_takes_a_frame():
    from av.sidedata.sidedata import SideDataContainer

    assert SideDataContainer(av.VideoFrame(16, 16)).get("DISPLAYMATRIX") is None


def test_scipy_optimize_lsap_can_be_loaded_alone():
    from scipy.optimize import linear_sum_assignment

    from vidan_plugins.trackers.core.assignment import _solver_from_extension

    solver = _solver_from_extension()
    assert solver is not None, "scipy.optimize._lsap"
    costs = [[4.0, 1.0, 3.0], [2.0, 0.0, 5.0], [3.0, 2.0, 2.0]]
    assert [list(rows) for rows in solver(costs)] == [
        list(rows) for rows in linear_sum_assignment(costs)
    ]


def test_hydra_internal_completes_overrides():
    from vidan.cli.completion import complete

    assert "tracker=sort" in complete("vidan tracker=s"), "hydra._internal, BashCompletion._query"


def test_hydra_composes_the_configuration_of_a_run_once(here, monkeypatch):
    from hydra._internal.hydra import Hydra

    from vidan.config.compose import run_hydra

    composed, original = [], Hydra.compose_config

    def compose_config(self, *args, **kwargs):
        composed.append(kwargs["run_mode"].name)
        return original(self, *args, **kwargs)

    monkeypatch.setattr(Hydra, "compose_config", compose_config)
    get_mode = Hydra.get_mode
    run_hydra(lambda config: None, ["tracker=sort"])
    assert composed == ["RUN"], "hydra._internal, Hydra.get_mode"
    assert Hydra.get_mode is get_mode
    composed.clear()
    runs = []
    several = ["tracker=sort,none", "hydra.mode=MULTIRUN", "hydra.sweep.dir=out"]
    run_hydra(lambda config: runs.append(config.tracker.name), several)
    assert runs == ["sort", "none"]
    assert "MULTIRUN" in composed


def test_openvino_uses_a_stub_without_openvino_telemetry():
    pytest.importorskip("openvino")
    code = (
        "import vidan_plugins; from openvino.tools.ovc import telemetry_utils; "
        "print(telemetry_utils.tm.__name__)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "openvino.tools.ovc.telemetry_stub"


def test_keras_optimizers_keep_moving_averages():
    keras = pytest.importorskip("keras")
    optimizer = keras.optimizers.SGD(use_ema=True)
    optimizer.build([keras.Variable([1.0, 2.0])])
    (average,) = optimizer._model_variables_moving_average
    assert average.shape == (2,)


def test_keras_optimizers_know_their_variables():
    keras = pytest.importorskip("keras")
    optimizer, variable = keras.optimizers.SGD(), keras.Variable([1.0, 2.0])
    optimizer.build([variable])
    assert optimizer._trainable_variables[optimizer._get_variable_index(variable)] is variable


def test_keras_layers_keep_inbound_nodes():
    keras = pytest.importorskip("keras")
    layer, one, other = keras.layers.Dense(1), keras.Input((2,)), keras.Input((2,))
    layer(one), layer(other)
    assert layer._inbound_nodes[-1].input_tensors == [other]


def test_onnxruntime_quantization_has_the_parts_of_quantize_static():
    from onnxruntime.quantization.calibrate import create_calibrator
    from onnxruntime.quantization.qdq_quantizer import QDQQuantizer
    from onnxruntime.quantization.quant_utils import save_and_reload_model_with_shape_infer

    assert {"augmented_model_path", "calibrate_method"} <= parameters(create_calibrator)
    assert {"tensors_range", "nodes_to_exclude", "reduce_range"} <= parameters(QDQQuantizer)
    assert callable(save_and_reload_model_with_shape_infer)


def test_litert_lists_the_operators_of_a_model():
    litert = pytest.importorskip("ai_edge_litert.interpreter")
    assert callable(litert.Interpreter._get_ops_details)


def parameters(call):
    return set(inspect.signature(call).parameters)


def private_names():
    """Private attributes that the packages use without defining them, and private modules."""
    defined, used = set(PUBLIC), set()
    for path in modules().values():
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
                defined.add(node.name)
            elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
                defined.add(node.id)
            elif isinstance(node, ast.Attribute):
                (defined if isinstance(node.ctx, ast.Store) else used).add(node.attr)
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                used |= set(node.module.split("."))
            elif isinstance(node, ast.Constant) and node.value in ("_lsap", "scipy.optimize._lsap"):
                used.add("_lsap")
    private = {name for name in used if name.startswith("_") and not name.startswith("__")}
    return private - defined


def test_the_page_lists_every_private_name():
    assert {"_internal", "_lsap", "_query"} <= private_names()
    assert {name for name in private_names() if name not in PAGE} == set()


def test_bounds_are_those_of_the_page():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    groups = [project["dependencies"], *project["optional-dependencies"].values()]
    required = [requirement for group in groups for requirement in group]
    bounds = "av>=17,<19", "scipy>=1.13,<2", "openvino>=2025.0,<2027", "keras>=3.6,<4"
    for text in (*bounds, "ai-edge-litert>=2.0,<3"):
        assert f"`{text}`" in PAGE
        name = Requirement(text).name
        # One with a marker only raises the lower bound, where older versions have no wheels.
        found = {r for r in required if Requirement(r).name == name and not Requirement(r).marker}
        assert found == {text}
