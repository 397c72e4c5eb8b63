"""Time of models, one after another on the same frame: `python -m benchmarks.suite.models`.

Each detector finds objects in a 1080p frame of the video, and each model for appearance describes
one of 128 x 256 px cut out of it. They take turns for several rounds, so that other load on the
machine affects all alike. Without names, the shipped models and those of `vidan models list` that
are downloaded; files can be named as well, with their labels if they have none of their own:

    python -m benchmarks.suite.models
    python -m benchmarks.suite.models yolox-nano street.onnx ssd.tflite=coco91 --threads 1
"""

from __future__ import annotations

import shlex
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

from vidan.cli.terminal import console, setup_logging
from vidan.frames import ArrayFrame
from vidan.support.program import positive, run_program
from vidan.types import Image
from vidan_plugins.detectors.onnx import OnnxDetector, resolve
from vidan_plugins.models.catalog import catalog, is_downloaded
from vidan_plugins.sources.ffmpeg.file import VideoFile
from vidan_plugins.trackers.appearance.embedders import make_embedder

from ..inputs import model, parser, video
from ..report import Table, result, save, show

WARMUP_ROUNDS = 2
APPEARANCE = "reidentification"
"""Models with this in their name are for appearance."""

CROP = (256, 128)
"""Height and width of the image that models for appearance describe, px."""

Times = tuple[float, float]
"""Wall and CPU time of one call, ms."""


def known() -> list[str]:
    """The names of the models that need no download."""
    shipped = sorted(file.stem for file in model().parent.glob("*.onnx"))
    return shipped + [entry.name for entry in catalog().values() if is_downloaded(entry)]


def first_image(path: Path) -> Image:
    """The first image of a video, (H,W,3) uint8 RGB."""
    with closing(VideoFile(str(path))) as source:
        image: Image = next(iter(source)).rgb()
    return image


def call(given: str, image: Image, threads: int) -> Callable[[], object]:
    """One use of a model that is named on the command line."""
    name, _, labels = given.partition("=")
    if APPEARANCE in name:
        embedder = make_embedder(name, offline=True)
        assert embedder is not None
        crop = image[: CROP[0], : CROP[1]]
        return lambda: embedder.embed([crop])
    detector = OnnxDetector(name, labels or None, threads=threads, offline=True)
    frame = ArrayFrame(image, index=0)
    return lambda: detector.detect([frame])


def measure(calls: Mapping[str, Callable[[], object]], rounds: int) -> dict[str, list[Times]]:
    """The times of each call, which take turns."""
    found: dict[str, list[Times]] = {name: [] for name in calls}
    for number in range(rounds + WARMUP_ROUNDS):
        for name, run in calls.items():
            started, cpu = time.perf_counter(), time.process_time()
            run()
            took = time.perf_counter() - started, time.process_time() - cpu
            if number >= WARMUP_ROUNDS:
                found[name].append((1e3 * took[0], 1e3 * took[1]))
    return found


def size(name: str) -> float:
    """Size of a model's files, MB."""
    entry = catalog().get(name)
    total: int | None = entry.size if entry is not None else None
    if total is None:
        path, _ = resolve(name, offline=True)
        files = [path, path.with_suffix(".bin")] if path.suffix == ".xml" else [path]
        total = sum(file.stat().st_size for file in files)
    return total / 1e6


def table(found: Mapping[str, Sequence[Times]], threads: int) -> Table:
    """Size, and medians and minima of the times."""
    rows = []
    for name, figures in found.items():
        walls, cpus = zip(*figures, strict=True)
        times = statistics.median(walls), min(walls), statistics.median(cpus)
        rows.append([Path(name).stem, size(name), *times])
    columns = ["", "MB", "wall, ms", "least", "CPU, ms"]
    note = f"Medians with {threads} threads, from an RGB image to boxes in it."
    return Table("Models", columns, rows, note)


def models(names: Sequence[str], path: Path, rounds: int, threads: int, out: Path) -> Any:
    """Measure, and save the result in a folder.

    Args:
        names: of models, or files; none for all that need no download.
        path: the video.
        rounds: that are counted.
        threads: compute threads of a detector.
        out: folder of the result.
    """
    image = first_image(path)
    calls = {name.partition("=")[0]: call(name, image, threads) for name in names or known()}
    found = measure(calls, rounds)
    arguments = [*names, "--rounds", str(rounds), "--threads", str(threads)]
    made = result(
        "models",
        "Models",
        f"python -m benchmarks.suite.models {shlex.join(arguments)}",
        [table(found, threads)],
        settings={"video": path.name, "rounds": rounds, "threads": threads},
    )
    save(made, out)
    return made


def main() -> int:
    """Run from the command line."""
    options = parser("benchmarks.suite.models", str(__doc__))
    options.add_argument("names", nargs="*", help="models or files, <file>=<labels> if needed")
    options.add_argument("--rounds", type=positive, default=20)
    options.add_argument("--threads", type=positive, default=2)
    args = options.parse_args()
    setup_logging()
    show(models(args.names, video(30), args.rounds, args.threads, args.out), console())
    return 0


if __name__ == "__main__":
    run_program("python -m benchmarks.suite.models", main)
