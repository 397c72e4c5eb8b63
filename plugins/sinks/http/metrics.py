"""What Prometheus reads: statistics of streams and the values of their analyzers and sinks.

Each server has a registry of its own with one collector, which has all streams: the samples of one
metric must not be apart.
"""

from __future__ import annotations

import re
import threading
import time
from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import accumulate

from aiohttp import web
from prometheus_client import CollectorRegistry
from prometheus_client.exposition import choose_encoder
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from vidan.events import Measure
from vidan.stats import Stats
from vidan.support.text import printable
from vidan.types import Result

STALLED_AFTER_S = 10.0
"""Age of the newest image from which on a stream counts as stalled."""

LATENCY_BUCKETS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
"""Upper bounds of the histogram of latencies, s."""

HELP = {
    "vidan_age_seconds": "Time since the newest frame was captured.",
    "vidan_appeared_objects": "Objects that have appeared in this run.",
    "vidan_dropped_frames": "Frames that were dropped because a newer one was there.",
    "vidan_events_dropped": "Events that a sink could not deliver.",
    "vidan_events_waiting": "Events that wait for the receiver of a sink.",
    "vidan_flows": "Objects that went from one line or zone to another.",
    "vidan_frames": "Frames with a result.",
    "vidan_latency_seconds": "Time from the capture of a frame to its result.",
    "vidan_line_crossings": "Objects that crossed a line.",
    "vidan_objects": "Objects in the newest frame.",
    "vidan_outages": "Times without frames of a live source.",
    "vidan_skipped_frames": "Frames that the source left out.",
    "vidan_still_frames": "Frames that were not detected because nothing moved.",
    "vidan_stream_up": "1 while frames arrive; 0 during an outage and after the end.",
    "vidan_viewers": "Viewers of the live view.",
    "vidan_zone_dwell_seconds": "Durations of visits that have ended.",
    "vidan_zone_objects": "Objects in a zone now.",
    "vidan_zone_visits": "Visits to a zone, including those that last.",
}

PARTS = ("_bucket", "_count", "_sum")
"""Ends of the names of samples that belong to one histogram or summary."""


class StreamMetrics:
    """The values of one stream; one thread writes them, another reads them.

    Attributes:
        stats: statistics of the stream.
    """

    def __init__(self) -> None:
        self.stats = Stats()
        self._lock = threading.Lock()
        self._newest: Result | None = None
        self._latencies = [0] * (len(LATENCY_BUCKETS) + 1)
        self._seconds = 0.0  # sum of the latencies
        self._labels: set[str] = set()  # of all objects so far: a gauge that ends would stay
        self._ended = False

    def add(self, result: Result) -> None:
        """Take the values of a result, and its latency."""
        latency = time.monotonic() - result.frame.captured
        with self._lock:
            self._newest = result
            self._seconds += latency
            self._latencies[bisect_left(LATENCY_BUCKETS, latency)] += 1

    def end(self) -> None:
        """The stream has ended: its counts stay."""
        self._ended = True

    def values(self) -> Iterator[tuple[Measure, float]]:
        """All values; none before the first frame."""
        with self._lock:
            newest, seconds, latencies = self._newest, self._seconds, self._latencies[:]
        if newest is None:
            return
        own = [*self._statistics(newest), *self._objects(newest)]
        own += _histogram("latency_seconds", LATENCY_BUCKETS, latencies, seconds)
        stream = ("stream", newest.frame.stream)
        for measure, value in [*own, *newest.measures.items()]:
            yield Measure(measure.name, (stream, *measure.labels)), value

    def _statistics(self, newest: Result) -> Iterator[tuple[Measure, float]]:
        stats = self.stats
        age = time.monotonic() - newest.frame.captured
        yield Measure("stream_up"), float(self._is_up(age))
        yield Measure("frames_total"), stats.frames
        yield Measure("dropped_frames_total"), stats.dropped
        yield Measure("skipped_frames_total"), stats.skipped
        yield Measure("still_frames_total"), stats.still
        yield Measure("outages_total"), 0 if stats.outages is None else stats.outages.count
        yield Measure("age_seconds"), age

    def _is_up(self, age: float) -> bool:
        outage = self.stats.outages.latest if self.stats.outages else None
        out = outage is not None and outage.length is None
        return age < STALLED_AFTER_S and not out and not self._ended

    def _objects(self, newest: Result) -> Iterator[tuple[Measure, float]]:
        """Objects by label: now, and so far."""
        now = Counter(newest.label(number) for number in newest.tracks.classes.tolist())
        total = self.stats.objects
        self._labels |= {*now, *total}
        for label in sorted(self._labels):
            yield Measure("objects", (("label", label),)), now[label]
        for label, count in total.items():
            yield Measure("appeared_objects_total", (("label", label),)), count


class Metrics(Collector):
    """The values of several streams, and the requests for them."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry(auto_describe=False)
        self._registry.register(self)
        self._streams: list[StreamMetrics] = []
        self._gauges: dict[str, Callable[[], float]] = {}

    def add_stream(self) -> StreamMetrics:
        """A new stream."""
        self._streams.append(StreamMetrics())
        return self._streams[-1]

    def add_gauge(self, name: str, value: Callable[[], float]) -> None:
        """Add a value that belongs to no stream."""
        self._gauges[name] = value

    def add_to(self, router: web.UrlDispatcher) -> None:
        """Register the handler of `/metrics`."""
        router.add_get("/metrics", self._respond)

    async def _respond(self, request: web.Request) -> web.Response:
        """In the format that the client accepts: that of Prometheus, or OpenMetrics."""
        encode, content_type = choose_encoder(request.headers.get("Accept", ""))
        return web.Response(body=encode(self._registry), headers={"Content-Type": content_type})

    def collect(self) -> Iterable[Metric]:
        """All metrics, for the library."""
        values = {Measure(name): value() for name, value in self._gauges.items()}
        for stream in list(self._streams):
            values.update(stream.values())
        return _families(values)


def _histogram(
    name: str, bounds: Sequence[float], counts: Sequence[int], total: float
) -> Iterator[tuple[Measure, float]]:
    for bound, count in zip([*map(str, bounds), "+Inf"], accumulate(counts), strict=True):
        yield Measure(f"{name}_bucket", (("le", bound),)), count
    yield Measure(f"{name}_count"), sum(counts)
    yield Measure(f"{name}_sum"), total


def _families(values: Mapping[Measure, float]) -> list[Metric]:
    """Metrics by name, each with the samples of all streams."""
    names = {measure.name for measure in values}
    families: dict[str, Metric] = {}
    for measure, value in values.items():
        family, kind = _family(measure.name, names)
        metric = families.get(family)
        if metric is None:
            metric = families[family] = Metric(family, HELP.get(family, ""), kind)
        labels = {_identifier(key): printable(text) for key, text in measure.labels}
        metric.add_sample(f"vidan_{_identifier(measure.name)}", labels, value)
    return list(families.values())


def _family(name: str, names: set[str]) -> tuple[str, str]:
    """The name of the metric that a sample belongs to, and its type."""
    own = f"vidan_{_identifier(name)}"
    if name.endswith("_total"):
        return own.removesuffix("_total"), "counter"
    for part in PARTS:
        base = name.removesuffix(part)
        if base != name and f"{base}_sum" in names and f"{base}_count" in names:
            kind = "histogram" if f"{base}_bucket" in names else "summary"
            return own.removesuffix(part), kind
    return own, "gauge"


def _identifier(name: str) -> str:
    """A name that the format allows: those of plugins may be others."""
    return re.sub(r"\W", "_", name, flags=re.ASCII)
