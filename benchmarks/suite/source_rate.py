"""CPU time of `source.rate`: `python -m benchmarks.suite.source_rate <video> ...`.

Compares reading all frames of a video with reading 5 per second, with one decoder thread: decoding
alone, and decoding with conversion to RGB. Several runs, in turns; the median of their CPU time.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from contextlib import closing
from pathlib import Path

from rich.table import Table

from vidan.cli.terminal import console
from vidan_plugins.sources.ffmpeg.file import VideoFile

from ..inputs import real_video

RATE = 5.0
RUNS = 3


def cpu_time(video: Path, rate: float | None, *, convert: bool) -> tuple[float, int]:
    """CPU time of reading a video, s, and the number of frames."""
    began, frames = time.process_time(), 0
    with closing(VideoFile(str(video), rate=rate, threads=1)) as source:
        for frame in source:
            frames += 1
            if convert:
                frame.rgb()
    return time.process_time() - began, frames


def main() -> int:
    """Print a table."""
    parser = argparse.ArgumentParser("python -m benchmarks.suite.source_rate")
    parser.add_argument("videos", type=Path, nargs="*", help="default: MOT16-09.mp4")
    default = real_video()
    videos: list[Path] = parser.parse_args().videos or ([default] if default else [])
    if not videos:
        sys.stderr.write("name a video, or set VIDAN_DATA to the folder with video/MOT16-09.mp4\n")
        return 1
    table = Table(box=None, pad_edge=False)
    for title in ("video", "reading", "frames", "at 5/s", "CPU, s", "at 5/s, s", "ratio"):
        table.add_column(title)
    for video in videos:
        for convert in (False, True):
            pairs = [
                (cpu_time(video, None, convert=convert), cpu_time(video, RATE, convert=convert))
                for _ in range(RUNS)
            ]
            every, rated = (statistics.median(run[n][0] for run in pairs) for n in (0, 1))
            counts = [str(pairs[0][n][1]) for n in (0, 1)]
            what = "decoded and converted" if convert else "decoded"
            figures = f"{every:.2f}", f"{rated:.2f}", f"{rated / every:.2f}"
            table.add_row(video.name, what, *counts, *figures)
    console().print(table)
    return 0


if __name__ == "__main__":
    sys.exit(main())
