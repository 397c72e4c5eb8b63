import io

from rich.console import Console

from vidan_training.fit.display import TrainingDisplay

ROWS = [({"epoch": 1, "loss": 2.0}, False), ({"epoch": 2, "loss": 1.0, "AP50": 0.5}, True)]


def shown(terminal):
    stream = io.StringIO()
    display = TrainingDisplay(Console(file=stream, force_terminal=terminal, width=120))
    display.open()
    for row, best in ROWS:
        display.begin_epoch(row["epoch"], 2, 3)
        for _ in range(3):
            display.end_batch(row["loss"])
        display.end_epoch(row, best)
    display.close()
    return stream.getvalue()


def test_a_line_per_epoch_without_a_terminal():
    assert shown(False).splitlines() == ["epoch=1 loss=2.0", "epoch=2 loss=1.0 AP50=0.5 best"]


def test_a_table_in_a_terminal():
    text = shown(True)
    assert "epoch" in text
    assert "seconds" in text
    assert "0.5" in text
    assert "epoch=1" not in text
