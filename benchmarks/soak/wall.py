"""What viewers of `sink=web` cost a run, and whether its memory grows.

    python -m benchmarks.soak.wall --minutes 60

Plays the suite's video as eight cameras with `sink=[web,video]`: each records its video, and three
viewers watch. Each of these requests what the wall does, the states and eight thumbnails per
second, and the images of one stream as fast as it gets them. Records the memory of the run every
half minute, and compares frames, recordings and CPU time with a run that nobody watches.

    python -m benchmarks.soak.wall --one --minutes 0.5

compares one stream of 720p with one viewer and with none, at a rate at which no frames are dropped,
so that both process the same. Linux only: reads `/proc`.
"""

from __future__ import annotations

import asyncio
import json
import socket
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, NamedTuple

import av
import numpy as np

from vidan.cli.terminal import console, setup_logging
from vidan.support.program import positive, run_program

from ..inputs import parser, video
from ..processes import COMPONENTS, cpu_time, memory, running
from ..report import Table, result, save, show, spread

INTERVAL_S = 30.0
"""Between two readings of the memory."""

WARM_UP_S = 10.0


class Setup(NamedTuple):
    """A run to watch.

    Attributes:
        cameras: number of streams.
        rate: frames per second of each; None for all.
        viewers: number of viewers.
    """

    cameras: int
    rate: float | None
    viewers: int


