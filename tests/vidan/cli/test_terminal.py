"""What is printed, wherever it goes and whatever is in it."""

import io
import json
import logging
import os
import subprocess
import sys

import pytest

from tests.clips import write_clip
from vidan.cli.terminal import PrintableFormatter, console, table

PLUGIN = """
import numpy as np
from vidan import Detections, hookimpl

class Strange:
    labels = ("[/]", "out[cam1]", "\\x1b]0;owned\\x07\\nvidan: error: no", "\\ud800", ":smile:")
    def detect(self, frames):
        boxes = np.float32([[20 * n, 5, 20 * n + 15, 60] for n in range(5)])
        scores = np.full(5, 0.9, np.float32)
        return [Detections(boxes, scores, np.arange(5, dtype=np.int32)) for _ in frames]
    def close(self): pass

@hookimpl
def vidan_components(registry):
    registry.add("detector", "strange", __name__ + ":Strange")
"""

RUN = ["source.width=160", "source.height=96", "max_frames=8", "tracker=sort"]
RUN += ["detector=strange", "plugins_dir=mine", "sink=[jsonl,events,video]"]
STRANGE = ["[/]", "out[cam1]", "\x1b]0;owned\x07\nvidan: error: no", "\ud800", ":smile:"]


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine/strange.py").write_text(PLUGIN)
    return tmp_path


def run(folder, *arguments, base=RUN, **options):
    command = [sys.executable, "-m", "vidan", *base, *arguments]
    return subprocess.run(command, cwd=folder, check=False, **options)


def test_strange_labels_are_shown_and_written_as_they_are(folder):
    done = run(folder, "run_dir=out[cam1]", capture_output=True)
    assert done.returncode == 0, done.stderr
    shown = done.stdout.decode()
    for text in ("1 [/]", "1 out[cam1]", r"1 \x1b]0;owned\x07 vidan: error: no", r"1 \ud800"):
        assert text in shown
    assert "1 :smile:" in shown
    assert "out[cam1]/results.jsonl" in shown
    assert b"\x1b" not in done.stdout + done.stderr
    out = folder / "out[cam1]"
    first = json.loads((out / "results.jsonl").read_text(encoding="utf-8").splitlines()[0])
    assert [found["label"] for found in first["detections"]] == STRANGE
    assert set(json.loads((out / "summary.json").read_text(encoding="utf-8"))["objects"]) == set(
        STRANGE
    )


@pytest.mark.skipif(sys.platform != "linux", reason="file names are text elsewhere")
def test_every_sink_takes_strange_labels_and_a_file_name_that_is_not_utf_8(folder):
    write_clip(folder / "v.mp4", 8).rename(folder / "v\udcff\x1b[red].mp4")
    sinks = "jsonl,mot,events,counts,snapshots,clips,video,sql,parquet,webhook,prometheus"
    done = run(
        folder,
        *("source=file", "source.path=v\udcff\x1b[red].mp4", f"sink=[{sinks}]", "run_dir=out"),
        *("sink.webhook.url=http://127.0.0.1:9/", "sink.webhook.drain=0", "sink.prometheus.port=0"),
        *("tracker.min_hits=1", "+scene.lines.a.from=[20,0]", "+scene.lines.a.to=[20,48]"),
        *("analytics=[presence,lines]",),
        base=RUN[2:],
        capture_output=True,
    )
    assert done.returncode == 0, done.stderr
    assert b"\x1b" not in done.stdout + done.stderr
    summary = json.loads((folder / "out/summary.json").read_text(encoding="utf-8"))
    assert summary["error"] is None
    assert set(summary["objects"]) == set(STRANGE)
    for name in ("counts.csv", "tracks.txt", "events.jsonl", "results.jsonl"):
        assert "\x1b" not in (folder / "out" / name).read_text(encoding="utf-8")


@pytest.mark.skipif(sys.platform == "win32", reason="no /dev/full on Windows")
@pytest.mark.parametrize("output", ["/dev/full", "closed", "ascii"])
def test_a_good_run_does_not_fail_because_of_standard_output(folder, output):
    command = [sys.executable, "-m", "vidan", *RUN, "run_dir=out"]
    shell = {"/dev/full": ">/dev/full", "closed": ">&-", "ascii": ">printed"}[output]
    done = subprocess.run(
        ["sh", "-c", f'"$@" {shell}', "-", *command],
        cwd=folder,
        env=os.environ | ({"PYTHONIOENCODING": "ascii"} if output == "ascii" else {}),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "bug" not in done.stderr
    assert json.loads((folder / "out/summary.json").read_text())["error"] is None
    assert ("cannot print the summary: No space left" in done.stderr) == (output == "/dev/full")


def test_nothing_is_markup_and_lines_are_not_padded(capsys):
    from rich.table import Table

    table = Table("a", "b", box=None, pad_edge=False)
    table.add_row("[/]", "a longer text")
    table.add_row("[red]x[/red]", "\x1b[31m")
    console().print(table)
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == ["a", "[/]", "[red]x[/red]"]
    assert lines[2].endswith(r"  \x1b[31m")
    assert all(line == line.rstrip() for line in lines)


def test_a_log_record_is_one_line():
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(PrintableFormatter("vidan: %(message)s"))
    text = "a\nvidan: error: \x1b"
    record = logging.LogRecord("x", logging.INFO, "", 1, "label %s", (text,), None)
    handler.handle(record)
    assert stream.getvalue() == "vidan: label a vidan: error: \\x1b\n"


def summary(**changed):
    return {
        "frames": 5, "dropped": 0, "skipped": 0, "detections": 0, "objects": {}, "fps": 1.0,
        "stages_ms": {}, "age_ms": {}, "outputs": [],
    } | changed  # fmt: skip


def shown(capsys, *arguments):
    console().print(table(*arguments))
    return capsys.readouterr().out.splitlines()


def test_tracks_are_called_tracks(capsys):
    lines = shown(capsys, summary(objects={"person": 7, "car": 2}, detections=90), ("person",))
    assert lines[1].split(maxsplit=1) == ["tracks", "7 person, 2 car"]
    assert "model detects" not in "".join(lines)


def test_a_run_without_detections_names_what_the_model_detects(capsys):
    lines = shown(capsys, summary(), ("with_mask", "without_mask"))
    assert lines[1].split(maxsplit=1) == ["tracks", "none, 0 detections"]
    assert lines[2].strip().startswith("the model detects with_mask, without_mask only: ")
    many = shown(capsys, summary(), tuple("abcdefghijkl"))[2]
    assert "a, b, c, d, e, f, g, h and 4 more only" in many


@pytest.mark.parametrize("how", ["-q", "quiet=true"])
def test_a_quiet_run_prints_nothing(folder, how):
    done = run(folder, how, "run_dir=out", capture_output=True, text=True)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert (folder / "out/summary.json").exists()
