"""Scores of tracks against ground truth, by TrackEval.

HOTA: Luiten et al. 2021 (arXiv 2009.07736); CLEAR MOT: Bernardin and Stiefelhagen 2008;
IDF1: Ristani et al. 2016 (arXiv 1609.01775). Nothing is counted here: the metrics and the
rules of the benchmarks (which boxes do not count) are those of TrackEval.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from vidan.cli.subcommands import optional
from vidan.errors import ConfigError, SourceError

from .follow import length
from .sequences import Video

BENCHMARKS = ("MOT15", "MOT16", "MOT17", "MOT20")

ROWS_WITH_CLASSES = 9
"""Columns of a gt.txt since MOT16, with class and visibility; MOT15's has ten, or seven."""

Raw = dict[str, dict[str, Any]]
"""What TrackEval knows of one sequence or of several: by metric, then by field."""


@dataclass(frozen=True)
class Column:
    """A figure of the table: its title, and where TrackEval has it."""

    title: str
    metric: str
    field: str
    percent: bool


COLUMNS = (
    Column("HOTA", "HOTA", "HOTA", True),
    Column("DetA", "HOTA", "DetA", True),
    Column("AssA", "HOTA", "AssA", True),
    Column("MOTA", "CLEAR", "MOTA", True),
    Column("IDF1", "Identity", "IDF1", True),
    Column("IDSW", "CLEAR", "IDSW", False),
    Column("Frag", "CLEAR", "Frag", False),
    Column("FP", "CLEAR", "CLR_FP", False),
    Column("FN", "CLEAR", "CLR_FN", False),
)


class Metrics:
    """TrackEval's HOTA, CLEAR and Identity, with their usual thresholds.

    Args:
        benchmark: whose rules hold; None to go by the columns of each gt.txt.

    Raises:
        ConfigError: there is no such benchmark.
        PluginError: TrackEval is not installed.
    """

    def __init__(self, benchmark: str | None = None) -> None:
        if benchmark is not None and benchmark not in BENCHMARKS:
            raise ConfigError(f"benchmark={benchmark!r}: there is {', '.join(BENCHMARKS)}")
        self._benchmark = benchmark
        self._trackeval = optional("trackeval", "eval")
        quiet = {"PRINT_CONFIG": False}
        metrics = self._trackeval.metrics
        self._metrics = {
            "HOTA": metrics.HOTA(),
            "CLEAR": metrics.CLEAR(dict(quiet)),
            "Identity": metrics.Identity(dict(quiet)),
        }

    def score(self, video: Video, results: Path) -> Raw:
        """Score the tracks of one sequence.

        Args:
            video: the sequence; must have ground truth.
            results: its tracks, MOTChallenge text.

        Raises:
            SourceError: a file is not what TrackEval expects; says what it said.
        """
        name = results.stem
        data = self._dataset(video, results)
        try:
            raw = data.get_raw_seq_data(str(results.parent), name)
            prepared = data.get_preprocessed_seq_data(raw, "pedestrian")
        except self._trackeval.utils.TrackEvalException as error:
            raise SourceError(f"cannot score {str(results)!r}: {error}") from error
        return {key: metric.eval_sequence(prepared) for key, metric in self._metrics.items()}

    def together(self, scores: Mapping[str, Raw]) -> Raw:
        """The scores of several sequences as one, as TrackEval combines them."""
        return {
            key: metric.combine_sequences({name: raw[key] for name, raw in scores.items()})
            for key, metric in self._metrics.items()
        }

    def _dataset(self, video: Video, results: Path) -> Any:
        assert video.truth is not None
        name = results.stem
        return self._trackeval.datasets.MotChallenge2DBox(
            {
                "BENCHMARK": self._benchmark or _benchmark(video.truth),
                "GT_FOLDER": "",
                "GT_LOC_FORMAT": str(video.truth).replace("{", "{{").replace("}", "}}"),
                "OUTPUT_FOLDER": "",
                "PRINT_CONFIG": False,
                "SEQ_INFO": {name: length(video)},
                "SKIP_SPLIT_FOL": True,
                "TRACKERS_FOLDER": "",
                "TRACKERS_TO_EVAL": [str(results.parent)],
                "TRACKER_SUB_FOLDER": "",
            }
        )


def figures(raw: Raw) -> dict[str, float]:
    """The table's figures by title: percents, and whole counts."""
    out: dict[str, float] = {}
    for column in COLUMNS:
        value = float(np.mean(raw[column.metric][column.field]))
        out[column.title] = 100 * value if column.percent else round(value)
    return out


def curve(raw: Raw) -> dict[str, list[float]]:
    """HOTA, DetA and AssA, in percent, over the localization threshold alpha."""
    alphas = np.arange(0.05, 0.99, 0.05)  # as in TrackEval
    hota = raw["HOTA"]
    return {"alpha": [round(float(a), 2) for a in alphas]} | {
        key: [100 * float(v) for v in hota[key]] for key in ("HOTA", "DetA", "AssA")
    }


def _benchmark(truth: Path) -> str:
    """Whose rules a gt.txt goes by: with classes MOT17's, those of MOT16 too; else MOT15's."""
    with truth.open(encoding="utf-8-sig") as file:
        columns = file.readline().count(",") + 1
    return "MOT17" if columns == ROWS_WITH_CLASSES else "MOT15"
