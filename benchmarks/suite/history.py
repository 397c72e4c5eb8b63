"""How long the history of `sink=web` takes to answer, and the memory that writing it takes.

    python -m benchmarks.suite.history

Writes a month of a camera: objects of three labels in the image and in two zones, minute by minute,
and 10,000 events, of which the latest 2,000 have an image. Then requests what the page requests,
several times each, over HTTP.
"""

from __future__ import annotations

import resource
import statistics
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from vidan.cli.terminal import console, setup_logging
from vidan.events import CROSSED, ENTERED, EXITED, FLOW, Event, Measure, Phase, Value
from vidan.images import jpeg
from vidan.support.program import positive, run_program
from vidan.testing.parts import result as make_result
from vidan.types import Result
from vidan_plugins.sinks.http.endpoint import listen
from vidan_plugins.sinks.http.server import HttpServer
from vidan_plugins.sinks.web.history.routes import HistoryRoutes
from vidan_plugins.sinks.web.history.store import HistoryStore

from ..inputs import parser
from ..report import Table, result, save, show, spread

DAY_S = 86_400
LABELS = ("person", "bicycle", "vehicle")
ZONES = ("till", "yard")
START = 1_790_000_000 // DAY_S * DAY_S
"""The month begins on a day of 2026, s since 1970."""

FRAMES_PER_MINUTE = 2
IMAGES = 2000


def requests(days: int) -> dict[str, str]:
    """What the page requests, by what it is for."""
    last = START + days * DAY_S
    return {
        "summary of all": "history.json?bins=60",
        "summary of all, most intervals": "history.json?bins=400",
        "summary of a day": f"history.json?begin={last - DAY_S}&end={last}&bins=96",
        "summary of a line and label": "history.json?bins=60&rule=door&label=person",
        "latest events": "events.json?limit=50",
        "events of a zone": "events.json?rule=till&limit=200",
        "events of a label and kind": "events.json?label=bicycle&kind=line.crossed&limit=200",
        "counts as CSV": "history.csv?bins=400",
        "occupancy as CSV": "occupancy.csv?bins=400",
        "an image": "events/{number}.jpg",
    }


def events(count: int, days: int) -> Iterator[Event]:
    """Crossings, visits and flows, evenly spread."""
    box, at = (100.0, 200.0, 180.0, 420.0), (140.0, 420.0)
    for n in range(count):
        label, zone = LABELS[n % 3], ZONES[n % 2]
        chosen: tuple[tuple[str, Phase, str, dict[str, Value]], ...] = (
            (CROSSED, "point", "door", {"direction": "in" if n % 3 else "out"}),
            (ENTERED, "start", zone, {}),
            (EXITED, "end", zone, {"dwell": float(n % 60)}),
            (FLOW, "point", "flows", {"origin": "door", "destination": zone, "seconds": 3.0}),
        )
        kind, phase, rule, data = chosen[n % 4]
        when = (n + 0.5) * days * DAY_S / count
        yield Event(
            f"e{n}", kind, phase, "cam", rule, when, round(30 * when), n, label, box, at, data
        )


def frame(minute: int) -> Result:
    """A frame with some objects of each label, of which some are in zones."""
    counts = [1 + (minute // (60 * n)) % (4 * n) for n in (1, 2, 3)]
    total = sum(counts)
    made = make_result(0, [[10 * n, 0, 10 * n + 8, 20] for n in range(total)])
    made.tracks.classes[:] = np.repeat(np.arange(3), counts)
    measures = {
        Measure("zone_objects", (("zone", zone), ("label", label))): float(count // 2)
        for zone in ZONES
        for label, count in zip(LABELS, counts, strict=True)
    }
    return Result(
        made.frame, made.detections, made.tracks, LABELS, measures=measures, timings=made.timings
    )


def write(path: Path, count: int, days: int) -> float:
    """Write the history; the memory that it took at most, MB."""
    image = jpeg(np.random.default_rng(1).integers(0, 255, (160, 80, 3), np.uint8), 75)
    waiting = events(count, days)
    event = next(waiting, None)
    frames = [frame(minute) for minute in range(0, 24 * 60, 10)]
    before = _peak()
    store = HistoryStore(path, "run", 365 * DAY_S)
    number = 0
    for minute in range(days * 24 * 60):
        now = 60.0 * minute
        for _ in range(FRAMES_PER_MINUTE):
            store.see(frames[minute // 10 % len(frames)], START + now)
        while event is not None and event.time < now + 60:
            store.add(event, START + event.time, image if number >= count - IMAGES else None)
            number, event = number + 1, next(waiting, None)
    store.close()
    return _peak() - before


def _peak() -> float:
    """The most memory that this process has used so far, MB."""
    size = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return size / (2**20 if sys.platform == "darwin" else 1024)


@contextmanager
def served(path: Path) -> Iterator[str]:
    """The address at which a history is served."""
    endpoint = listen("127.0.0.1", 0, None, None, None)
    routes = HistoryRoutes(path, dated=True)
    server = HttpServer(
        endpoint, routes.add_to, name="vidan-history", max_connections=32, timeout=20.0
    )
    try:
        yield endpoint.url
    finally:
        server.close()


def history(count: int, days: int, rounds: int, out: Path) -> dict[str, Any]:
    """Measure, and save the result in a folder.

    Args:
        count: number of events.
        days: length of the history.
        rounds: of all requests.
        out: folder of the result.
    """
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "history.sqlite"
        memory = write(path, count, days)
        size = path.stat().st_size / 1e6
        times: dict[str, list[float]] = {title: [] for title in requests(days)}
        sizes: dict[str, int] = {}
        with served(path) as url:
            for _ in range(rounds):
                for title, request in requests(days).items():
                    began = time.perf_counter()
                    with urllib.request.urlopen(url + request.format(number=count - 1)) as answer:  # noqa: S310
                        sizes[title] = len(answer.read())
                    times[title].append(1e3 * (time.perf_counter() - began))
    figures = {title: spread(each) for title, each in times.items()}
    rows: list[list[str | float | int | None]] = [
        [title, round(each["median"], 1), round(each["high"], 1), round(sizes[title] / 1e3, 1)]
        for title, each in figures.items()
    ]
    note = (
        f"{days} days of {len(LABELS)} labels and {count:,} events: {size:.1f} MB on disk; writing "
        f"took {memory:.1f} MB of memory. Median of all medians: "
        f"{statistics.median(each['median'] for each in figures.values()):.1f} ms."
    )
    made: dict[str, Any] = result(
        "history",
        "Requests of the history",
        f"python -m benchmarks.suite.history --events {count} --days {days}",
        [Table("Requests of the history", ["", "ms", "most, ms", "kB"], rows, note)],
        settings={"events": count, "days": days, "rounds": rounds},
        figures={"requests": figures, "memory_mb": memory, "disk_mb": size},
    )
    save(made, out)
    return made


def main() -> int:
    """Run from the command line."""
    options = parser("benchmarks.suite.history", str(__doc__))
    options.add_argument("--events", type=positive, default=10_000)
    options.add_argument("--days", type=positive, default=30)
    options.add_argument("--rounds", type=positive, default=10)
    args = options.parse_args()
    setup_logging()
    show(history(args.events, args.days, args.rounds, args.out), console())
    return 0


if __name__ == "__main__":
    run_program("python -m benchmarks.suite.history", main)
