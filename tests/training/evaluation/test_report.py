import io

import numpy as np
import pytest

from vidan.cli.terminal import PlainConsole
from vidan_plugins.detectors.labels import coco_names
from vidan_training.evaluation import report
from vidan_training.evaluation.coco import ALL, ANY, SIZES
from vidan_training.evaluation.measure import BEST, RUN, SliceResult
from vidan_training.evaluation.ranking import OperatingPoint
from vidan_training.evaluation.slices import SLICES

MASKS = ("with_mask", "without_mask", "mask_weared_incorrect")
COCO = tuple(coco_names(80).values())
POINT = OperatingPoint(0.5, 0.9, 0.8)
TARGET = "P 0.95"
METRICS = dict.fromkeys(["AP", "AP50", "AP75", "AR", *(f"AP50/{s}" for s in SIZES)], 0.987) | {
    "objects": 12345.0
}


def tables(labels):
    """Every table of an evaluation, as in a terminal of 80 columns."""
    rows = dict.fromkeys((ANY, ALL, *labels), METRICS)
    points = {name: {RUN: POINT, TARGET: None, BEST: POINT} for name in (ANY, *labels)}
    counts = np.full((len(labels) + 1, len(labels) + 1), 7)
    terminal = PlainConsole()
    yield report.slice_table({name: SliceResult(rows, POINT) for name in SLICES}, labels)
    yield report.label_table(rows)
    yield report.threshold_table(points, TARGET)
    yield report.confusion_choice({"": counts}, labels, terminal)
    yield report.confusion_choice({"beards": counts, "hijab": counts}, labels, terminal)


@pytest.mark.parametrize("labels", [MASKS, COCO], ids=["masks", "coco"])
def test_tables_can_be_read_at_80_columns(labels, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    for table in tables(labels):
        stream = io.StringIO()
        terminal = PlainConsole(width=80)
        terminal.file = stream
        terminal.print(table)
        lines = stream.getvalue().splitlines()
        assert max(map(len, lines)) <= 80
        assert "…" not in stream.getvalue()
        words = {word for line in lines for word in line.split()}
        if table.columns[0].header != "truth":
            assert len(lines) == table.row_count + 1, stream.getvalue()  # no cell is broken
            assert {part for label in labels for part in label.split()} <= words


def test_confusions_of_many_labels_are_listed_by_frequency():
    counts = np.zeros((81, 81), int)
    counts[0, 2], counts[80, 1], counts[3, 80] = 5, 9, 2
    terminal = PlainConsole(width=80)
    table = report.confusion_choice({"": counts}, COCO, terminal)
    cells = [list(column.cells) for column in table.columns]
    assert list(zip(*cells, strict=True)) == [
        ("nothing", COCO[1], "9"),
        (COCO[0], COCO[2], "5"),
        (COCO[3], "missed", "2"),
    ]
