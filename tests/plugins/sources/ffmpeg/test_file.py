import base64
import contextlib
import gc
import os
import re
import socket
import struct
import sys
import threading
import time
from fractions import Fraction
from functools import partial
from http.server import BaseHTTPRequestHandler, SimpleHTTPRequestHandler
from itertools import islice, pairwise
from urllib.parse import unquote

import av
import cv2
import numpy as np
import pytest

from tests.clips import CORNERS, number_of, numbered_image, write_clip, write_sound
from vidan.config.build import build
from vidan.errors import ConfigError, SourceError
from vidan.interfaces import Source
from vidan_plugins.sources.ffmpeg.file import VideoFile

MATRICES = {
    # a, b, c, d of x' = a x + c y, y' = b x + d y, and the colors that are then in the top left
    # and the top right corner.
    "as it is": ((1, 0, 0, 1), "top left", "top right"),
    "right": ((0, 1, -1, 0), "below", "top left"),
    "round": ((-1, 0, 0, -1), "below", "below"),
    "left": ((0, -1, 1, 0), "top right", "below"),
    "mirrored": ((-1, 0, 0, 1), "top right", "top left"),
    "upside down": ((1, 0, 0, -1), "below", "below"),
    "transposed": ((0, 1, 1, 0), "top left", "below"),
    "transposed across": ((0, -1, -1, 0), "below", "top right"),
}


@pytest.fixture(scope="module")
def clip(tmp_path_factory):
    """25 numbered images of 64x48 at 25 frames/s."""
    return write_clip(tmp_path_factory.mktemp("clips") / "clip.mp4")


def read(path, **options):
    source = VideoFile(str(path), **options)
    try:
        return list(source)
    finally:
        source.close()


def test_it_is_a_source(clip):
    source = VideoFile(str(clip))
    assert isinstance(source, Source)
    assert (source.frames, source.live, source.stream) == (25, False, "clip")
    source.close()


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("h264.mp4", {}),
        ("h264.ts", {}),
        ("raw.h264", {}),  # without timestamps
        ("vp9.webm", {"codec": "libvpx-vp9"}),
        ("mjpeg.avi", {"codec": "mjpeg", "pix_fmt": "yuvj420p"}),
        ("ten_bits.mp4", {"pix_fmt": "yuv420p10le"}),
        ("gray.mkv", {"codec": "ffv1", "pix_fmt": "gray"}),
        ("alpha.mov", {"codec": "qtrle", "pix_fmt": "argb"}),
        ("palette.gif", {"codec": "gif", "pix_fmt": "rgb8"}),
        ("odd.mp4", {"pix_fmt": "yuv444p", "size": (321, 241)}),
        ("odd.mkv", {"codec": "ffv1", "pix_fmt": "yuv420p", "size": (321, 241)}),
    ],
)
def test_all_images_are_read_in_order_with_their_times(tmp_path, warnings, name, options):
    frames = read(write_clip(tmp_path / name, **options))
    assert [number_of(frame.rgb()) for frame in frames] == list(range(25))
    assert [frame.index for frame in frames] == list(range(25))
    assert [frame.time for frame in frames] == pytest.approx([n / 25 for n in range(25)])
    size = options.get("size", (64, 48))
    assert {(f.width, f.height) for f in frames} == {size}
    assert {f.rgb().shape for f in frames} == {(size[1], size[0], 3)}
    assert not warnings()


@pytest.mark.parametrize("name", ["variable.mp4", "variable.mkv"])
@pytest.mark.parametrize("first", [0, 500])
def test_a_variable_frame_rate_is_preserved(tmp_path, warnings, name, first):
    times = [first + ms for ms in (0, 40, 200, 210, 1210)]
    frames = read(write_clip(tmp_path / name, 5, times=times))
    assert [f.time for f in frames] == pytest.approx([0, 0.04, 0.2, 0.21, 1.21], abs=0.002)
    assert not warnings()


