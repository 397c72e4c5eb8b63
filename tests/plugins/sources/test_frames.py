import gc
import itertools
import threading

import av
import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vidan.frames import ArrayFrame
from vidan_plugins.sources import frames
from vidan_plugins.sources.frames import Orientation, VideoFrame

META = {"index": 3, "time": 0.5, "captured": 9.0, "stream": "cam"}

BT709, BT470BG, SMPTE170M, BT2020 = 1, 5, 6, 9  # AVColorSpace
LIMITED, FULL = 1, 2  # AVColorRange


def noise(width, height, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)


def plain(pix_fmt="yuv420p", size=(64, 48), yuv=(120, 90, 200), space=None, color_range=None):
    """An image of one color, given as 8-bit Y, U, V."""
    image = av.VideoFrame(*size, pix_fmt)
    deep = image.format.components[0].bits - 8
    for plane, value in zip(image.planes, yuv, strict=False):
        values = np.full(plane.buffer_size, value, np.uint8)
        if deep:
            values = np.full(plane.buffer_size // 2, value << deep, np.uint16)
        plane.update(values.tobytes())
    if space is not None:
        image.colorspace = space
    if color_range is not None:
        image.color_range = color_range
    return image


@pytest.mark.parametrize(
    "frame",
    [
        ArrayFrame(noise(64, 48), **META),
        VideoFrame(plain(), **META),
        VideoFrame(av.VideoFrame.from_ndarray(noise(64, 48)), **META),
    ],
    ids=["array", "yuv", "rgb"],
)
@pytest.mark.parametrize("size", [(64, 48), (32, 24), (1, 1)])
def test_a_resized_image_is_a_copy(frame, size):
    before = frame.rgb().copy()
    resized = frame.resized(*size)
    assert resized.shape == (size[1], size[0], 3)
    assert resized.dtype == np.uint8
    assert resized.flags.c_contiguous
    resized[:] = 77
    assert np.array_equal(frame.rgb(), before)
    assert not np.array_equal(frame.resized(*size), resized)


# R = Y' + 2 (1 - Kr) V', B = Y' + 2 (1 - Kb) U', G from Y' = Kr R + Kg G + Kb B, with
# Y' = (120 - 16) / 219, U' = (90 - 128) / 224, V' = (200 - 128) / 224 in the limited range and
# Y' = 120 / 255, U' = -38 / 255, V' = 72 / 255 in the full one, times 255.
BT601_LIMITED, BT601_FULL = (236, 77, 44), (221, 82, 53)  # Kr 0.299, Kb 0.114
BT709_LIMITED, BT709_FULL = (250, 91, 41), (233, 93, 49)  # Kr 0.2126, Kb 0.0722
BT2020_LIMITED = (242, 81, 40)  # Kr 0.2627, Kb 0.0593


@pytest.mark.parametrize("pix_fmt", ["yuv420p", "yuv422p", "yuv444p", "yuv420p10le"])
@pytest.mark.parametrize(
    ("space", "color_range", "rgb"),
    [
        (BT470BG, None, BT601_LIMITED),
        (SMPTE170M, LIMITED, BT601_LIMITED),
        (SMPTE170M, FULL, BT601_FULL),
        (BT709, LIMITED, BT709_LIMITED),
        (BT709, FULL, BT709_FULL),
        (BT2020, LIMITED, BT2020_LIMITED),
    ],
)
def test_colors_follow_the_tags_of_the_image(pix_fmt, space, color_range, rgb):
    frame = VideoFrame(plain(pix_fmt, space=space, color_range=color_range), **META)
    # swscale's fast paths round coarsely: 3 levels of 255.
    assert np.abs(frame.rgb().astype(int) - rgb).max() <= 3
    assert np.abs(frame.resized(20, 10).astype(int) - rgb).max() <= 3


@pytest.mark.parametrize(
    ("size", "pix_fmt", "rgb"),
    [
        ((640, 480), "yuv420p", BT601_LIMITED),
        ((720, 576), "yuv420p", BT601_LIMITED),
        ((1280, 720), "yuv420p", BT709_LIMITED),
        ((1280, 536), "yuv420p", BT709_LIMITED),  # a wide film
        ((960, 720), "yuv420p", BT709_LIMITED),
        ((720, 1280), "yuv420p", BT709_LIMITED),
        ((640, 480), "yuvj420p", BT601_FULL),
    ],
)
def test_the_colors_of_untagged_images_follow_from_their_size(size, pix_fmt, rgb):
    frame = VideoFrame(plain(pix_fmt, size), **META)
    assert np.abs(frame.rgb().astype(int) - rgb).max() <= 3
    assert np.abs(frame.resized(20, 10).astype(int) - rgb).max() <= 3


def test_gray_images_are_gray():
    frame = VideoFrame(plain("gray", yuv=(120,)), **META)
    assert np.abs(frame.rgb().astype(int) - 120).max() <= 1
    assert np.abs(frame.resized(20, 10).astype(int) - 120).max() <= 1


def smooth(width, height):
    y, x = np.mgrid[0:height, 0:width]
    waves = [x * 255 // width, y * 255 // height, (np.sin(x / 30) * np.cos(y / 25) + 1) * 127]
    return np.dstack(waves).astype(np.uint8)


@pytest.mark.parametrize("size", [(160, 120), (100, 30), (401, 301), (640, 480)])
def test_resizing_from_yuv_equals_resizing_the_rgb_image(size):
    image = av.VideoFrame.from_ndarray(smooth(320, 240)).reformat(format="yuv420p")
    frame = VideoFrame(image, **META)
    shrink = size[0] < 320
    expected = cv2.resize(
        frame.rgb(), size, interpolation=cv2.INTER_AREA if shrink else cv2.INTER_LINEAR
    )
    assert np.abs(frame.resized(*size).astype(int) - expected).mean() < 3


def test_the_order_of_calls_does_not_matter():
    first, second = (VideoFrame(plain(), **META) for _ in range(2))
    first.rgb()
    assert np.array_equal(first.resized(30, 20), second.resized(30, 20))
    assert np.array_equal(first.rgb(), second.rgb())


@given(width=st.integers(1, 150), height=st.integers(1, 150), odd=st.booleans())
def test_images_can_be_resized_to_any_size(width, height, odd):
    image = av.VideoFrame.from_ndarray(smooth(33, 21)).reformat(format="yuv444p")
    frame = VideoFrame(image if odd else plain("yuv420p"), **META)
    assert frame.resized(width, height).shape == (height, width, 3)


def test_a_frame_is_thread_safe():
    sizes = [(64, 48), (100, 100), (33, 77)]
    source = av.VideoFrame.from_ndarray(smooth(320, 240)).reformat(format="yuv420p")
    alone = VideoFrame(source, **META)
    expected = {size: alone.resized(*size) for size in sizes}
    rgb, wrong = alone.rgb(), []

    def ask(frame, start):
        start.wait()
        wrong.extend(s for s in sizes if not np.array_equal(frame.resized(*s), expected[s]))
        if not np.array_equal(frame.rgb(), rgb):
            wrong.append("rgb")

    for _ in range(5):
        frame, start = VideoFrame(source, **META), threading.Barrier(8)
        threads = [threading.Thread(target=ask, args=(frame, start)) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert not wrong


@pytest.mark.parametrize("name", ["yuv420p", "yuvj420p", "nv12"])
def test_yuv_returns_the_planes_of_the_decoder(name):
    image = av.VideoFrame(34, 20, "yuv420p")  # rows are padded
    for plane, value in zip(image.planes, (100, 90, 150), strict=True):
        plane.update(bytes([value]) * plane.buffer_size)
    frame = VideoFrame(image.reformat(format=name), index=0, time=0, captured=0, stream="s")
    y, u, v, colors = frame.yuv()
    assert (y.shape, u.shape, v.shape) == ((20, 34), (10, 17), (10, 17))
    assert colors == (6, name == "yuvj420p")  # untagged and small: BT.601
    assert (u == 90).all() or name == "yuvj420p"  # which has another range
    assert (v == 150).all() or name == "yuvj420p"
    assert not any(plane.flags.writeable for plane in (y, u, v))


def test_yuv_is_none_if_the_image_is_not_displayed_as_decoded():
    def frame(name="yuv420p", **options):
        image = av.VideoFrame(34, 20, name)
        return VideoFrame(image, index=0, time=0, captured=0, stream="s", **options)

    assert frame().yuv() is not None
    assert frame("rgb24").yuv() is None
    assert frame("yuv422p").yuv() is None
    assert frame(size=(68, 40)).yuv() is None


def test_an_image_is_freed_with_its_frame():
    # At 3 MB for 1080p, images must not wait for a garbage collection.
    def live_images():
        return sum(isinstance(each, av.VideoFrame) for each in gc.get_objects())

    gc.collect()
    gc.disable()
    try:
        before = live_images()
        for _ in range(3):
            frame = VideoFrame(plain(), **META)
            frame.yuv()
            frame.resized(8, 8)
            frame.rgb()
        del frame
        assert live_images() == before
    finally:
        gc.enable()


def grain(width, height, pix_fmt="yuv420p"):
    """An image of gray noise: displaced by one px, it differs by 80 levels on average."""
    gray = np.random.default_rng(0).integers(0, 256, (height, width, 1), dtype=np.uint8)
    return av.VideoFrame.from_ndarray(gray.repeat(3, axis=2)).reformat(format=pix_fmt)


def error(one, other):
    return np.abs(one.astype(int) - other).mean()


YUV_FORMATS = ["yuv420p", "yuvj420p", "nv12", "yuv422p", "yuv444p", "yuv420p10le", "p010le", "gray"]


@pytest.mark.parametrize("pix_fmt", [*YUV_FORMATS, "rgb24"])
@pytest.mark.parametrize("box", [(20, 30, 180, 150), (21, 31, 180, 149), (0, 0, 320, 240)])
@pytest.mark.parametrize("size", [(80, 60), (320, 240), None])
def test_a_crop_equals_that_part_of_the_image(pix_fmt, box, size):
    left, top, right, bottom = box
    frame = VideoFrame(grain(320, 240, pix_fmt), **META)
    part = frame.crop(box)
    expected = ArrayFrame(frame.rgb()[top:bottom, left:right])
    if size is None:
        assert error(part.rgb(), expected.rgb()) < 0.5
    else:
        assert error(part.resized(*size), expected.resized(*size)) < 3


@pytest.mark.parametrize("box", [(20, 30, 180, 150), (21, 31, 180, 149)])
def test_a_crop_is_converted_without_the_rest(box, monkeypatch):
    frame = VideoFrame(grain(320, 240), **META)
    monkeypatch.setattr(VideoFrame, "_make_rgb", lambda self: pytest.fail("whole image"))
    assert frame.crop(box).resized(64, 64).shape == (64, 64, 3)
    assert frame.crop(box).rgb().shape == (box[3] - box[1], box[2] - box[0], 3)


@pytest.mark.parametrize("size", [(320, 240), (319, 239)])
@pytest.mark.parametrize("orientation", list(itertools.product([False, True], repeat=3)))
def test_a_crop_of_a_rotated_image(orientation, size, monkeypatch):
    monkeypatch.setattr(frames, "_orientation", lambda image: Orientation(*orientation))
    frame = VideoFrame(grain(*size), **META)
    box = (11, 20, 120, 200)
    expected = ArrayFrame(frame.rgb()[20:200, 11:120])
    assert error(frame.crop(box).rgb(), expected.rgb()) < 2
    assert error(frame.crop(box).resized(55, 90), expected.resized(55, 90)) < 3


def test_a_crop_of_an_image_displayed_at_another_size():
    frame = VideoFrame(grain(160, 120), size=(320, 240), **META)
    np.testing.assert_array_equal(frame.crop((10, 20, 50, 80)).rgb(), frame.rgb()[20:80, 10:50])


@pytest.mark.parametrize("space", [None, BT470BG, BT709])
def test_a_crop_has_the_colors_of_the_whole_image(space):
    frame = VideoFrame(plain(size=(1280, 720), space=space), **META)
    part = frame.crop((2, 2, 66, 50))
    assert np.abs(part.rgb().astype(int) - frame.rgb()[2:50, 2:66]).max() <= 1
    assert np.abs(part.resized(8, 6).astype(int) - frame.resized(8, 6)).max() <= 1


PQ, HLG = 16, 18


def hdr_signal(transfer, value):
    """The signal (ITU-R BT.2100) of a gray that a BT.1886 display of 100 cd/m2 shows."""
    luminance = 100 * (value / 255) ** 2.4
    if transfer == PQ:
        y = (luminance / 10_000) ** (2610 / 16384)
        return ((0.8359375 + 18.8515625 * y) / (1 + 18.6875 * y)) ** 78.84375
    scene = (luminance / 1000) ** (1 / 1.2)
    if scene <= 1 / 12:
        return (3 * scene) ** 0.5
    return 0.17883277 * np.log(12 * scene - 0.28466892) + 0.55991073


def hdr_gray(transfer, value, size=(64, 48)):
    image = av.VideoFrame(*size, "yuv420p10le")
    level = round(64 + 876 * hdr_signal(transfer, value))
    for plane, number in zip(image.planes, (level, 512, 512), strict=True):
        plane.update(np.full(plane.buffer_size // 2, number, np.uint16).tobytes())
    image.colorspace, image.color_primaries, image.color_trc = BT2020, BT2020, transfer
    image.color_range = LIMITED
    return image


@pytest.mark.parametrize("transfer", [PQ, HLG])
@pytest.mark.parametrize("value", [30, 80, 128, 200, 255])
def test_hdr_is_shown_as_bt709_shows_the_same_light(transfer, value):
    frame = VideoFrame(hdr_gray(transfer, value), **META)
    for image in (frame.rgb(), frame.resized(20, 10), frame.resized_crop((4, 4, 24, 14), 20, 10)):
        assert np.abs(image.astype(int) - value).max() <= max(3, 0.02 * value)
    assert frame.yuv() is None


def test_hdr_beyond_white_is_white():
    image = hdr_gray(PQ, 255)
    image.planes[0].update(np.full(image.planes[0].buffer_size // 2, 800, np.uint16).tobytes())
    assert VideoFrame(image, **META).rgb().min() == 255
