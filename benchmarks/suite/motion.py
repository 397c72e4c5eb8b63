"""What `detector.when=motion` saves, and what it changes: `python -m benchmarks.suite.motion`.

Runs each video twice, always detecting and by motion, and prints the CPU time of both (decoding,
detecting, tracking, counting; loading the model not included), the fraction of frames that were
detected, and how many objects crossed a line. Two of the videos are made of real ones:

- `stopped`: the first image of MOT16-09.mp4, 1080p30, for 30 s with the noise of a sensor, encoded
  again as H.264 with a key frame every 2 s. People stand in it.
- `empty road`: frames 8 to 48 of car-detection.mp4, 768x432 at 12.5 frames/s, in which only the
  camera moves a little, forward and backward for 60 s, encoded likewise.

With TrackEval and `mot16/` next to the folder of the videos it also scores the tracks of MOT16-09.
Arguments are overrides, to choose another detector: `detector=onnx detector.model=...`.
"""

from __future__ import annotations

import argparse
import itertools
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import closing
from fractions import Fraction
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

import av
import numpy as np
from rich.table import Table

from vidan.cli.terminal import console
from vidan.config.compose import compose
from vidan.execution.execute import prepare
from vidan.execution.summary import Summary
from vidan.support.program import run_program
from vidan.types import Image
from vidan_plugins.sources.ffmpeg.file import VideoFile
from vidan_plugins.tools.tracking.evaluation import evaluate

from ..inputs import WORK, real_video

DARK_NOISE, LIGHT_NOISE = 2.0, 0.04
"""Standard deviation of the noise in the dark, gray levels, and its variance per gray level."""

NOISY_IMAGES = 30
"""Images with independent noise, which follow each other in turn."""

KEY_FRAME_S = 2
STOPPED_S, ROAD_S = 30, 60
ROAD = range(8, 49)
"""Frames of car-detection.mp4 without a car."""

LINES = {
    "plaza.mp4": "{from:[0.273,0.5556],to:[1,0.5556]}",
    "car-detection.mp4": "{from:[0,0.463],to:[1,0.463]}",
    "one-by-one-person-detection.mp4": "{from:[0.7,0],to:[0.7,1]}",
}
"""Of docs/counting.md."""


class Run(NamedTuple):
    """CPU time of a run, s, and its summary."""

    seconds: float
    summary: Summary

    @property
    def counts(self) -> str:
        """Objects that crossed the line, by direction; empty without a line."""
        found: Counter[str] = Counter()
        for measure in self.summary["measures"]:
            if measure["name"] == "line_crossings_total":
                found[measure["labels"]["direction"]] += measure["value"]
        return ", ".join(f"{value:g} {name}" for name, value in sorted(found.items()))


def noisy(image: Image, count: int) -> Iterator[Image]:
    """An image (H,W,3) with independent noise, `count` times."""
    rng, level = np.random.default_rng(0), image.astype(np.float32)
    deviation = np.sqrt(DARK_NOISE**2 + LIGHT_NOISE * level)
    for _ in range(count):
        noise = rng.standard_normal(image.shape, np.float32) * deviation
        yield (level + noise).round().clip(0, 255).astype(np.uint8)


def encode(path: Path, images: Sequence[Image], rate: Fraction, seconds: int) -> None:
    """Write images as H.264, again and again."""
    frames = round(rate * seconds)
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate, {"g": str(round(KEY_FRAME_S * rate))})
        stream.height, stream.width = images[0].shape[:2]
        stream.pix_fmt = "yuv420p"
        for image in itertools.islice(itertools.cycle(images), frames):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(image, format="rgb24")))
        container.mux(stream.encode())


def quiet_videos(folder: Path, videos: Path) -> list[Path]:
    """Make the two videos in which nothing moves, unless they are there."""
    stopped, road = folder / "stopped.mp4", folder / "empty road.mp4"
    folder.mkdir(parents=True, exist_ok=True)
    if not stopped.is_file():
        with closing(VideoFile(str(videos / "MOT16-09.mp4"))) as source:
            image = next(iter(source)).rgb()
        encode(stopped, list(noisy(image, NOISY_IMAGES)), Fraction(30), STOPPED_S)
    if not road.is_file():
        with closing(VideoFile(str(videos / "car-detection.mp4"))) as source:
            images = [frame.rgb() for frame in itertools.islice(source, ROAD.start, ROAD.stop)]
        encode(road, [*images, *images[-2:0:-1]], Fraction(25, 2), ROAD_S)
    return [stopped, road]


def measured(video: Path, when: str, overrides: list[str], folder: Path) -> Run:
    """Run a video; its tracks are in `folder`."""
    line = LINES.get(video.name)
    config = compose(
        [
            "source=file",
            f"source.path='{video}'",
            f"detector.when={when}",
            "sink=[mot]",
            f"sink.mot.path={folder / 'MOT16-09.txt'}",
            f"run_dir={folder}",
            *([] if line is None else [f"scene.lines.line={line}"]),
            *overrides,
        ]
    )
    run = prepare(config)
    began = time.process_time()
    summary = run.run()
    return Run(time.process_time() - began, summary)


def scores(data: Path, folder: Path) -> str:
    """HOTA, MOTA and IDF1 of the tracks of MOT16-09 in a folder; empty without TrackEval."""
    if find_spec("trackeval") is None or not (data / "mot16").is_dir():
        return ""
    given = [f"data={data / 'mot16'}", f"results={folder}", f"run_dir={folder / 'scores'}"]
    found = evaluate(compose(given, "eval_tracking"))
    return " / ".join(f"{found.rows['MOT16-09'][name]:.1f}" for name in ("HOTA", "MOTA", "IDF1"))


def main() -> int:
    """Print a table."""
    options = argparse.ArgumentParser("python -m benchmarks.suite.motion", description=__doc__)
    options.add_argument("overrides", nargs="*", help="of the detector; default: detector=people")
    overrides = options.parse_args().overrides or ["detector=people"]
    real = real_video()
    if real is None:
        sys.stderr.write("set VIDAN_DATA to the folder with video/MOT16-09.mp4\n")
        return 1
    videos = quiet_videos(WORK / "motion", real.parent)
    videos += [real.parent / name for name in LINES if (real.parent / name).is_file()]
    table = Table(box=None, pad_edge=False)
    for title in (
        "video",
        "frames",
        "detected",
        "CPU, s",
        "motion, s",
        "ratio",
        "always",
        "motion",
    ):
        table.add_column(title)
    for video in [*videos, real]:
        with tempfile.TemporaryDirectory() as name:
            folders = {when: Path(name) / when for when in ("always", "motion")}
            runs = {when: measured(video, when, overrides, folders[when]) for when in folders}
            found = [run.counts for run in runs.values()]
            if video == real:
                found = [scores(real.parents[1], folder) for folder in folders.values()]
        always, motion = runs.values()
        frames, detected = motion.summary["frames"], motion.summary["detected"]
        ratio = motion.seconds / always.seconds
        figures = f"{detected / frames:.3f}", f"{always.seconds:.1f}", f"{motion.seconds:.1f}"
        table.add_row(video.name, str(frames), *figures, f"{ratio:.2f}", *found)
    console().print(table)
    return 0


if __name__ == "__main__":
    run_program("python -m benchmarks.suite.motion", main)