class Viewer:
    """Watches the wall, and the images of one stream."""

    def __init__(self, port: int, stream: str | None, names: list[str]) -> None:
        self._base = f"http://127.0.0.1:{port}/"
        self._stream = "" if stream is None else f"streams/{stream}/"
        self._names = names
        self.images = self.thumbnails = 0
        self._ended = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._watch()), daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stop watching."""
        self._ended.set()
        self._thread.join(10)

    async def _watch(self) -> None:
        import aiohttp

        async with aiohttp.ClientSession() as session:
            with suppress(aiohttp.ClientError):
                await asyncio.gather(self._wall(session), self._page(session))

    async def _wall(self, session: Any) -> None:
        while not self._ended.is_set() and self._names:
            await self._read(session, "streams.json")
            for name in self._names:
                self.thumbnails += await self._read(session, f"streams/{name}/thumbnail.jpg")
            await asyncio.sleep(1)

    async def _read(self, session: Any, path: str) -> int:
        async with session.get(self._base + path) as response:
            await response.read()
            return int(response.status == 200)

    async def _page(self, session: Any) -> None:
        import aiohttp

        async with session.ws_connect(f"{self._base}{self._stream}view") as connection:
            await connection.send_str("next")
            async for message in connection:
                if self._ended.is_set():
                    return
                if message.type is aiohttp.WSMsgType.BINARY:
                    self.images += 1
                    await connection.send_str("next")


@contextmanager
def watching(port: int, setup: Setup, names: list[str]) -> Iterator[list[Viewer]]:
    """The viewers of a run."""
    several = len(names) > 1
    viewers = [
        Viewer(port, names[n % len(names)] if several else None, names if several else [])
        for n in range(setup.viewers)
    ]
    try:
        yield viewers
    finally:
        for viewer in viewers:
            viewer.close()


def measure(path: Path, setup: Setup, seconds: float) -> dict[str, Any]:
    """Frames, recordings, CPU time and memory of a run.

    Raises:
        VidanError: the run fails.
    """
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        port = _free_port()
        streams = {
            f"camera{n}": {
                "source": {
                    "name": "stalling",
                    "path": str(path),
                    "rate": setup.rate,
                    "delay": n / (setup.rate or 30) / setup.cameras,
                }
            }
            for n in range(setup.cameras)
        }
        (folder / "streams.yaml").write_text(json.dumps(streams), encoding="utf-8")
        run = [
            f"streams={folder / 'streams.yaml'}",
            f"run_dir={folder / 'run'}",
            f"plugins_dir={COMPONENTS}",
            "sink=[web,video,ages]",
            f"sink.web.port={port}",
            "counts.reset=start",
            "quiet=true",
        ]
        ages = [folder / "run" / each / "ages.txt" for each in streams]

        def started() -> bool:
            return all(file.exists() and file.stat().st_size for file in ages)

        with (
            running(folder, [run], started) as processes,
            watching(port, setup, list(streams)) as viewers,
        ):
            time.sleep(WARM_UP_S)
            began, used, memories = time.monotonic(), cpu_time(processes), [memory(processes)]
            seen = [viewer.images for viewer in viewers]
            while (left := began + seconds - time.monotonic()) > 0:
                time.sleep(min(left, INTERVAL_S))
                memories.append(memory(processes))
            ended, used = time.monotonic(), cpu_time(processes) - used
            images = [v.images - before for v, before in zip(viewers, seen, strict=True)]
            thumbnails = sum(viewer.thumbnails for viewer in viewers)
        summary = json.loads((folder / "run" / "summary.json").read_text(encoding="utf-8"))
        recorded = sum(_frames(folder / "run" / each / "video.mp4") for each in streams)
        arrived = np.concatenate([np.loadtxt(file, ndmin=2) for file in ages])
    inside = (arrived[:, 0] >= began) & (arrived[:, 0] < ended)
    return {
        "frames_per_s": float(inside.sum() / (ended - began)),
        "age_p95_ms": float(1e3 * np.percentile(arrived[inside, 1], 95)),
        "cpu_ms_per_frame": 1e3 * used / max(1, int(inside.sum())),
        "frames": summary["frames"],
        "dropped": summary["dropped"],
        "recorded": recorded,
        "images_per_s": sum(images) / (ended - began),
        "thumbnails": thumbnails,
        "memory_mb": [round(each, 1) for each in memories],
    }


def _frames(path: Path) -> int:
    with av.open(str(path)) as container:
        return sum(1 for _ in container.decode(video=0))


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
    return port


def wall(path: Path, setup: Setup, minutes: float, rounds: int, out: Path) -> dict[str, Any]:
    """Measure with and without viewers, in turns; save the result.

    Args:
        path: of the video.
        setup: with the viewers.
        minutes: length of the first run with viewers; the others take two minutes at most.
        rounds: number of pairs.
        out: folder of the result.
    """
    seconds = 60 * minutes
    runs: dict[str, list[dict[str, Any]]] = {"viewers": [], "none": []}
    for turn in range(rounds):
        runs["viewers"].append(measure(path, setup, seconds if not turn else min(seconds, 120)))
        nobody = setup._replace(viewers=0)
        runs["none"].append(measure(path, nobody, min(seconds, 120)))
    memories = runs["viewers"][0]["memory_mb"]
    rows: list[list[str | float | int | None]] = []
    for title, each in runs.items():
        medians = {
            key: spread(run[key] for run in each)["median"]
            for key in ("frames_per_s", "cpu_ms_per_frame", "age_p95_ms", "images_per_s")
        }
        losses = sum(run["frames"] - run["recorded"] for run in each)
        dropped = sum(run["dropped"] for run in each)
        rows.append([title, *(round(value, 2) for value in medians.values()), dropped, losses])
    columns = ["", "frames/s", "CPU per frame, ms", "age p95, ms", "images/s", "dropped", "lost"]
    note = (
        "lost: frames that are not in the recordings. Memory of the first run with viewers: "
        f"{memories[0]:.0f} MB at the start, {memories[-1]:.0f} MB after {minutes:g} min, "
        f"{max(memories):.0f} MB at most."
    )
    title = f"{setup.viewers} viewers of {setup.cameras} streams"
    made: dict[str, Any] = result(
        "wall" if setup.cameras > 1 else "viewer",
        title,
        f"python -m benchmarks.soak.wall --minutes {minutes:g} --rounds {rounds}"
        + ("" if setup.cameras > 1 else " --one"),
        [Table(title, columns, rows, note)],
        settings={**setup._asdict(), "minutes": minutes, "video": path.name},
        figures=runs,
    )
    save(made, out)
    return made


def main() -> int:
    """Run from the command line."""
    options = parser("benchmarks.soak.wall", str(__doc__))
    options.add_argument("--minutes", type=float, default=60)
    options.add_argument("--rounds", type=positive, default=1)
    options.add_argument(
        "--rate", type=float, help="frames per second of each camera (2; 15 with --one)"
    )
    options.add_argument("--one", action="store_true", help="one 720p stream and one viewer")
    args = options.parse_args()
    setup_logging()
    setup = Setup(1, args.rate or 15.0, 1) if args.one else Setup(8, args.rate or 2.0, 3)
    path = video(525, "1280x720" if args.one else "1920x1080")
    show(wall(path, setup, args.minutes, args.rounds, args.out), console())
    return 0


if __name__ == "__main__":
    run_program("python -m benchmarks.soak.wall", main)
