"""Results as lines of JSON."""

import json

from vidan_plugins.sinks.jsonl import JsonLines

from .test_textfile import result, write


def test_each_frame_is_one_json_object(tmp_path):
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
