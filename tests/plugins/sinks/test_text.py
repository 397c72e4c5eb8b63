"""The sinks that write text: jsonl and mot."""

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
    """One detection; two tracks, of which the second coasts and is of an uncertain class."""
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


def test_jsonl_says_exactly_this(tmp_path):
    path = tmp_path / "deep/er/out.jsonl"
    write(JsonLines(str(path)), result(3, filename="a b.jpg"), result(4, empty=True))
    first, second = path.read_text(encoding="utf-8").splitlines()
    assert json.loads(first) == {
        "stream": "straße",
        "frame": 3,
        "time": 0.3,
        "width": 64,
        "height": 48,
        "image": "a b.jpg",
        "detections": [{"box": [1.0, 2.0, 11.01, 22.0], "score": 0.1, "label": "Gesicht"}],
        "tracks": [
            {"id": 7, "box": [1, 2, 11, 22], "score": 0.1, "label": "Gesicht", "coasting": False},
            {
                "id": 9,
                "box": [-3.5, 0, 4, 4],
                "score": 0.75,
                "label": "uncertain",
                "coasting": True,
            },
        ],
    }
    assert json.loads(second) == {
        "stream": "straße",
        "frame": 4,
        "time": 0.4,
        "width": 64,
        "height": 48,
        "detections": [],
        "tracks": [],
    }
    assert "straße" in first


def test_mot_counts_frames_from_one_and_boxes_by_size(tmp_path):
    path = tmp_path / "tracks.txt"
    write(MotFile(str(path)), result(0), result(1, empty=True), result(4))
    assert path.read_text().splitlines() == [
        "1,7,1.00,2.00,10.00,20.00,0.1000,-1,-1,-1",
        "1,9,-3.50,0.00,7.50,4.00,0.7500,-1,-1,-1",
        "5,7,1.00,2.00,10.00,20.00,0.1000,-1,-1,-1",
        "5,9,-3.50,0.00,7.50,4.00,0.7500,-1,-1,-1",
    ]


def test_mot_writes_detections_without_identities(tmp_path):
    path = tmp_path / "det.txt"
    write(MotFile(str(path), boxes="detections"), result(0))
    assert path.read_text() == "1,-1,1.00,2.00,10.00,20.00,0.1000,-1,-1,-1\n"


@pytest.mark.parametrize("sink", [JsonLines, MotFile])
def test_what_is_written_can_be_read_at_once(tmp_path, sink):
    path = tmp_path / "out"
    writer = sink(str(path))
    writer.write(result(0))
    assert path.read_text().endswith("\n")
    writer.close()


@pytest.mark.parametrize("sink", [JsonLines, MotFile])
def test_a_path_that_cannot_be_written(tmp_path, sink):
    (tmp_path / "file").touch()
    for path in (tmp_path, tmp_path / "file" / "out"):
        with pytest.raises(SinkError, match=f"cannot write '{path}'") as caught:
            sink(str(path))
        assert "\n" not in str(caught.value)


@pytest.mark.parametrize("sink", [JsonLines, MotFile])
def test_no_space_left(sink):
    writer = sink("/dev/full")
    with pytest.raises(SinkError, match="'/dev/full': No space left on device; free disk space"):
        writer.write(result(0))
    writer.close()
    writer.close()


FULL = """
import resource, signal, sys
from tests.plugins.sinks.test_text import result
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
def test_where_room_ends_no_half_line_is_left(tmp_path):
    path = tmp_path / "out.jsonl"
    done = subprocess.run(
        [sys.executable, "-c", FULL, str(path)],
        capture_output=True,
        text=True,
        check=True,
        env=os.environ | {"PYTHONPATH": str(Path(__file__).parents[3])},
    )
    assert done.stdout.startswith(f"cannot write '{path}': File too large; free disk space")
    text = path.read_text(encoding="utf-8")
    # A line has about 340 bytes, so two go into 1000 and a third does not.
    assert [json.loads(line)["frame"] for line in text.splitlines()] == [0, 1]
    assert text.endswith("\n")
