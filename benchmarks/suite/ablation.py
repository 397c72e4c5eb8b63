"""What each lever of the frame loop is worth: `python -m benchmarks.suite.ablation source.path=<video>`.

Runs the same video with one setting changed at a time, all settings in turn, several rounds,
and prints the processor time per frame and frames per second of each, as ratios to the first.
In turn, so that what else the machine does falls on all alike; processor time is hardly
touched by it. `bare` is decoding, inferring and encoding alone, one after another: the limit.

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
from vidan.execution.assemble import build_pipeline

BASE = ["source=file", "sink=[video,jsonl]"]

LEVERS: dict[str, list[str]] = {
    "vidan": [],
    "model=facemask_lite0, float": ["detector.model=facemask_lite0"],
    "one request in flight": ["pipeline.workers=1"],
    "backend=openvino": ["detector.backend=openvino"],
    "backend=openvino, one request": ["detector.backend=openvino", "pipeline.workers=1"],
    "float, backend=onnxruntime": [
        "detector.model=facemask_lite0",
        "detector.backend=onnxruntime",
    ],
    "one thread computes": ["detector.threads=1"],
    "preset=ultrafast": ["sink.video.preset=ultrafast"],
    "preset=superfast": ["sink.video.preset=superfast"],
    "encoder threads=1": ["sink.video.threads=1"],
    "decoder threads=1": ["source.threads=1"],
    "hwaccel=auto": ["source.hwaccel=auto"],
    "encoder=auto": ["sink.video.encoder=auto"],
    "preset=veryfast": ["sink.video.preset=veryfast"],
    "nothing drawn": ["sink.video.draw=false"],
    "every=2": ["detector.every=2"],
    "every=3": ["detector.every=3"],
    "roi=lower half": ["detector.roi=[0,0.5,1,1]"],
}

LiveStats = tuple[float, float]
"""Processor time per frame, ms, and frames per second."""


def vidan(overrides: list[str]) -> LiveStats:
    """One run of the pipeline, without what comes before and after it."""
    with tempfile.TemporaryDirectory() as folder:
        pipeline = build_pipeline(compose([*BASE, *overrides, f"run_dir={folder}"]))
        return _timed(lambda: pipeline.run().frames)


def bare(overrides: list[str]) -> LiveStats:
    """Decoding, inferring and encoding alone, each with the settings of `vidan`."""
    with tempfile.TemporaryDirectory() as folder:
        config = compose([*BASE, *overrides, f"run_dir={folder}", "sink.video.draw=false"])
        detector, sink = build("detector", config.detector), build("sink", config.sink.video)
        from vidan import Detections, Result, Tracks

        inputs = {"images": np.zeros((1, 512, 512, 3), np.uint8)}
        none = Detections.empty(), Tracks.empty()

        def run() -> int:
            count = 0
            for frame in build("source", config.source):
                count += 1
                detector._run(inputs, ("boxes", "scores"))  # the network alone
                sink.write(Result(frame, *none))
                if count == config.max_frames:
                    break
            sink.close()
            return count

        return _timed(run)


def _timed(run: Callable[[], int]) -> LiveStats:
    started, cpu = time.perf_counter(), time.process_time()
    frames = run()
    cpu, wall = time.process_time() - cpu, time.perf_counter() - started
    return 1000 * cpu / frames, frames / wall


def main(arguments: list[str]) -> None:
    """Run all levers in turn, and print a table."""
    rounds = next((int(a.partition("=")[2]) for a in arguments if a.startswith("rounds=")), 3)
    only = next((a.partition("=")[2] for a in arguments if a.startswith("only=")), "")
    common = [a for a in arguments if not a.startswith(("rounds=", "only="))]
    wanted = {k: v for k, v in LEVERS.items() if k == "vidan" or only in k}
    figures: dict[str, list[LiveStats]] = defaultdict(list)
    for _ in range(rounds):
        figures["bare"].append(bare(common))
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
    if not any(Path(a.partition("=")[2]).is_file() for a in sys.argv[1:]):
        sys.exit(
            "give a video: python -m benchmarks.suite.ablation source.path=<video> [max_frames=100]"
        )
    main(sys.argv[1:])
