"""vidan compared with hand-written loops and with the bare stages: `benchmarks.suite.peers`.

Same video, same model, each in its own process, in turn, several times:

    (a) cv2.VideoCapture, TF SavedModel, cv2 drawing, cv2.VideoWriter
    (b) OpenCV frames, ONNX Runtime, `trackers` and `supervision`
    (c) decode, infer and encode alone; the sum of their CPU times is about the minimum
    (d) vidan, which also tracks, and writes H.264 and JSON lines
    (e) vidan with its default model, int8

(a) and (b) run in an environment of their own:

    python3 -m venv .venv-peers
    .venv-peers/bin/pip install -r benchmarks/baselines/requirements-loops.txt
"""

from __future__ import annotations

import json
import logging
import shlex
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from vidan.cli.terminal import console, setup_logging
from vidan.errors import VidanError
from vidan.support.program import positive, run_program
from vidan_plugins.tools.bench import plot
from vidan_plugins.tools.bench.environment import environment
from vidan_plugins.tools.bench.run_metrics import run_metrics
from vidan_plugins.tools.bench.runs import run_vidan

from ..inputs import WORK, model, parser, video
from ..report import Table, result, save, show, spread

log = logging.getLogger(__name__)

PEERS = Path(".venv-peers/bin/python")
LOOPS = Path(__file__).parents[1] / "baselines/opencv_loops.py"
PEER_PACKAGES = (
    "numpy",
    "opencv-python",
    "onnxruntime",
    "supervision",
    "tensorflow",
    "tensorflow-cpu",
    "trackers",
)
TITLES = {
    "a": "(a) OpenCV + TF SavedModel",
    "b": "(b) OpenCV + ONNX Runtime + trackers + supervision",
    "c": "(c) decode, infer, encode only",
    "d": "(d) vidan, the same model",
    "e": "(e) vidan, default model, int8",
}


@dataclass(frozen=True)
class Setup:
    """Settings of the comparison.

    Attributes:
        peers: Python interpreter of the peers' environment.
        video: to read.
        backend: runs the model in (c) and (d).
        frames: of each run, including the burn-in.
        burn_in: first frames, which are not measured.
        runs: of each program.
    """

    peers: Path
    video: Path
    backend: str = "onnxruntime"
    frames: int = 150
    burn_in: int = 20
    runs: int = 3


def compare(setup: Setup, work: Path = WORK) -> list[dict[str, dict[str, float]]]:
    """Run all programs in turn; the figures of each round by program and stage."""
    work.mkdir(parents=True, exist_ok=True)
    exported = saved_model(work)
    found = []
    for number in range(1, setup.runs + 1):
        one = {
            "a": _loop(setup, "savedmodel", exported, work),
            "b": _loop(setup, "supervision", model(), work),
            **_stages(setup, work),
            "d": _vidan(
                setup,
                work / f"vidan_{number}",
                [f"detector.model='{model()}'", f"detector.backend={setup.backend}"],
            ),
            "e": _vidan(setup, work / f"shipped_{number}"),
        }
        log.info("run %d of %d: %s", number, setup.runs, _rates(one))
        found.append(one)
    return found


def saved_model(work: Path) -> Path:
    """The shipped model as a SavedModel; exported if it is not there."""
    folder = work / "savedmodel"
    if not (folder / "saved_model.pb").is_file():
        log.info("exporting %s", folder)
        _python([sys.executable, "-m", "vidan", "export", f"savedmodel={folder}"])
    return folder


def _loop(setup: Setup, name: str, exported: Path, work: Path) -> dict[str, float]:
    command = [setup.peers, LOOPS, name, setup.video, exported, work / f"{name}.mp4"]
    return _json([*command, setup.frames, setup.burn_in])


def _stages(setup: Setup, work: Path) -> dict[str, dict[str, float]]:
    """Each stage alone, and the frame rate if their CPU time used all processors."""
    stages = {"decode": "decode", "infer": setup.backend, "encode": "encode"}
    found = {}
    for name, stage in stages.items():
        command = [sys.executable, "-m", "benchmarks.baselines.stages", stage, setup.video, model()]
        found[name] = _json([*command, work / "stages.mp4", setup.frames, setup.burn_in])
    total = sum(each["cpu_ms"] for each in found.values())
    limit = {"cpu_ms": total, "fps": 1e3 * environment()["cpus"] / total}
    return {**found, "c": limit}


def _vidan(setup: Setup, folder: Path, more: Sequence[str] = ()) -> dict[str, float]:
    overrides = ["source=file", f"source.path='{setup.video}'", *more]
    overrides += ["sink=[video,jsonl]", f"max_frames={setup.frames}"]
    whole = run_metrics(run_vidan(overrides, folder), setup.burn_in)["run"]
    return {key: whole[key] for key in ("fps", "cpu_ms")}


def _json(command: Sequence[object]) -> dict[str, float]:
    lines = _python(command).splitlines()
    found: dict[str, float] = json.loads(lines[-1])
    return found