@pytest.mark.parametrize(("matrix", "left", "right"), MATRICES.values(), ids=MATRICES.keys())
def test_images_are_rotated_as_the_file_specifies(tmp_path, matrix, left, right):
    frame = read(write_clip(tmp_path / "turned.mp4", 1, matrix=matrix))[0]
    size = (64, 48) if matrix[0] else (48, 64)
    assert (frame.width, frame.height) == size
    assert frame.rgb().shape == (size[1], size[0], 3)
    # The lower half is gray, for which name_of returns "below".
    for image in (frame.rgb(), frame.resized(30, 20)):
        height, width, _ = image.shape
        assert name_of(image[height // 4, width // 4]) == left
        assert name_of(image[height // 4, 3 * width // 4]) == right


@pytest.mark.parametrize(
    ("pixel_aspect", "size"),
    [((64, 45), (91, 48)), ((8, 9), (57, 48)), ((2, 1), (128, 48)), ((1, 1), (64, 48))],
)
@pytest.mark.parametrize("suffix", ["mp4", "mkv", "ts"])
def test_images_have_their_displayed_size(tmp_path, pixel_aspect, size, suffix):
    path = write_clip(tmp_path / f"v.{suffix}", pixel_aspect=Fraction(*pixel_aspect))
    source = VideoFile(str(path))
    assert source.image_size == size
    frames = list(source)
    assert {(f.width, f.height) for f in frames} == {size}
    assert {f.rgb().shape for f in frames} == {(size[1], size[0], 3)}
    for image in (frames[0].rgb(), frames[0].resized(*size)):
        red = (image[10, :, 0] > 150).sum()  # the left half
        assert red == pytest.approx(size[0] / 2, abs=2)


def test_pixels_are_scaled_before_images_are_rotated(tmp_path):
    options = {"matrix": MATRICES["right"][0], "pixel_aspect": Fraction(2)}
    (frame,) = read(write_clip(tmp_path / "v.mp4", 1, **options))
    assert frame.rgb().shape == (128, 48, 3)


def name_of(color):
    near = [n for n, c in CORNERS.items() if np.abs(color.astype(int) - c).max() < 20]
    return near[0] if near else "below"


def test_the_stream_can_be_named(clip):
    assert {frame.stream for frame in read(clip, stream="entrance")} == {"entrance"}


def test_an_image_is_a_video_of_one_frame(tmp_path):
    cv2.imwrite(str(tmp_path / "one.png"), np.full((20, 30, 3), 9, np.uint8))
    (frame,) = read(tmp_path / "one.png")
    assert (frame.width, frame.height, frame.index, frame.time) == (30, 20, 0, 0.0)


def test_a_file_with_a_colon_in_its_name_is_a_file(tmp_path, monkeypatch, clip):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "at 12:30.mp4").write_bytes(clip.read_bytes())
    (tmp_path / "rtsp:x.mp4").write_bytes(clip.read_bytes())
    assert len(read("at 12:30.mp4")) == 25
    source = VideoFile("rtsp:x.mp4")
    assert not source.live
    source.close()


def test_metadata_that_is_not_utf8_is_ignored(tmp_path):
    path = write_clip(tmp_path / "name.avi", codec="mjpeg", pix_fmt="yuvj420p")
    data = path.read_bytes()
    assert b"Lavf" in data
    path.write_bytes(data.replace(b"Lavf", b"\xe9\xff\xe8\xe0"))
    assert len(read(path)) == 25


# Timestamps


def begins_at(path, seconds, frames=25):
    """A clip whose timestamps begin later; MPEG-TS counts them modulo 2**33."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=25)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        for n in range(frames):
            frame = av.VideoFrame.from_ndarray(numbered_image(n)).reformat(format="yuv420p")
            frame.pts, frame.time_base = n + round(seconds * 25), Fraction(1, 25)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


def joined(folder, starts, frames=25):
    parts = [begins_at(folder / f"{n}.ts", start, frames) for n, start in enumerate(starts)]
    (folder / "joined.ts").write_bytes(b"".join(part.read_bytes() for part in parts))
    return folder / "joined.ts"


@pytest.mark.parametrize(
    "starts", [(0, 1000), (1000, 0), (0, 72_000), (0, 0), (0, 1000, 500), (30, 45)]
)
def test_parts_that_were_joined_follow_each_other(tmp_path, warnings, starts):
    frames = read(joined(tmp_path, starts))
    count = 25 * len(starts)
    assert [f.index for f in frames] == list(range(count))
    assert [f.time for f in frames] == pytest.approx([n / 25 for n in range(count)], abs=1e-3)
    assert not warnings()


def test_short_parts_that_were_joined_follow_each_other(tmp_path):
    times = [f.time for f in read(joined(tmp_path, [5, 5, 5], frames=10))]
    assert times == pytest.approx([n / 25 for n in range(30)], abs=1e-3)


def test_a_pause_is_kept_where_parts_cannot_be_joined(tmp_path):
    frames = read(write_clip(tmp_path / "v.mp4", 3, times=[0, 40, 3_600_000]))
    assert [f.time for f in frames] == pytest.approx([0, 0.04, 3600])


def test_timestamps_that_wrap_around(tmp_path, warnings):
    frames = read(begins_at(tmp_path / "v.ts", 2**33 / 90_000 - 2))
    assert [f.time for f in frames] == pytest.approx([n / 25 for n in range(25)], abs=1e-3)
    assert not warnings()


# Damage


def test_hidden_frames_are_not_missing(tmp_path, warnings):
    """An edit list (ISO 14496-12, 8.6.6) that begins at image 20."""
    path = write_clip(tmp_path / "v.mp4", 50, options={"g": "25", "bf": "0"})
    data = bytearray(path.read_bytes())
    at = data.index(b"elst") + 4 + 4 + 4  # type, version and flags, number of entries
    duration, start = struct.unpack_from(">Ii", data, at)
    timescale = 12800  # FFmpeg's for 25 frames/s
    struct.pack_into(">Ii", data, at, duration * 30 // 50, start + timescale * 20 // 25)
    path.write_bytes(data)
    frames = read(path)
    assert [number_of(f.rgb()) for f in frames] == [n % 29 for n in range(20, 50)]
    assert not warnings()


def test_sound_may_be_longer_than_the_video(tmp_path, warnings):
    path = write_clip(tmp_path / "v.mkv", 10, seconds_of_sound=5)
    assert len(read(path)) == 10
    assert not warnings()
    data = path.read_bytes()
    (tmp_path / "cut.mkv").write_bytes(data[: len(data) // 2])
    read(tmp_path / "cut.mkv")
    assert "cut short" in warnings()[0]


@pytest.mark.parametrize(("announced", "complains"), [(26, False), (28, True)])
def test_an_avi_header_may_be_off_by_one(tmp_path, warnings, announced, complains):
    path = write_clip(tmp_path / "v.avi", codec="mjpeg", pix_fmt="yuvj420p")
    data = bytearray(path.read_bytes())
    for at in (data.index(b"avih") + 24, data.index(b"strh") + 40):
        assert struct.unpack_from("<I", data, at) == (25,)
        struct.pack_into("<I", data, at, announced)
    path.write_bytes(data)
    assert len(read(path)) == 25
    assert bool(warnings()) == complains


def test_it_says_which_of_two_videos_is_read(tmp_path, warnings):
    path = write_clip(tmp_path / "v.mp4", 3, second_size=(96, 64))
    (first, *_) = read(path)
    assert (first.width, first.height) == (64, 48)
    assert warnings() == [f"{str(path)!r} contains videos 0 (64x48), 1 (96x64): reading 0 (64x48)"]


def test_another_video_may_have_an_unknown_codec(tmp_path, warnings):
    path = write_clip(tmp_path / "v.mkv", 3, second_size=(96, 64))
    before, codec, after = path.read_bytes().rpartition(b"V_MPEG4/ISO/AVC")
    path.write_bytes(before + codec.replace(b"AVC", b"XYZ") + after)
    assert len(read(path)) == 3
    assert any("0 (64x48), 1 (unknown codec): reading 0" in each for each in warnings())


@pytest.mark.parametrize("name", ["cut.mp4", "cut.mkv", "cut.avi", "cut.flv"])
def test_a_file_cut_short_is_read_to_the_cut_with_a_warning(tmp_path, warnings, name):
    options = {"movflags": "faststart"} if name.endswith("mp4") else None
    images = np.random.default_rng(1).integers(0, 256, (50, 48, 64, 3), np.uint8)
    path = write_clip(tmp_path / name, images, container_options=options)
    data = path.read_bytes()
    path.write_bytes(data[: len(data) * 6 // 10])
    frames = read(path)
    assert 5 <= len(frames) < 45
    assert [f.index for f in frames] == list(range(len(frames)))
    (warning,) = [w for w in warnings() if "cut short" in w]
    assert repr(str(path)) in warning


@pytest.mark.parametrize("name", ["cut.mp4", "cut.mkv", "cut.ts", "cut.avi", "cut.webm"])
def test_a_file_cut_short_anywhere_ends_early_or_is_rejected(tmp_path, name):
    codec = "libvpx-vp9" if name.endswith("webm") else "libx264"
    options = {"movflags": "frag_keyframe+empty_moov"} if name.endswith("mp4") else None
    whole = write_clip(tmp_path / f"whole.{name}", codec=codec, container_options=options)
    data, path, read_some = whole.read_bytes(), tmp_path / name, 0
    for keep in np.random.default_rng(5).integers(1, len(data), 12):
        path.write_bytes(data[:keep])
        with contextlib.suppress(SourceError):
            assert read(path)
            read_some += 1
    assert read_some >= 2


def test_damage_in_the_middle_leaves_a_gap_in_the_index(tmp_path, warnings):
    path = write_clip(tmp_path / "damaged.mp4", 20, codec="mjpeg", pix_fmt="yuvj420p")
    data = bytearray(path.read_bytes())
    starts = [match.start() for match in re.finditer(b"\xff\xd8", data)]
    assert len(starts) == 20
    for number in (7, 8, 12):  # without its marker it is not a JPEG
        data[starts[number] : starts[number + 1]] = bytes(starts[number + 1] - starts[number])
    path.write_bytes(data)
    frames = read(path)
    intact = [n for n in range(20) if n not in (7, 8, 12)]
    assert [frame.index for frame in frames] == intact
    assert [number_of(frame.rgb()) for frame in frames] == intact
    assert [frame.time for frame in frames] == pytest.approx([n / 25 for n in intact])
    assert len(warnings()) == 2
    assert repr(str(path)) in warnings()[0]
    assert "3 places" in warnings()[1]


def test_a_file_without_any_intact_image_is_an_error(tmp_path):
    path = write_clip(tmp_path / "broken.mp4", 5, codec="mjpeg", pix_fmt="yuvj420p")
    data = path.read_bytes()
    start, end = data.index(b"mdat") + 4, data.index(b"moov") - 4
    path.write_bytes(data[:start] + bytes(end - start) + data[end:])
    with pytest.raises(SourceError, match=r"no image in '.*broken.mp4' can be decoded"):
        read(path)


# Not a video


def empty(path):
    path.write_bytes(b"")


def text(path):
    path.write_text("just some words\n" * 50)


def head_only(path):
    write_clip(path)
    path.write_bytes(path.read_bytes()[:2000])  # its index is at its end


def folder(path):
    path.mkdir()


def missing(path):
    pass


@pytest.mark.parametrize(
    ("make", "name", "reason"),
    [
        (missing, "none.mp4", "there is no file"),
        (empty, "empty.mp4", "is empty"),
        (text, "text.mp4", "is not a video"),
        (text, "text.txt", "is not a video"),
        (head_only, "head.mp4", "is not a video, or is damaged or cut short"),
        (folder, "folder", "is a folder: for a folder of images set source=images"),
        (write_sound, "sound.wav", "has no video, only sound"),
    ],
)
def test_anything_but_a_video_is_a_one_line_error(tmp_path, capfd, make, name, reason):
    path = tmp_path / name
    make(path)
    with pytest.raises(SourceError) as caught:
        VideoFile(str(path))
    assert repr(str(path)) in str(caught.value)
    assert reason in str(caught.value)
    assert "\n" not in str(caught.value)
    assert capfd.readouterr() == ("", "")


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may read all")
def test_a_file_without_read_permission_is_rejected(tmp_path, clip):
    path = tmp_path / "secret.mp4"
    path.write_bytes(clip.read_bytes())
    path.chmod(0)
    with pytest.raises(SourceError, match="no permission to read"):
        VideoFile(str(path))


def test_sound_with_a_cover_image_is_not_a_video(tmp_path):
    import av

    path = tmp_path / "song.mp3"
    with av.open(str(path), "w") as container:
        sound = container.add_stream("mp3", rate=44100)
        cover = container.add_stream("mjpeg", rate=1)
        cover.width, cover.height, cover.pix_fmt = 64, 48, "yuvj420p"
        container.mux(cover.encode(av.VideoFrame(64, 48, "yuvj420p")))
        container.mux(cover.encode(None))
        samples = av.AudioFrame.from_ndarray(np.zeros((2, 44100), np.float32), "fltp")
        samples.rate = 44100
        container.mux(sound.encode(samples))
        container.mux(sound.encode(None))
    with pytest.raises(SourceError, match="has no video, only sound"):
        VideoFile(str(path))


@pytest.mark.parametrize(
    "options",
    [
        {"path": ""},
        {"path": "x.mp4", "stream": " "},
        {"path": "x.mp4", "threads": -1},
        {"path": "x.mp4", "timeout": 0},
        {"path": "x.mp4", "timeout": float("nan")},
    ],
)
def test_bad_options_are_rejected(options):
    option, value = list(options.items())[-1]
    with pytest.raises(ConfigError, match=rf"^source\.{option}[=:].*{re.escape(repr(value))}"):
        build("source", {"name": "file", **options})


# URLs


class Files(SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass


def test_a_url_is_read_like_a_file(serve, clip):
    host = serve(partial(Files, directory=str(clip.parent)))
    source = VideoFile(f"http://{host}/clip.mp4?camera=1")
    assert (source.stream, source.live) == ("clip", False)
    assert [number_of(frame.rgb()) for frame in source] == list(range(25))
    source.close()


@pytest.mark.parametrize("word", ["s#x", "s/x", "s?x", "s@x", "50%", "%23"])
def test_a_password_reaches_a_web_server(serve, tmp_path, word):
    seen = []
    data = write_clip(tmp_path / "live.ts").read_bytes()

    class Asks(BaseHTTPRequestHandler):
        def do_GET(self):
            seen.append(self.headers.get("Authorization"))
            self.send_response(200 if seen[-1] else 401)
            self.send_header("WWW-Authenticate", 'Basic realm="camera"')
            body = data if seen[-1] else b""
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    assert len(read(f"http://me:{word}@{serve(Asks)}/live.ts")) == 25
    expected = base64.b64encode(f"me:{unquote(word)}".encode()).decode()
    assert f"Basic {expected}" in seen


def test_a_url_that_does_not_exist_is_rejected(serve, clip):
    host = serve(partial(Files, directory=str(clip.parent)))
    with pytest.raises(SourceError, match="404 Not Found"):
        VideoFile(f"http://{host}/other.mp4")


def test_a_server_that_stops_sending_is_an_error_and_no_hang(serve, clip):
    enough = threading.Event()

    class Stalls(BaseHTTPRequestHandler):
        def do_GET(self):
            data = clip.with_name("stream.ts").read_bytes()
            self.send_response(200)
            self.send_header("Content-Length", str(2 * len(data)))
            self.end_headers()
            self.wfile.write(data)
            enough.wait(30)

        def log_message(self, *_):
            pass

    write_clip(clip.with_name("stream.ts"), 200, size=(320, 240))
    source = VideoFile(f"http://{serve(Stalls)}/stream.ts", timeout=1.0)
    frames = []
    try:
        with pytest.raises(SourceError, match=r"no data from '.*stream.ts' for 1 s"):
            frames.extend(source)
    finally:
        enough.set()
        source.close()
    assert len(frames) > 100


@pytest.mark.parametrize("scheme", ["http", "rtsp"])
def test_a_server_that_does_not_answer_is_an_error_and_no_hang(scheme):
    with socket.create_server(("127.0.0.1", 0)) as server:
        url = f"{scheme}://me:secret@127.0.0.1:{server.getsockname()[1]}/live"
        with pytest.raises(SourceError) as caught:
            VideoFile(url, timeout=0.3)
    assert str(caught.value).startswith("no data from ")
    assert "secret" not in str(caught.value)
    assert "***@127.0.0.1" in str(caught.value)


def test_a_server_that_does_not_exist_is_rejected():
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    with pytest.raises(SourceError, match="Connection refused"):
        VideoFile(f"rtsp://127.0.0.1:{port}/live")


def test_an_unknown_protocol_is_rejected():
    with pytest.raises(SourceError, match="'foo://bar/x', nor a protocol of that name"):
        VideoFile("foo://bar/x")


# Looping and pacing


def test_index_and_time_continue_in_a_loop(clip):
    source = VideoFile(str(clip), loop=True)
    assert source.frames is None
    frames = list(islice(source, 60))
    source.close()
    assert [frame.index for frame in frames] == list(range(60))
    assert [number_of(frame.rgb()) for frame in frames] == [n % 25 for n in range(60)]
    assert [frame.time for frame in frames] == pytest.approx([n / 25 for n in range(60)])


def test_frames_of_a_live_file_come_no_earlier_than_they_are_due(tmp_path):
    path = write_clip(tmp_path / "paced.mp4", 10, rate=100)
    source = VideoFile(str(path), live=True)
    assert source.live
    before = time.monotonic()
    frames = list(source)
    source.close()
    assert time.monotonic() - before >= 0.09
    assert all(f.captured - before >= f.time for f in frames)


def test_a_late_frame_of_a_live_file_was_captured_when_it_was_due(tmp_path):
    path = write_clip(tmp_path / "late.mp4", 10, rate=100)
    source = VideoFile(str(path), live=True)
    frames = iter(source)
    first = next(frames)
    time.sleep(0.2)  # all others are late
    rest = list(frames)
    source.close()
    for frame in rest:
        assert frame.captured - first.captured == pytest.approx(frame.time, abs=1e-6)


def test_closing_ends_the_wait_for_a_live_frame(tmp_path):
    path = write_clip(tmp_path / "slow.mp4", 30, rate=1)
    source = VideoFile(str(path), live=True)
    frames = []
    reader = threading.Thread(target=lambda: frames.extend(source))
    reader.start()
    time.sleep(0.05)
    source.close()
    reader.join(10)
    assert not reader.is_alive()
    assert len(frames) <= 2


# Closing


def test_a_second_iteration_continues_where_the_first_stopped(clip):
    source = VideoFile(str(clip))
    first = list(islice(source, 3))
    second = list(source)
    assert [f.index for f in [*first, *second]] == list(range(25))
    assert list(source) == []
    source.close()


def test_closing_in_the_middle_ends_the_iteration(clip):
    source = VideoFile(str(clip))
    frames = iter(source)
    kept = next(frames)
    source.close()
    source.close()
    assert list(frames) == []
    assert list(source) == []
    assert source.frames is None
    assert number_of(kept.rgb()) == 0  # a frame outlives its source


def open_files():
    gc.collect()
    return len(os.listdir("/proc/self/fd"))  # noqa: PTH208


@pytest.mark.skipif(sys.platform != "linux", reason="counts /proc/self/fd")
def test_no_file_and_no_thread_is_leaked(tmp_path, clip):
    sound = write_sound(tmp_path / "sound.wav")
    read(clip)  # opens what stays open for the whole process
    files, threads = open_files(), len(os.listdir("/proc/self/task"))  # noqa: PTH208
    for _ in range(5):
        read(clip)
        source = VideoFile(str(clip))
        next(iter(source))
        source.close()
        VideoFile(str(clip)).close()
        with pytest.raises(SourceError):
            VideoFile(str(sound))
    assert open_files() == files
    assert len(os.listdir("/proc/self/task")) == threads  # noqa: PTH208


# Real videos

COUNTS = {
    "MOT16-09.mp4": (525, 1920, 1080),
    "mask_people.mp4": (635, 538, 372),
    "plaza.mp4": (341, 1280, 720),
    "one-by-one-person-detection.mp4": (1394, 768, 432),
}


@pytest.mark.parametrize("name", COUNTS)
def test_real_videos_are_read_to_their_end(data, warnings, name):
    count, width, height = COUNTS[name]
    source = VideoFile(str(data / "video" / name))
    assert source.frames == count
    last = None
    for n, frame in enumerate(source):
        assert frame.index == n
        assert (frame.width, frame.height) == (width, height)
        assert last is None or frame.time > last
        last = frame.time
    assert n + 1 == count
    assert not warnings()
    source.close()


@pytest.mark.parametrize("name", COUNTS)
def test_real_videos_have_the_pixels_that_opencv_reads(data, name):
    path = str(data / "video" / name)
    source, opencv = VideoFile(path), cv2.VideoCapture(path)
    for frame in islice(source, 10):
        expected = opencv.read()[1][..., ::-1].astype(int)
        difference = np.abs(frame.rgb() - expected)
        if name == "MOT16-09.mp4":
            # Untagged HD: vidan assumes BT.709, OpenCV BT.601, so only the brightness agrees.
            difference = np.abs(frame.rgb().mean(2) - expected.mean(2))
        assert difference.mean() < 4
        small = cv2.resize(frame.rgb(), (320, 320), interpolation=cv2.INTER_AREA)
        assert np.abs(frame.resized(320, 320).astype(int) - small).mean() < 2.5
    opencv.release()
    source.close()


def test_the_times_of_a_real_video_match_its_frame_rate(data):
    source = VideoFile(str(data / "video/plaza.mp4"))
    intervals = [b.time - a.time for a, b in pairwise(islice(source, 50))]
    source.close()
    assert np.median(intervals) == pytest.approx(0.04, abs=1e-3)
