"""The window, on a virtual display: needs Xvfb, xdotool and ImageMagick."""

import contextlib
import ctypes
import ctypes.util
import logging
import os
import shutil
import signal
import subprocess
import time

import cv2
import numpy as np
import pytest

from vidan import ConfigError, Detections, DisplayError, Result, Tracks
from vidan.config.build import build
from vidan.frames import ArrayFrame
from vidan.interfaces import StopRun
from vidan_plugins.sinks.window import process
from vidan_plugins.sinks.window.sink import Window

TOOLS = ("Xvfb", "xdotool", "import")
TIMEOUT_S = 30.0
ORANGE, TEAL = (230, 120, 20), (20, 120, 130)


@pytest.fixture(scope="module")
def display():
    """A virtual display of 1600x900 px; Xvfb chooses its number."""
    missing = [tool for tool in TOOLS if shutil.which(tool) is None]
    if missing:
        pytest.skip(f"needs {', '.join(missing)}: apt-get install xvfb xdotool imagemagick")
    command = ["Xvfb", "-displayfd", "1", "-screen", "0", "1600x900x24", "-nolisten", "tcp"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as server:
        number = server.stdout.readline().decode().strip()
        assert number
        yield f":{number}"
        server.terminate()


@pytest.fixture
def screen(display, monkeypatch):
    monkeypatch.setenv("DISPLAY", display)
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    return Screen()


class Screen:
    """The screen, the keyboard and the mouse of the user."""

    def capture(self):
        png = subprocess.run(
            ["import", "-window", "root", "png:-"], check=True, capture_output=True
        ).stdout
        return cv2.imdecode(np.frombuffer(png, np.uint8), cv2.IMREAD_COLOR)[..., ::-1]

    def area(self, color):
        """Number of px on the screen that have a color."""
        return int((np.abs(self.capture().astype(int) - color).max(axis=2) < 3).sum())

    def windows(self, title):
        found = subprocess.run(["xdotool", "search", "--name", f"^{title}$"], capture_output=True)
        return found.stdout.decode().split()

    def press(self, title, key):
        (window_id,) = self.windows(title)
        subprocess.run(["xdotool", "windowfocus", "--sync", window_id, "key", key], check=True)

    def close(self, title):
        """Close a window like the button in its title bar: with a WM_DELETE_WINDOW message."""
        library = ctypes.util.find_library("X11")
        if library is None:
            pytest.skip("needs libX11")
        x11 = ctypes.CDLL(library)
        x11.XOpenDisplay.restype = ctypes.c_void_p
        x11.XInternAtom.restype = ctypes.c_ulong
        display = ctypes.c_void_p(x11.XOpenDisplay(None))
        protocols, delete = (
            x11.XInternAtom(display, name, False) for name in (b"WM_PROTOCOLS", b"WM_DELETE_WINDOW")
        )
        (window_id,) = map(int, self.windows(title))
        event = ClientMessage(33, 0, 1, display, window_id, protocols, 32, (delete,))
        x11.XSendEvent(display, ctypes.c_ulong(window_id), False, 0, ctypes.byref(event))
        x11.XCloseDisplay(display)


class ClientMessage(ctypes.Structure):
    """XClientMessageEvent of Xlib."""

    _fields_ = (
        ("type", ctypes.c_int),
        ("serial", ctypes.c_ulong),
        ("send_event", ctypes.c_int),
        ("display", ctypes.c_void_p),
        ("window", ctypes.c_ulong),
        ("message_type", ctypes.c_ulong),
        ("format", ctypes.c_int),
        ("data", ctypes.c_long * 5),
        ("rest", ctypes.c_long * 24),  # XEvent is a union of larger ones
    )


def result(index=0, color=ORANGE, width=320, height=240, tracks=None):
    rgb = np.full((height, width, 3), color, np.uint8)
    one = ArrayFrame(rgb, index=index, time=index / 30, captured=time.monotonic(), stream="test")
    return Result(one, Detections.empty(), tracks or Tracks.empty(), ("face",))


def track(*box):
    return Tracks(
        np.array([5]),
        np.array([box], np.float32),
        np.array([0.5], np.float32),
        np.zeros(1, np.int32),
        np.zeros(1, np.int32),
        np.zeros(1, np.int32),
    )


def until(condition, sink=None, color=ORANGE):
    """Wait until a condition holds, and write frames to the sink, if any."""
    end = time.monotonic() + TIMEOUT_S
    index = 1000
    while not condition():
        assert time.monotonic() < end, "timeout"
        if sink is not None:
            sink.write(result(index, color))
            index += 1
        time.sleep(0.01)


@pytest.fixture
def open_window(screen, tmp_path, request):
    """Opens a window with the title of the test, and waits for its first image.

    Without a window manager Qt 5 never paints about one window in six, in any program; then
    another window is opened.
    """
    with contextlib.ExitStack() as stack:

        def make(**options):
            for _ in range(10):
                sink = Window(
                    **{"snapshot_dir": str(tmp_path), "title": request.node.name} | options
                )
                stack.callback(sink.close)
                sink.write(result())
                if any(screen.area(ORANGE) > 10_000 for _ in range(10)):
                    return sink
                sink.close()
            raise AssertionError("no window shows an image")

        yield make


def test_the_image_is_shown_in_its_colors_and_size(screen, open_window):
    open_window()
    # 320x240 = 76800 px, minus the black background of the text in the corner
    assert 70_000 < screen.area(ORANGE) < 76_800
    image = screen.capture()
    ys, xs = np.nonzero(np.abs(image.astype(int) - ORANGE).max(axis=2) < 3)
    assert (np.ptp(xs) + 1, np.ptp(ys) + 1) == (320, 240)


def test_a_large_image_is_scaled_to_fit(screen, open_window):
    sink = open_window(width=640, height=640)
    # 1920x1080 in 640x640: scaled by a third to 640x360 = 230400 px
    large = result(1, TEAL, 1920, 1080, track(900, 300, 1500, 900))
    until(lambda: (sink.write(large), screen.area(TEAL) > 200_000)[1])
    assert screen.area(TEAL) < 230_400


def test_space_pauses_the_view_but_not_the_run(screen, open_window, request):
    sink = open_window()
    before = screen.capture()
    screen.press(request.node.name, "space")
    until(lambda: not np.array_equal(before, screen.capture()))  # the bars appear
    for index in range(200):  # no write waits
        sink.write(result(index, TEAL))
    assert screen.area(TEAL) == 0
    screen.press(request.node.name, "space")
    until(lambda: screen.area(TEAL) > 60_000, sink, TEAL)


def test_a_paused_window_can_be_closed(screen, open_window, request):
    sink = open_window()
    screen.press(request.node.name, "space")
    sink.write(result(1))
    sink.close()
    sink.close()
    assert screen.windows(request.node.name) == []


def test_s_saves_the_current_image_in_the_size_of_the_source(
    screen, open_window, tmp_path, request, caplog
):
    caplog.set_level(logging.INFO)
    sink = open_window(width=160, height=160, snapshot_dir=str(tmp_path / "new"))
    screen.press(request.node.name, "s")
    until(lambda: list(tmp_path.glob("new/*.png")), sink)
    (path,) = tmp_path.glob("new/*.png")
    saved = cv2.imread(str(path))[..., ::-1]
    assert saved.shape == (240, 320, 3)
    assert tuple(saved[120, 160]) == ORANGE
    assert f"saved {path}" in caplog.text


def test_failing_to_save_an_image_is_a_warning(screen, open_window, tmp_path, request, caplog):
    (tmp_path / "file").touch()
    sink = open_window(snapshot_dir=str(tmp_path / "file" / "folder"))
    screen.press(request.node.name, "s")
    until(lambda: "cannot save" in caplog.text, sink)
    assert [record.levelname for record in caplog.records] == ["WARNING"]


def test_q_ends_the_run(screen, open_window, request):
    sink = open_window()
    screen.press(request.node.name, "q")
    with pytest.raises(StopRun):
        until(lambda: False, sink)
    with pytest.raises(StopRun):
        sink.write(result(2))
    assert screen.windows(request.node.name) == []


def test_closing_the_window_ends_the_run(screen, open_window, request):
    sink = open_window()
    screen.close(request.node.name)
    with pytest.raises(StopRun):
        until(lambda: False, sink)


def test_the_run_continues_when_the_window_is_killed(open_window, caplog):
    sink = open_window()
    os.kill(sink.viewer.pid, signal.SIGKILL)
    until(lambda: caplog.records, sink)
    sink.write(result(2))
    (record,) = caplog.records
    assert "the window is gone (exit code -9); continuing without it" in record.message


def test_the_run_continues_when_the_window_hangs(open_window, caplog, monkeypatch):
    sink = open_window()
    monkeypatch.setattr(process, "ANSWER_TIMEOUT_S", 0.2)
    os.kill(sink.viewer.pid, signal.SIGSTOP)
    until(lambda: caplog.records, sink)
    assert "the window is gone" in caplog.text


def test_without_a_display_the_error_suggests_the_video_sink(monkeypatch, tmp_path):
    monkeypatch.delenv("DISPLAY", raising=False)
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    with pytest.raises(DisplayError, match=r"^no display \(DISPLAY is not set\): use sink=video"):
        Window(str(tmp_path))


def test_an_unreachable_display_is_an_error(monkeypatch, tmp_path):
    monkeypatch.setenv("DISPLAY", ":32123")
    with pytest.raises(DisplayError, match=r"could not connect to display :32123\): ") as caught:
        Window(str(tmp_path))
    assert "\n" not in str(caught.value)


def test_an_opencv_without_windows_is_an_error(monkeypatch, tmp_path):
    """Like opencv-python-headless, which raises when a window is opened."""
    (tmp_path / "cv2.py").write_text(
        "def __getattr__(name): return 0\n"
        "def namedWindow(*_): raise RuntimeError('The function is not implemented')\n"
    )
    monkeypatch.setenv("DISPLAY", ":0")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    with pytest.raises(DisplayError, match=r"\(RuntimeError: The function is not implemented\)"):
        Window(str(tmp_path))


def test_a_window_that_does_not_open_in_time_is_an_error(monkeypatch, tmp_path):
    (tmp_path / "cv2.py").write_text("import time\ntime.sleep(600)\n")
    monkeypatch.setenv("DISPLAY", ":0")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.setattr(process, "START_TIMEOUT_S", 0.2)
    with pytest.raises(DisplayError, match=r"\(exit code -9\)"):
        Window(str(tmp_path))


@pytest.mark.parametrize("option", ["width", "height"])
def test_the_size_must_be_positive(option, tmp_path):
    config = {"name": "window", "snapshot_dir": str(tmp_path), option: 0}
    with pytest.raises(ConfigError, match=f"sink.window.{option}: expected `int` >= 1, not 0"):
        build("sink", config, "sink.window")
