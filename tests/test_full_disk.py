"""A full disk ends the recording, while the view in the browser continues."""

import asyncio
import json
import re
import signal
import subprocess
import sys
import time
import urllib.request

import aiohttp
import av
import pytest

resource = pytest.importorskip("resource", reason="no limit on the size of files on this system")

MAX_BYTES = 150_000
"""Size of a file; one more is an error, as on a full disk."""

CAMERA = [
    "source=synthetic",
    "source.live=true",
    "source.frames=null",
    "source.width=160",
    "source.height=120",
    "source.people=1",
    "scene=none",  # a line makes the first fragment larger than a file may be
    "source.darkness=1",  # noise, which makes files large
    "detector=mot",
    "detector.path=det.txt",
    "tracker=sort",
    "sink=[video,jsonl,web]",
    "sink.video.crf=1",
    "sink.web.port=0",
    "on_sink_error=continue",
    "hydra.run.dir=out",
]


def wait_for(process, output, pattern):
    """Wait until the output matches a pattern; the match."""
    end = time.monotonic() + 90
    while (found := re.search(pattern, output.read_text())) is None:
        assert process.poll() is None, output.read_text()
        assert time.monotonic() < end, output.read_text()
        time.sleep(0.05)
    return found


def frames(port):
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=30) as answer:
        found = re.search(r"^vidan_frames_total{.*} (\S+)$", answer.read().decode(), re.M)
    return float(found[1]) if found else 0


async def watch(port):
    """Receive five different images."""
    async with (
        aiohttp.ClientSession() as session,
        session.ws_connect(f"ws://127.0.0.1:{port}/view") as socket,
        asyncio.timeout(60),
    ):
        await socket.send_str("next")
        images = set()
        async for message in socket:
            if message.type is aiohttp.WSMsgType.BINARY:
                images.add(message.data)
                if len(images) == 5:
                    return
                await socket.send_str("next")


def test_the_view_continues_when_the_disk_is_full(tmp_path):
    (tmp_path / "det.txt").write_text("1,-1,10,10,30,60,0.9,-1,-1,-1\n")
    output = tmp_path / "output"
    with output.open("wb") as file:
        process = subprocess.Popen(
            [sys.executable, "-m", "vidan", *CAMERA],
            cwd=tmp_path,
            stdout=file,
            stderr=file,
            preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (MAX_BYTES, MAX_BYTES)),
        )
    try:
        port = int(wait_for(process, output, r"watch at http://127\.0\.0\.1:(\d+)/")[1])
        wait_for(
            process,
            output,
            r"sink\.video at frame \d+: cannot write .*; the run continues",
        )
        before = frames(port)
        asyncio.run(watch(port))
        assert frames(port) > before
        process.send_signal(signal.SIGINT)
        code = process.wait(60)
    finally:
        process.kill()
        process.wait()
    text = output.read_text()
    assert code == 1, text
    assert "Traceback" not in text
    summary = json.loads((tmp_path / "out/summary.json").read_text())
    (failure,) = summary["failures"]
    assert "video.mp4" in failure
    lines = (tmp_path / "out/results.jsonl").read_text().splitlines()
    assert json.loads(lines[-1])["frame"] > int(re.search(r"at frame (\d+)", failure)[1])
    with av.open(str(tmp_path / "out/video.mp4")) as recording:
        assert sum(1 for _ in recording.decode(video=0)) > 0
