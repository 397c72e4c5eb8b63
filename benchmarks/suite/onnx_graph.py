"""The effect of variants of the ONNX graph, and of session options, on inference time.

Runs the network alone with ONNX Runtime on a noise image: each variant in turn, several rounds,
compared with the first variant in the same round. The variants are derived from the float32 model
that vidan ships; this needs vidan[train].

    python -m benchmarks.suite.onnx_graph --rounds 40
"""

from __future__ import annotations

import copy
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime as ort
from onnx import TensorProto, helper, numpy_helper, version_converter

from vidan.cli.terminal import console, setup_logging
from vidan.support.cores import compute_threads
from vidan.support.program import positive, run_program
from vidan_plugins.detectors.backends.onnxruntime import session_options

from ..inputs import model, parser, shipped
from ..report import Table, result, save, show

Session = Any
"""An `onnxruntime.InferenceSession`, which has no type hints."""

Array = np.ndarray[Any, Any]

WARMUP_ROUNDS = 2

OLDER, NEWER = 15, 21
"""Opsets that the graph is converted to; the shipped model has 17."""

Times = tuple[float, float]
"""Wall and CPU time of one inference, ms."""


def settings(**changes: Any) -> ort.SessionOptions:
    """Session options as vidan sets them, with some changes."""
    made = session_options(changes.pop("threads", compute_threads()))
    if changes.pop("spin", False):
        made.add_session_config_entry("session.intra_op.allow_spinning", "1")
    for name, value in changes.items():
        setattr(made, name, value)
    return made


def opened(path: Path, **changes: Any) -> Session:
    """Open a session on the CPU."""
    return ort.InferenceSession(str(path), settings(**changes), providers=["CPUExecutionProvider"])


def float_input(path: Path, out: Path) -> Path:
    """The graph with a float32 input from 0 to 255, normalized by `Sub` and `Mul`.

    In the shipped model, images are uint8 and one `DequantizeLinear` does both.
    """
    made = onnx.load(path)
    graph = made.graph
    graph.input[0].type.tensor_type.elem_type = TensorProto.FLOAT
    at, node = next((k, n) for k, n in enumerate(graph.node) if n.op_type == "DequantizeLinear")
    constants = {each.name: numpy_helper.to_array(each) for each in graph.initializer}
    for name in node.input[1:]:  # one value per channel, the second axis
        values = constants[name].astype(np.float32).reshape(1, -1, 1, 1)
        graph.initializer.append(numpy_helper.from_array(values, f"{name}_float"))
    model_input, scale, zero = node.input
    graph.node.remove(node)
    centered = helper.make_node("Sub", [model_input, f"{zero}_float"], ["centered"])
    graph.node.insert(at, helper.make_node("Mul", ["centered", f"{scale}_float"], node.output))
    graph.node.insert(at, centered)
    onnx.save(made, out)
    return out


def channels_first(path: Path, out: Path) -> Path:
    """The graph with input (1, 3, H, W): a `Transpose` in front, which the next one reverts."""
    graph = onnx.load(path)
    (model_input,) = graph.graph.input
    inner = f"{model_input.name}_nhwc"
    for node in graph.graph.node:
        node.input[:] = [inner if i == model_input.name else i for i in node.input]
    graph.graph.node.insert(
        0, helper.make_node("Transpose", [model_input.name], [inner], perm=[0, 2, 3, 1])
    )
    sizes = model_input.type.tensor_type.shape.dim
    moved = [copy.deepcopy(sizes[k]) for k in (0, 3, 1, 2)]
    del sizes[:]
    sizes.extend(moved)
    onnx.save(graph, out)
    return out


def converted(path: Path, out: Path, version: int) -> Path:
    """The graph converted to another opset."""
    onnx.save(version_converter.convert_version(onnx.load(path), version), out)
    return out


def folded(path: Path, out: Path) -> Path:
    """The graph as ONNX Runtime writes it after constant folding."""
    level = ort.GraphOptimizationLevel.ORT_ENABLE_BASIC
    opened(path, graph_optimization_level=level, optimized_model_filepath=str(out))
    return out


