"""Events per second into each receiver, and the CPU time of the sinks.

    python -m benchmarks.suite.event_outputs

Gives a sink frames with several events each, as of a busy street, and measures the time until the
receiver has acknowledged all of them: mosquitto on this machine, started for that, a SQLite file,
a Parquet dataset, a PostgreSQL server if `--url` names one, and lines of JSON for comparison. The
sinks take turns for several rounds. A second measurement gives each sink results at 30 frames and
10 events per second.
"""

from __future__ import annotations

import shutil
import socket
import subprocess
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from vidan.cli.terminal import console, setup_logging
from vidan.config.build import BuildContext, RunContext, build
from vidan.errors import VidanError
from vidan.events import CROSSED, Event, Value
from vidan.interfaces import EventSink, Sink
from vidan.support.program import positive, run_program
from vidan.testing.parts import result as make_result
from vidan.types import Result

from ..inputs import parser
from ..report import Table, result, save, show, spread

GROUP = 10
"""Events in one frame."""

FRAME_RATE, EVENT_RATE = 30, 10
"""Per second, in the second measurement."""

PROGRAM = shutil.which("mosquitto", path="/usr/sbin:/usr/local/sbin:/usr/bin:/usr/local/bin")

Make = Callable[[Path], Any]


@contextmanager
def mosquitto(folder: Path) -> Iterator[int]:
    """A broker on a free port.

    Raises:
        VidanError: mosquitto is not installed, or does not start.
    """
    if PROGRAM is None:
        raise VidanError("there is no mosquitto: apt-get install mosquitto")
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
    config = folder / "mosquitto.conf"
    config.write_text(f"listener {port} 127.0.0.1\nallow_anonymous true\n")
    process = subprocess.Popen(  # noqa: S603
        [PROGRAM, "-c", str(config)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        _wait_for(port)
        yield port
    finally:
        process.terminate()
        process.wait()


def _wait_for(port: int) -> None:
    end = time.monotonic() + 10
    while True:
        try:
            return socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError as error:
            if time.monotonic() > end:
                raise VidanError("mosquitto does not start") from error
            time.sleep(0.05)


def candidates(port: int, url: str | None) -> dict[str, Make]:
    """What makes each sink, with a folder of its own."""

    def sink(name: str, folder: Path, **options: Any) -> Any:
        run = RunContext(uuid.uuid4().hex, 0.0, True, "front", folder)
        context = BuildContext(live_source=True, run=run)
        return build("sink", {"name": name, **options}, context=context)

    def mqtt(folder: Path, form: str) -> Any:
        path = str(folder / "spool.sqlite")
        return sink("mqtt", folder, port=port, format=form, spool=path, drain=60.0)

    made = {
        "mqtt, mosquitto": lambda folder: mqtt(folder, "vidan"),
        "mqtt, mosquitto, format=onvif": lambda folder: mqtt(folder, "onvif"),
        "sql, SQLite": lambda folder: sink("sql", folder, path=str(folder / "vidan.sqlite")),
        "parquet": lambda folder: sink("parquet", folder, path=str(folder / "dataset")),
        "events, lines of JSON": lambda folder: sink(
            "events", folder, path=str(folder / "events.jsonl")
        ),
    }
    if url is not None:
        made["sql, PostgreSQL"] = lambda folder: sink(
            "sql", folder, path="unused", url=url, spool=str(folder / "spool.sqlite"), drain=60.0
        )
    return made


def events(count: int) -> list[Event]:
    """Crossings, ten per second of stream time."""
    data: dict[str, Value] = {"direction": "in", "joined": False, "delay": 0.05}
    box, at = (100.25, 200.5, 180.75, 420.0), (140.5, 420.0)
    return [
        Event(f"front/door/{n}", CROSSED, "point", "front", "door", n / EVENT_RATE, 3 * n, n,
              "person", box, at, data)
        for n in range(count)
    ]  # fmt: skip


def throughput(make: Make, found: list[Event]) -> dict[str, float]:
    """Events per second until all are acknowledged, and until all are handed over; CPU time."""
    frame = make_result(0, [[100, 200, 180, 420]] * 10)
    with tempfile.TemporaryDirectory() as folder:
        sink = make(Path(folder))
        started, used = time.perf_counter(), time.process_time()
        for first in range(0, len(found), GROUP):
            _publish(sink, replace(frame, events=tuple(found[first : first + GROUP])))
        handed = time.perf_counter() - started
        sink.close()
        seconds = time.perf_counter() - started
        cpu = time.process_time() - used
    count = len(found)
    return {"per_s": count / seconds, "emit_per_s": count / handed, "cpu_us": cpu / count * 1e6}


def idle(make: Make, seconds: float) -> float:
    """CPU time of a sink at the rates of a quiet camera, in percent of one core."""
    waiting = iter(events(int(seconds * EVENT_RATE)))
    frame = make_result(0, [[100, 200, 180, 420]] * 10)
    with tempfile.TemporaryDirectory() as folder:
        sink = make(Path(folder))
        used, started = time.process_time(), time.perf_counter()
        for index in range(int(seconds * FRAME_RATE)):
            given = [next(waiting)] if index % (FRAME_RATE // EVENT_RATE) == 0 else []
            _publish(sink, replace(frame, events=tuple(given)))
            time.sleep(max(0.0, started + (index + 1) / FRAME_RATE - time.perf_counter()))
        cpu = time.process_time() - used
        sink.close()
    return 100 * cpu / seconds


def _publish(sink: Any, one: Result) -> None:
    if isinstance(sink, EventSink) and one.events:
        sink.emit(one.events)
    if isinstance(sink, Sink):
        sink.write(one)


def event_outputs(
    count: int, rounds: int, seconds: float, out: Path, url: str | None = None
) -> dict[str, Any]:
    """Measure, and save the result in a folder.

    Args:
        count: events for each sink and round.
        rounds: number of rounds.
        seconds: length of the second measurement, s.
        out: folder of the result.
        url: of a PostgreSQL database; None to leave it out.
    """
    found = events(count)
    measured: dict[str, list[dict[str, float]]] = {}
    with tempfile.TemporaryDirectory() as folder, mosquitto(Path(folder)) as port:
        makers = candidates(port, url)
        for _ in range(rounds):
            for title, make in makers.items():
                measured.setdefault(title, []).append(throughput(make, found))
        percent = {title: idle(make, seconds) for title, make in makers.items()}
    figures = {
        title: {key: spread(one[key] for one in each) for key in each[0]}
        for title, each in measured.items()
    }
    made: dict[str, Any] = result(
        "event_outputs",
        "Event outputs",
        f"python -m benchmarks.suite.event_outputs --events {count} --rounds {rounds}"
        + (" --url postgresql://…" if url else ""),
        [_table(figures, percent)],
        settings={"events": count, "rounds": rounds, "seconds": seconds},
        figures={title: {**figures[title], "idle_percent": percent[title]} for title in figures},
    )
    save(made, out)
    return made


def _table(figures: dict[str, dict[str, Any]], percent: dict[str, float]) -> Table:
    rows: list[list[str | float | int | None]] = [
        [
            title,
            round(each["per_s"]["median"]),
            f"{each['per_s']['low']:.0f} to {each['per_s']['high']:.0f}",
            round(each["emit_per_s"]["median"]),
            round(each["cpu_us"]["median"]),
            round(percent[title], 2),
        ]
        for title, each in figures.items()
    ]
    columns = ["", "events/s", "low to high", "taken/s", "CPU per event, µs", "CPU, %"]
    note = (
        "events/s: until the receiver has acknowledged all; taken/s: until the sink has taken all. "
        f"The last column: of one core, at {FRAME_RATE} frames and {EVENT_RATE} events per second. "
        "CPU time is that of vidan, without the receiver's."
    )
    return Table("Event outputs", columns, rows, note)


def main() -> int:
    """Run from the command line."""
    options = parser("benchmarks.suite.event_outputs", str(__doc__))
    options.add_argument("--events", type=positive, default=20_000)
    options.add_argument("--rounds", type=positive, default=3)
    options.add_argument("--seconds", type=float, default=10.0)
    options.add_argument("--url", help="of a PostgreSQL database")
    args = options.parse_args()
    setup_logging()
    show(event_outputs(args.events, args.rounds, args.seconds, args.out, args.url), console())
    return 0


if __name__ == "__main__":
    run_program("python -m benchmarks.suite.event_outputs", main)
