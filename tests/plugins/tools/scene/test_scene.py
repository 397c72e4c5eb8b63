"""`vidan scene`."""

import json
import re
import signal
import subprocess
import sys
import urllib.request
from itertools import pairwise

import cv2
import numpy as np
import pytest

from vidan.cli.main import main
from vidan.frames import ArrayFrame
from vidan_plugins.tools.scene.camera import SourceCamera


def test_draw_over_a_source_until_ctrl_c(tmp_path):
    command = [
        sys.executable,
        "-m",
        "vidan",
        "scene",
        "scene=new.yaml",
        "source=synthetic",
        "port=0",
    ]
    with subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, text=True) as process:
        try:
            address, token = re.fullmatch(
                r"draw at (http://127\.0\.0\.1:\d+/)\?token=(\S+)\n", process.stdout.readline()
            ).groups()

            def ask(path, data=None, **headers):
                headers = {"Authorization": f"Bearer {token}"} | headers
                method = "GET" if data is None else "PUT"
                request = urllib.request.Request(address + path, data, headers, method=method)
                with urllib.request.urlopen(request, timeout=20) as answer:
                    return answer.read()

            image = cv2.imdecode(np.frombuffer(ask("frame.jpg"), np.uint8), cv2.IMREAD_COLOR)
            given = json.loads(ask("scene.json"))
            assert given["size"] == [image.shape[1], image.shape[0]]
            line = {"from": [0.5, 0.1], "to": [0.5, 0.9]}
            ask(
                "scene.json",
                json.dumps({"lines": {"door": line}}).encode(),
                **{"If-Match": given["version"], "Content-Type": "application/json"},
            )
        finally:
            process.send_signal(signal.SIGINT)
        assert process.wait(20) == 0
    assert (tmp_path / "new.yaml").read_text() == (
        "lines:\n  door: {from: [0.5, 0.1], to: [0.5, 0.9]}\n"
    )


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "scene is missing: set scene=<file>"),
        (["scene=bad.yaml"], "the scene file cannot be read"),
        (["scene=new.yaml", "source=file", "source.path=no.mp4"], "no.mp4"),
        (["scene=new.yaml", "token=short"], "token: expected at least 16"),
        (["scene=new.yaml", "host=0.0.0.0", "port=x"], "port"),
        (["scene=new.yaml", "labels=5"], "labels"),
    ],
)
def test_bad_input(here, capsys, monkeypatch, arguments, message):
    (here / "bad.yaml").write_text("lines: [")
    monkeypatch.setattr(sys, "argv", ["vidan", "scene", *arguments])
    assert main() in (1, 2)
    error = capsys.readouterr().err
    assert message in error
    assert "Traceback" not in error


class Film:
    """Ten images, one per second."""

    live = False

    def __iter__(self):
        for n in range(10):
            yield ArrayFrame(np.full((20, 30, 3), 20 * n, np.uint8), index=n, time=float(n))

    def close(self):
        pass


def level(camera):
    return round(cv2.imdecode(np.frombuffer(camera.jpeg(), np.uint8), 0).mean())


def test_later_images_of_a_file():
    camera = SourceCamera(Film())
    levels = [level(camera)]
    while camera.advance():
        levels.append(level(camera))
    assert levels == pytest.approx([0, 100], abs=3)
    assert all(a < b for a, b in pairwise(levels))
    assert camera.size == (30, 20)
    camera.close()
