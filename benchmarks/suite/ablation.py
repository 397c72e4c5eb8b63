"""The effect of each option on cost: one option changed at a time.

Runs the same video with each setting in turn, several rounds, and prints CPU time per frame and
frames per second, also as ratios to the default settings in the same round. Taking turns spreads
other load on the machine evenly; CPU time is hardly affected by it. `stages alone` is decoding,
inferring and encoding one after another, about the minimum.

    python -m benchmarks.suite.ablation source.path=video.mp4 max_frames=100 rounds=5
"""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path

import numpy as np

from vidan.config.build import build
from vidan.config.compose import compose
from vidan.errors import ConfigError
from vidan.execution.execute import prepare
from vidan.execution.settings import RunSettings
from vidan.support.program import run_program

BASE = ["source=file", "sink=[video,jsonl]"]

SETTINGS: dict[str, list[str]] = {
    "vidan": [],
    "float32": ["detector.model=facemask_lite0"],
    "one worker": ["pipeline.workers=1"],
    "openvino": ["detector.backend=openvino"],
    "openvino, single worker": ["detector.backend=openvino", "pipeline.workers=1"],
    "float32, onnxruntime": [
        "detector.model=facemask_lite0",
        "detector.backend=onnxruntime",
    ],
    "detector threads=1": ["detector.threads=1"],
    "preset=ultrafast": ["sink.video.preset=ultrafast"],
    "preset=superfast": ["sink.video.preset=superfast"],
    "encoder threads=1": ["sink.video.threads=1"],
    "decoder threads=1": ["source.threads=1"],
    "hwaccel=auto": ["source.hwaccel=auto"],
    "encoder=auto": ["sink.video.encoder=auto"],
    "preset=veryfast": ["sink.video.preset=veryfast"],
    "draw=false": ["sink.video.drawing=null"],
    "every=2": ["pipeline.detect_every=2"],
    "every=3": ["pipeline.detect_every=3"],
    "roi=lower half": ["detector.roi=[0,0.5,1,1]"],
}

Figures = tuple[float, float]
"""CPU time per frame, ms, and frames per second."""


def vidan(overrides: list[str]) -> Figures:
    """Run the pipeline; building it is not measured."""
    with tempfile.TemporaryDirectory() as folder:
        pipeline = prepare(compose([*BASE, *overrides, f"run_dir={folder}"])).pipeline
        return _timed(lambda: pipeline.run().frames)


def stages_alone(overrides: list[str]) -> Figures:
    """Decode, infer and encode one after another, with the same settings."""
    with tempfile.TemporaryDirectory() as folder:
        config = compose([*BASE, *overrides, f"run_dir={folder}", "sink.video.drawing=null"])
        components = RunSettings.from_config(config).components
        detector, sink = build("detector", components["detector"]), build("sink", config.sink.video)
        from vidan import Detections, Result, Tracks

        inputs = {"images": np.zeros((1, 512, 512, 3), np.uint8)}
        nothing = Detections.empty(), Tracks.empty()

        def run() -> int:
            count = 0
            for frame in build("source", config.source):
                count += 1
                detector._run(inputs, ("boxes", "scores"))  # the network alone
                sink.write(Result(frame, *nothing))
                if count == config.max_frames:
                    break
            sink.close()
            return count

        return _timed(run)


def _timed(run: Callable[[], int]) -> Figures:
    started, cpu = time.perf_counter(), time.process_time()
    frames = run()
    cpu, wall = time.process_time() - cpu, time.perf_counter() - started
    return 1000 * cpu / frames, frames / wall


def main(argv: list[str] | None = None) -> None:
    """Run all settings in turn and print a table.

    Raises:
        ConfigError: no video is given, or a bad option.
    """
    arguments = sys.argv[1:] if argv is None else argv
    if not any(Path(a.partition("=")[2]).is_file() for a in arguments):
        raise ConfigError("no video given: set source.path=<video>")
    given = next((a.partition("=")[2] for a in arguments if a.startswith("rounds=")), "3")
    if not given.isdecimal() or not int(given):
        raise ConfigError(f"rounds: {given!r}: expected an integer from 1")
    rounds = int(given)
    only = next((a.partition("=")[2] for a in arguments if a.startswith("only=")), "")
    common = [a for a in arguments if not a.startswith(("rounds=", "only="))]
    wanted = {k: v for k, v in SETTINGS.items() if k == "vidan" or only in k}
    figures: dict[str, list[Figures]] = defaultdict(list)
    for _ in range(rounds):
        figures["stages alone"].append(stages_alone(common))
        for name, overrides in wanted.items():
            figures[name].append(vidan([*common, *overrides]))
    first = figures["vidan"]
    print(f"{'':34}{'ms CPU/frame':>14}{'of vidan':>10}{'frames/s':>10}{'of vidan':>10}")
    for name, runs in figures.items():
        cpu, fps = (statistics.median(run[k] for run in runs) for k in (0, 1))
        of_cpu, of_fps = (
            statistics.median(a[k] / b[k] for a, b in zip(runs, first, strict=True)) for k in (0, 1)
        )
        print(f"{name:34}{cpu:14.1f}{of_cpu:10.2f}{fps:10.1f}{of_fps:10.2f}")


if __name__ == "__main__":
    run_program("python -m benchmarks.suite.ablation", main)