def _python(command: Sequence[object]) -> str:
    """Run a command; its output.

    Raises:
        VidanError: it failed.
    """
    words = [str(word) for word in command]
    try:
        done = subprocess.run(words, capture_output=True, text=True, check=False)  # noqa: S603
    except OSError as error:
        raise VidanError(
            f"cannot run {words[0]!r} ({error.strerror}): create the environment as described in "
            "benchmarks/baselines/requirements-loops.txt, or set --python"
        ) from error
    if done.returncode:
        lines = [line for line in done.stderr.splitlines() if line.strip()] or ["no message"]
        raise VidanError(f"{shlex.join(words[:4])} failed: {lines[-1]}")
    return done.stdout


def _rates(one: Mapping[str, Mapping[str, float]]) -> str:
    return ", ".join(f"({key}) {one[key]['fps']:.1f} frames/s" for key in TITLES)


def tables(found: Sequence[Mapping[str, Mapping[str, float]]]) -> list[Table]:
    """Medians over the rounds of figures, and of ratios within a round."""
    rows = []
    for key, title in TITLES.items():
        fps, cpu = (_median(one[key][name] for one in found) for name in ("fps", "cpu_ms"))
        ratios = [_median(one[key]["fps"] / one[to]["fps"] for one in found) for to in "abc"]
        rows.append([title, fps, cpu, *ratios])
    columns = ["", "frames/s", "CPU per frame, ms", "x (a)", "x (b)", "x (c)"]
    more = _median(one["d"]["cpu_ms"] / one["c"]["cpu_ms"] for one in found)
    note = (
        f"vidan's CPU per frame is {more:.2f} times that of (c), which does not scale, track or "
        "draw. The last columns are ratios of frames/s within the same round."
    )
    stages = [
        [name, *(_median(one[name][key] for one in found) for key in ("ms", "cpu_ms"))]
        for name in ("decode", "infer", "encode")
    ]
    return [
        Table("Comparison", columns, rows, note),
        Table("(c) by stage, ms per frame", ["", "wall", "CPU"], stages),
    ]


def _median(values: Any) -> float:
    return float(spread(values)["median"])


def draw(path: Path, figures: Mapping[str, Mapping[str, Mapping[str, Any]]]) -> None:
    """Plot frames per second and CPU per frame as bars, from the spreads of each program."""
    figure = plot.figure(11, 2.8)
    for axes, (key, title) in zip(
        figure.subplots(1, 2, sharey=True),
        (("fps", "frames/s"), ("cpu_ms", "CPU per frame, ms")),
        strict=True,
    ):
        of_each = [figures[name][key] for name in TITLES]
        values = [one["median"] for one in of_each]
        reach = [[abs(one[end] - one["median"]) for one in of_each] for end in ("low", "high")]
        colors = ["#bbbbbb", "#bbbbbb", "#dddddd", "#4477aa", "#4477aa"]
        bars = axes.barh(list(TITLES.values()), values, color=colors, xerr=reach, capsize=3)
        axes.bar_label(bars, [f"{v:.1f}" for v in values], padding=8)
        axes.set_title(title, loc="left")
        axes.margins(x=0.15)
    figure.axes[0].invert_yaxis()
    plot.save(figure, path)


def spreads(found: Sequence[Mapping[str, Mapping[str, float]]]) -> dict[str, dict[str, Any]]:
    """The figures of all rounds as spreads."""
    return {
        key: {name: spread(one[key][name] for one in found) for name in found[0][key]}
        for key in found[0]
    }


def peers(setup: Setup, out: Path, command: str) -> dict[str, Any]:
    """Compare, and save the result and its plot in a folder."""
    found = compare(setup)
    figures = spreads(found)
    made: dict[str, Any] = result(
        "peers",
        "vidan compared with hand-written loops",
        command,
        tables(found),
        ["peers.png"],
        settings={"video": setup.video.name, "backend": setup.backend, "frames": setup.frames},
        peers=_peer_versions(setup.peers),
        figures=figures,
    )
    save(made, out)
    draw(out / "peers.png", figures)
    return made


def _peer_versions(python: Path) -> dict[str, str]:
    """Versions of the packages in the peers' environment."""
    listed = "{d.name: d.version for d in m.distributions() if d.name in " + f"{PEER_PACKAGES}}}"
    code = f"import importlib.metadata as m, json; print(json.dumps({listed}))"
    found: dict[str, str] = json.loads(_python([python, "-c", code]))
    return found


def main() -> int:
    """Run from the command line."""
    options = parser("benchmarks.suite.peers", str(__doc__))
    options.add_argument(
        "--python", type=Path, default=PEERS, help="Python interpreter of the peers' environment"
    )
    options.add_argument("--video", type=Path, help="default: the video of the suite")
    options.add_argument("--backend", choices=("onnxruntime", "openvino"), default=Setup.backend)
    for name in ("frames", "burn-in", "runs"):
        default = getattr(Setup, name.replace("-", "_"))
        number = int if name == "burn-in" else positive
        options.add_argument(f"--{name}", type=number, default=default)
    args = options.parse_args()
    setup_logging()
    path = args.video or video(args.frames)
    setup = Setup(args.python, path, args.backend, args.frames, args.burn_in, args.runs)
    command = "python -m benchmarks.suite.peers" + (
        f" --backend {args.backend}" if args.backend != Setup.backend else ""
    )
    show(peers(setup, args.out, command), console())
    return 0


if __name__ == "__main__":
    run_program("python -m benchmarks.suite.peers", main)
