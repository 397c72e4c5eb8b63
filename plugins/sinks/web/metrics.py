"""The statistics of the run and the values of its analyzers, as Prometheus reads them.

Format: https://prometheus.io/docs/instrumenting/exposition_formats
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping

from vidan.events import Measure

from .live_stats import LiveStats

PARTS = ("_sum", "_count")
"""Ends of the names of samples that belong to one summary."""


def metrics_text(live_stats: LiveStats, viewers: int) -> str:
    """All samples, with their types.

    Args:
        live_stats: of the run.
        viewers: number of viewers of the page.
    """
    stats = live_stats.snapshot()
    age = float("nan") if stats["age"] is None else stats["age"]
    values = {
        Measure("frames_total"): stats["frames"],
        Measure("dropped_frames_total"): stats["dropped"],
        Measure("skipped_frames_total"): stats["skipped"],
        Measure("frames_per_second"): stats["fps"],
        Measure("age_seconds"): age,
        Measure("viewers"): viewers,
    }
    values |= {Measure("objects", (("label", k),)): n for k, n in stats["now"].items()}
    values |= {Measure("objects_total", (("label", k),)): n for k, n in stats["total"].items()}
    for measure, value in live_stats.measures.items():
        labels = (("stream", stats["stream"] or ""), *measure.labels)
        values[Measure(measure.name, labels)] = value
    return "\n".join([*_lines(values), ""])


def _lines(values: Mapping[Measure, float]) -> Iterator[str]:
    """Samples by metric: those of one must not be apart."""
    families: dict[str, list[str]] = defaultdict(list)
    for measure, value in values.items():
        family = measure.name
        for part in PARTS:
            family = family.removesuffix(part)
        families[family].append(_sample(measure, value))
    for family, samples in families.items():
        yield f"# TYPE vidan_{family} {_kind(family, samples)}"
        yield from samples


def _kind(family: str, samples: list[str]) -> str:
    if any(not sample.startswith((f"vidan_{family} ", f"vidan_{family}{{")) for sample in samples):
        return "summary"
    return "counter" if family.endswith("_total") else "gauge"


def _sample(measure: Measure, value: float) -> str:
    labels = ",".join(f"{key}={_quoted(text)}" for key, text in measure.labels)
    number = "NaN" if value != value else f"{value:.15g}"
    return (
        f"vidan_{measure.name}{{{labels}}} {number}" if labels else f"vidan_{measure.name} {number}"
    )


def _quoted(label: str) -> str:
    """A label value: quotes, backslashes and line ends are escaped, as the format has it.

    It has no escapes for control characters and surrogates, which are replaced.
    """
    text = re.sub("[\x00-\x09\x0b-\x1f\x7f-\x9f\ud800-\udfff]", "\N{REPLACEMENT CHARACTER}", label)
    return '"' + text.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n") + '"'
