"""A run reports to nobody: no DNS query, no connection, no file in the user's home."""

import os
import signal
import socket
import subprocess
import sys
import threading
import time

import pytest


@pytest.fixture
def proxy():
    """The address of a proxy that never answers, and a list of the requests that it got."""
    asked, stop = [], threading.Event()

    def accept(server):
        while not stop.is_set():
            try:
                connection, _ = server.accept()
            except TimeoutError:
                continue
            with connection:
                connection.settimeout(5)
                asked.append(connection.recv(200))
                stop.wait()

    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0.1)
        thread = threading.Thread(target=accept, args=(server,))
        thread.start()
        yield f"http://127.0.0.1:{server.getsockname()[1]}", asked
        stop.set()
        thread.join()


def lines(path):
    return path.read_text().count("\n") if path.exists() else 0


@pytest.mark.skipif(sys.platform == "win32", reason="no SIGINT for one process on Windows")
def test_a_run_tells_nobody_and_ctrl_c_waits_for_nobody(tmp_path, proxy):
    address, asked = proxy
    home = tmp_path / "home"
    home.mkdir()
    environment = {k: v for k, v in os.environ.items() if "TELEMETRY" not in k}
    environment |= {"HOME": str(home), "https_proxy": address, "http_proxy": address}
    environment |= {"XDG_CACHE_HOME": str(tmp_path / "cache")}
    options = ["source=synthetic", "source.live=true", "detector=onnx", "sink=[jsonl]"]
    process = subprocess.Popen(
        [sys.executable, "-m", "vidan", *options, "hydra.run.dir=run"],
        cwd=tmp_path,
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    patience = time.monotonic() + 60
    while lines(tmp_path / "run/results.jsonl") < 5:
        assert process.poll() is None
        assert time.monotonic() < patience
        time.sleep(0.02)
    process.send_signal(signal.SIGINT)
    assert process.wait(60) == 130
    assert asked == []
    assert list(home.rglob("*")) == []


@pytest.mark.parametrize(
    ("module", "declined"), [("vidan", False), ("vidan_plugins", True), ("vidan_training", True)]
)
def test_telemetry_is_declined_by_the_packages_that_load_the_libraries(module, declined):
    code = (
        "import os, sys; before = dict(os.environ);"
        f"import {module}; print(before != dict(os.environ), 'openvino_telemetry' in sys.modules)"
    )
    environment = {k: v for k, v in os.environ.items() if "TELEMETRY" not in k}
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environment
    )
    assert done.stdout.split() == [str(declined)] * 2