def variants(folder: Path) -> dict[str, Callable[[], Session]]:
    """The variants by title; the first one is the reference."""
    path, int8 = model(), shipped()
    level = ort.GraphOptimizationLevel
    return {
        "float32 model, options of vidan": lambda: opened(path),
        "input float32 instead of uint8": lambda: opened(float_input(path, folder / "f.onnx")),
        "input (1,3,H,W) instead of (1,H,W,3)": lambda: opened(
            channels_first(path, folder / "c.onnx")
        ),
        f"opset {OLDER}": lambda: opened(converted(path, folder / "o.onnx", OLDER)),
        f"opset {NEWER}": lambda: opened(converted(path, folder / "n.onnx", NEWER)),
        "constants folded on disk": lambda: opened(folded(path, folder / "b.onnx")),
        "optimization: none": lambda: opened(path, graph_optimization_level=level.ORT_DISABLE_ALL),
        "optimization: basic (folding)": lambda: opened(
            path, graph_optimization_level=level.ORT_ENABLE_BASIC
        ),
        "optimization: extended (fusion)": lambda: opened(
            path, graph_optimization_level=level.ORT_ENABLE_EXTENDED
        ),
        "spinning threads": lambda: opened(path, spin=True),
        "one thread": lambda: opened(path, threads=1),
        "operators in parallel": lambda: opened(
            path, execution_mode=ort.ExecutionMode.ORT_PARALLEL
        ),
        "no memory arena": lambda: opened(path, enable_cpu_mem_arena=False),
        "int8 model": lambda: opened(int8),
        "int8 model, one thread": lambda: opened(int8, threads=1),
    }


def noise(session: Session) -> dict[str, Array]:
    """A noise image in the shape and type of the session's input."""
    (model_input,) = session.get_inputs()
    shape = [size if isinstance(size, int) else 1 for size in model_input.shape]
    image = np.random.default_rng(0).integers(0, 256, shape, np.uint8)
    return {model_input.name: image.astype(np.float32) if "float" in model_input.type else image}


def measure(rounds: int) -> dict[str, tuple[float, list[Times]]]:
    """For each variant: the time to open it, s, and the times of its inferences."""
    found: dict[str, tuple[float, list[Times]]] = {}
    sessions: dict[str, tuple[Session, dict[str, Array]]] = {}
    with tempfile.TemporaryDirectory() as folder:
        for title, make in variants(Path(folder)).items():
            started = time.perf_counter()
            session = make()
            found[title] = (time.perf_counter() - started, [])
            sessions[title] = session, noise(session)
    for number in range(rounds + WARMUP_ROUNDS):
        for title, (session, inputs) in sessions.items():
            started, cpu = time.perf_counter(), time.process_time()
            session.run(None, inputs)
            took = time.perf_counter() - started, time.process_time() - cpu
            if number >= WARMUP_ROUNDS:
                found[title][1].append((1e3 * took[0], 1e3 * took[1]))
    return found


def table(found: dict[str, tuple[float, list[Times]]]) -> Table:
    """Medians, and medians of the ratios to the first variant in the same round."""
    first = next(iter(found.values()))[1]
    rows: list[list[str | float | int | None]] = []
    for title, (_, figures) in found.items():
        row: list[str | float | int | None] = [title]
        for k in (0, 1):
            row.append(statistics.median(one[k] for one in figures))
            row.append(statistics.median(a[k] / b[k] for a, b in zip(figures, first, strict=True)))
        rows.append(row)
    columns = ["", "wall, ms", "ratio", "CPU, ms", "ratio"]
    note = "One inference at 512 px: medians, and medians of the ratios to the first row."
    return Table("Variants of the graph and session options", columns, rows, note)


def main() -> int:
    """Run from the command line."""
    options = parser("benchmarks.suite.onnx_graph", str(__doc__))
    options.add_argument("--rounds", type=positive, default=40)
    args = options.parse_args()
    setup_logging()
    shown = table(measure(args.rounds))
    command = f"python -m benchmarks.suite.onnx_graph --rounds {args.rounds}"
    found = result("onnx_graph", "Variants of the ONNX graph", command, [shown])
    show(found, console())
    save(found, args.out)
    return 0


if __name__ == "__main__":
    run_program("python -m benchmarks.suite.onnx_graph", main)
