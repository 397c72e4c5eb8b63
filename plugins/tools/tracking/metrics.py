"""Metrics of tracks against ground truth, computed by TrackEval.

HOTA: Luiten et al. 2021 (arXiv 2009.07736); CLEAR MOT: Bernardin and Stiefelhagen 2008;
IDF1: Ristani et al. 2016 (arXiv 1609.01775). Nothing is counted here: the metrics and the
rules of the benchmarks (which boxes are ignored) are TrackEval's.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from vidan.errors import ConfigError, SourceError
from vidan.support.extras import import_extra

from ...formats.mot import has_classes
from .sequences import MotSequence

BENCHMARKS = ("MOT15", "MOT16", "MOT17", "MOT20")

Raw = dict[str, dict[str, Any]]
"""TrackEval's results for one or several sequences: by metric, then by field."""


@dataclass(frozen=True)
class MetricColumn:
    """A column of the table: its title, and its place in TrackEval's results."""

    title: str
    metric: str
    field: str
    percent: bool


COLUMNS = (
    MetricColumn("HOTA", "HOTA", "HOTA", True),
    MetricColumn("DetA", "HOTA", "DetA", True),
    MetricColumn("AssA", "HOTA", "AssA", True),
    MetricColumn("MOTA", "CLEAR", "MOTA", True),
    MetricColumn("IDF1", "Identity", "IDF1", True),
    MetricColumn("IDSW", "CLEAR", "IDSW", False),
    MetricColumn("Frag", "CLEAR", "Frag", False),
    MetricColumn("FP", "CLEAR", "CLR_FP", False),
    MetricColumn("FN", "CLEAR", "CLR_FN", False),
)


class Metrics:
    """TrackEval's HOTA, CLEAR and Identity, with their usual thresholds.

    Args:
        benchmark: whose rules apply; None to derive them from the columns of each gt.txt.

    Raises:
        ConfigError: there is no such benchmark.
        PluginError: TrackEval is not installed.
    """

    def __init__(self, benchmark: str | None = None) -> None:
        if benchmark is not None and benchmark not in BENCHMARKS:
            raise ConfigError(f"benchmark={benchmark!r}: there is {', '.join(BENCHMARKS)}")
        self._benchmark = benchmark
        self._trackeval = import_extra("trackeval", "eval")
        quiet = {"PRINT_CONFIG": False}
        metrics = self._trackeval.metrics
        self._metrics = {
            "HOTA": metrics.HOTA(),
            "CLEAR": metrics.CLEAR(dict(quiet)),
            "Identity": metrics.Identity(dict(quiet)),
        }

    def score(self, sequence: MotSequence, results: Path) -> Raw:
        """Score the tracks of one sequence.

        Args:
            sequence: must have ground truth.
            results: its tracks, MOTChallenge text.

        Raises:
            SourceError: TrackEval does not accept a file; contains its message.
        """
        name = results.stem
        data = self._dataset(sequence, results)
        try:
            raw = data.get_raw_seq_data(str(results.parent), name)
            prepared = data.get_preprocessed_seq_data(raw, "pedestrian")
        except self._trackeval.utils.TrackEvalException as error:
            raise SourceError(f"cannot score {str(results)!r}: {error}") from error
        return {key: metric.eval_sequence(prepared) for key, metric in self._metrics.items()}

    def combine(self, scores: Mapping[str, Raw]) -> Raw:
        """The scores of several sequences as one, as TrackEval combines them."""
        return {
            key: metric.combine_sequences({name: raw[key] for name, raw in scores.items()})
            for key, metric in self._metrics.items()
        }

    def _dataset(self, sequence: MotSequence, results: Path) -> Any:
        assert sequence.truth is not None
        name = results.stem
        return self._trackeval.datasets.MotChallenge2DBox(
            {
                "BENCHMARK": self._benchmark or _benchmark(sequence.truth),
                "GT_FOLDER": "",
                "GT_LOC_FORMAT": str(sequence.truth).replace("{", "{{").replace("}", "}}"),
                "OUTPUT_FOLDER": "",
                "PRINT_CONFIG": False,
                "SEQ_INFO": {name: sequence.frame_count},
                "SKIP_SPLIT_FOL": True,
                "TRACKERS_FOLDER": "",
                "TRACKERS_TO_EVAL": [str(results.parent)],
                "TRACKER_SUB_FOLDER": "",
            }
        )


def summarize(raw: Raw) -> dict[str, float]:
    """The values of the table by title: percentages, and whole counts."""
    out: dict[str, float] = {}
    for column in COLUMNS:
        value = float(np.mean(raw[column.metric][column.field]))
        out[column.title] = 100 * value if column.percent else round(value)
    return out


def hota_curve(raw: Raw) -> dict[str, list[float]]:
    """HOTA, DetA and AssA, in percent, over the localization threshold alpha."""
    alphas = np.arange(0.05, 0.99, 0.05)  # as in TrackEval
    hota = raw["HOTA"]
    return {"alpha": [round(float(a), 2) for a in alphas]} | {
        key: [100 * float(v) for v in hota[key]] for key in ("HOTA", "DetA", "AssA")
    }


def _benchmark(truth: Path) -> str:
    """Whose rules apply to a gt.txt: with classes MOT17's, which are MOT16's too; else MOT15's."""
    return "MOT17" if has_classes(truth) else "MOT15"
