"""Text files, written by the sinks jsonl and mot."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from tests.vidan.fakes import frame
from vidan import Detections, Result, SinkError, Tracks
from vidan_plugins.sinks.jsonl import JsonLines
from vidan_plugins.sinks.mot import MotFile


def result(index=0, filename=None, empty=False):
    """One detection and two tracks; the second is coasting and of an uncertain class."""
    one = frame(index, stream="straße", time_=index * 0.1 + 1e-8, filename=filename)
    if empty:
        return Result(one, Detections.empty(), Tracks.empty(), ("Gesicht",))
    detections = Detections(
        np.array([[1.004, 2, 11.006, 22]], np.float32),
        np.array([0.1], np.float32),
        np.zeros(1, np.int32),
    )
    tracks = Tracks(
        np.array([7, 9]),
        np.array([[1, 2, 11, 22], [-3.5, 0, 4, 4]], np.float32),
        np.array([0.1, 0.75], np.float32),
        np.array([0, -1], np.int32),
        np.array([0, 2], np.int32),
        np.array([0, -1], np.int32),
    )
    return Result(one, detections, tracks, ("Gesicht",))


def write(sink, *results):
    for each in results:
        sink.write(each)
    sink.close()
    sink.close()


@pytest.mark.parametrize("sink", [JsonLines, MotFile])
def test_lines_can_be_read_as_soon_as_they_are_written(tmp_path, sink):
    path = tmp_path / "out"
    writer = sink(str(path))
    writer.write(result(0))
    assert path.read_text().endswith("\n")
    writer.close()


@pytest.mark.parametrize("sink", [JsonLines, MotFile])
def test_an_unwritable_path_is_an_error(tmp_path, sink):
    (tmp_path / "file").touch()
    for path in (tmp_path, tmp_path / "file" / "out"):
        with pytest.raises(SinkError, match=f"cannot write '{path}'") as caught:
            sink(str(path))
        assert "\n" not in str(caught.value)


@pytest.mark.parametrize("sink", [JsonLines, MotFile])
def test_a_full_disk_is_an_error(sink):
    writer = sink("/dev/full")
    with pytest.raises(SinkError, match="'/dev/full': No space left on device; free disk space"):
        writer.write(result(0))
    writer.close()
    writer.close()


FULL_DISK = """
import resource, signal, sys
from tests.plugins.sinks.test_textfile import result
from vidan import SinkError
from vidan_plugins.sinks.jsonl import JsonLines

signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
sink = JsonLines(sys.argv[1])
try:
    for n in range(9):
        sink.write(result(n))
except SinkError as error:
    print(error)
sink.close()
"""


@pytest.mark.skipif(sys.platform == "win32", reason="no RLIMIT_FSIZE on Windows")
def test_a_full_disk_leaves_no_incomplete_line(tmp_path):
    path = tmp_path / "out.jsonl"
    done = subprocess.run(
        [sys.executable, "-c", FULL_DISK, str(path)],
        capture_output=True,
        text=True,
        check=True,
        env=os.environ | {"PYTHONPATH": str(Path(__file__).parents[3])},
    )
    assert done.stdout.startswith(f"cannot write '{path}': File too large; free disk space")
    text = path.read_text(encoding="utf-8")
    # A line has about 340 bytes: two of them fit in 1000, a third does not.
    assert [json.loads(line)["frame"] for line in text.splitlines()] == [0, 1]
    assert text.endswith("\n")
