"""CPU cost of viewers of `sink=web`: `python -m benchmarks.soak.viewers [--rounds 3]`.

Shows 1080p frames at 30 per second to 0, 1 and 4 viewers in turn, and prints the CPU time per
frame of the serving process; viewers run in processes of their own. A viewer requests the next
image as soon as it has received one, as the page does. An image is scaled, drawn on and encoded
once for all viewers, and not at all without viewers.
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import multiprocessing
import statistics
import time
from collections import defaultdict
from multiprocessing.connection import Connection

import numpy as np

from vidan.support.program import positive, run_program
from vidan.types import Detections, Result, Tracks
from vidan_plugins.sinks.web import Web
from vidan_plugins.sources.synthetic.source import Synthetic

RATE = 30
PEOPLE = 10
VIEWERS = (0, 1, 4)


def view(port: int, counted: Connection) -> None:
    """Receive images until the server closes, then send how many there were."""
    import aiohttp

    async def receive() -> int:
        count = 0
        async with (
            aiohttp.ClientSession() as session,
            session.ws_connect(f"http://127.0.0.1:{port}/view") as socket,
        ):
            await socket.send_str("next")
            async for message in socket:
                if message.type is aiohttp.WSMsgType.BINARY:
                    count += 1
                    await socket.send_str("next")
        return count

    counted.send(asyncio.run(receive()))


def results(seconds: float) -> list[Result]:
    """Results for some seconds: one second of a street in a loop, with PEOPLE tracks."""
    frames = list(Synthetic(frames=RATE, rate=RATE))
    corners = np.linspace(100, 1500, PEOPLE, dtype=np.float32)
    boxes = np.stack([corners, corners / 2, corners + 90, corners / 2 + 120], axis=1)
    n, none = np.arange(PEOPLE), np.zeros(PEOPLE, np.int32)
    tracks = Tracks(
        n.astype(np.int64), boxes, np.full(PEOPLE, 0.9, np.float32), none, none, none - 1
    )
    return [
        Result(frames[index % RATE], Detections.empty(), tracks, ("person",))
        for index in range(round(seconds * RATE))
    ]


def measure(shown: list[Result], viewers: int) -> tuple[float, float]:
    """CPU time per frame, ms, and images per second that each viewer received."""
    sink = Web(port=0, max_viewers=max(VIEWERS))
    spawn = multiprocessing.get_context("spawn")
    ends = [spawn.Pipe() for _ in range(viewers)]
    processes = [spawn.Process(target=view, args=(sink.port, end)) for _, end in ends]
    for process in processes:
        process.start()
    while sink.viewers < viewers:
        time.sleep(0.05)
    began, cpu = time.monotonic(), time.process_time()
    for index, result in enumerate(shown):
        time.sleep(max(0.0, began + index / RATE - time.monotonic()))
        sink.write(result)
    cpu, wall = time.process_time() - cpu, time.monotonic() - began
    sink.close()
    seen = [end.recv() for end, _ in ends]
    for process in processes:
        process.join()
    return 1000 * cpu / len(shown), statistics.mean(seen) / wall if seen else 0.0


def main() -> None:
    """Measure all in turn and print a table."""
    options = argparse.ArgumentParser("python -m benchmarks.soak.viewers", description=__doc__)
    options.add_argument("--rounds", type=positive, default=3)
    options.add_argument("--seconds", type=float, default=10.0, help="of each measurement")
    args = options.parse_args()
    logging.basicConfig(level=logging.WARNING)
    shown = results(args.seconds)
    figures: dict[int, list[tuple[float, float]]] = defaultdict(list)
    for _ in range(args.rounds):
        for viewers in VIEWERS:
            figures[viewers].append(measure(shown, viewers))
    print(f"{'viewers':>8}{'ms CPU/frame':>14}{'ratio':>8}{'images/s':>12}")
    for viewers, runs in figures.items():
        cpu, rate = (statistics.median(run[k] for run in runs) for k in (0, 1))
        ratio = statistics.median(a[0] / b[0] for a, b in zip(runs, figures[1], strict=True))
        print(f"{viewers:8}{cpu:14.2f}{ratio:8.2f}{rate:12.1f}")


if __name__ == "__main__":
    run_program("python -m benchmarks.soak.viewers", main)
