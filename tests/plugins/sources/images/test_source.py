import re
import shutil
import struct
import subprocess
import sys
import zlib

import cv2
import numpy as np
import pytest

from vidan.config.build import build
from vidan.errors import ConfigError, SourceError
from vidan.interfaces import Source
from vidan_plugins.sources.images.source import Images, read_image


def write(path, value=0, size=(8, 6)):
    """An image of one color: red is `value`, green 100, blue 200."""
    path.parent.mkdir(parents=True, exist_ok=True)
    bgr = np.full((size[1], size[0], 3), (200, 100, value), np.uint8)
    assert cv2.imwrite(str(path), bgr)
    return path


def encoded(bgr, suffix=".png"):
    return cv2.imencode(suffix, bgr)[1].tobytes()


@pytest.fixture
def folder(tmp_path):
    """Ten images 1.png to 10.png, whose red is ten times their number."""
    for number in range(1, 11):
        write(tmp_path / "photos" / f"{number}.png", number * 10)
    return tmp_path / "photos"


def test_it_is_a_source(folder):
    source = Images(str(folder))
    assert isinstance(source, Source)
    assert (source.frames, source.live, source.stream, source.rate) == (10, False, "photos", 25.0)


def test_images_are_in_natural_order(folder):
    frames = list(Images(str(folder), rate=2))
    assert [frame.filename for frame in frames] == [f"{n}.png" for n in range(1, 11)]
    assert [frame.rgb()[0, 0].tolist() for frame in frames] == [
        [n * 10, 100, 200] for n in range(1, 11)
    ]
    assert [frame.index for frame in frames] == list(range(10))
    assert [frame.time for frame in frames] == [n / 2 for n in range(10)]
    assert {frame.stream for frame in frames} == {"photos"}


def test_other_files_and_hidden_files_are_ignored(folder, warnings):
    (folder / "notes.txt").write_text("no image")
    (folder / "._1.png").write_bytes(b"metadata that macOS writes")
    (folder / "sub.png").mkdir()
    assert len(list(Images(str(folder)))) == 10
    assert not warnings()


@pytest.mark.parametrize(
    ("pattern", "count"),
    [("photos/*.png", 10), ("photos/1*.png", 2), ("photos/[23].png", 2), ("**/*.PNG", 0)],
)
def test_patterns(folder, pattern, count):
    path = str(folder.parent / pattern)
    if not count:
        with pytest.raises(SourceError, match="there are no images in"):
            Images(path)
        return
    source = Images(path)
    assert (source.frames, source.stream) == (count, "photos")


def test_a_pattern_includes_subfolders(folder, tmp_path):
    write(tmp_path / "more/deep/1.png")
    source = Images(str(tmp_path / "**/1.png"))
    assert source.frames == 2
    assert source.stream == tmp_path.name


def test_one_image_is_a_stream_of_one_frame(folder):
    (frame,) = Images(str(folder / "3.png"))
    assert (frame.filename, frame.index, frame.time) == ("3.png", 0, 0.0)


def test_a_folder_with_brackets_in_its_name_is_a_folder(folder):
    folder.rename(folder.with_name("[photos]"))
    assert Images(str(folder.with_name("[photos]"))).frames == 10


def test_images_may_differ_in_size(tmp_path):
    write(tmp_path / "1.png", size=(8, 6))
    write(tmp_path / "2.jpg", size=(5, 9))
    assert [(f.width, f.height) for f in Images(str(tmp_path))] == [(8, 6), (5, 9)]


# Kinds of images

STRIPE = np.zeros((4, 6, 3), np.uint8)
STRIPE[:, :, 0], STRIPE[:, :, 1], STRIPE[:, :, 2] = 200, 100, 50  # BGR


@pytest.mark.parametrize(
    ("data", "rgb"),
    [
        (encoded(STRIPE), (50, 100, 200)),
        (encoded(STRIPE.astype(np.uint16) * 257), (50, 100, 200)),
        (encoded(np.dstack([STRIPE, np.full((4, 6), 9, np.uint8)])), (50, 100, 200)),
        (encoded(STRIPE[:, :, 1]), (100, 100, 100)),
        (encoded(STRIPE[:, :, 1].astype(np.uint16) * 257), (100, 100, 100)),
        (encoded(STRIPE, ".bmp"), (50, 100, 200)),
        (encoded(STRIPE, ".tiff"), (50, 100, 200)),
        (encoded(STRIPE, ".ppm"), (50, 100, 200)),
    ],
    ids=["8 bits", "16 bits", "alpha", "gray", "gray 16 bits", "bmp", "tiff", "ppm"],
)
def test_every_kind_of_image_becomes_rgb(data, rgb):
    image = read_image(data)
    assert (image.shape, image.dtype) == ((4, 6, 3), np.uint8)
    assert image.reshape(-1, 3).tolist() == [list(rgb)] * 24


def palette_png():
    """Four pixels with a palette: red, green, blue, white; assembled by hand (PNG standard)."""

    def chunk(kind, body):
        return (
            struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
        )

    header = struct.pack(">IIBBBBB", 4, 1, 8, 3, 0, 0, 0)
    colors = bytes([255, 0, 0, 0, 255, 0, 0, 0, 255, 255, 255, 255])
    pixels = zlib.compress(bytes([0, 0, 1, 2, 3]))
    chunks = [(b"IHDR", header), (b"PLTE", colors), (b"IDAT", pixels), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunk(*c) for c in chunks)


def test_palettes_become_rgb():
    assert read_image(palette_png()).tolist() == [
        [[255, 0, 0], [0, 255, 0], [0, 0, 255], [255, 255, 255]]
    ]


def with_orientation(jpeg, orientation):
    """The JPEG with an EXIF block that holds one entry: 0x0112, orientation."""
    tiff = b"II*\0" + struct.pack("<IHHHIHHI", 8, 1, 0x0112, 3, 1, orientation, 0, 0)
    body = b"Exif\0\0" + tiff
    return jpeg[:2] + b"\xff\xe1" + struct.pack(">H", len(body) + 2) + body + jpeg[2:]


@pytest.mark.parametrize(
    ("orientation", "corner"),
    # Where the top left corner of the stored image is displayed: row, column.
    list(enumerate([(0, 0), (0, -1), (-1, -1), (-1, 0)] * 2, start=1)),
)
def test_exif_orientation_is_applied(orientation, corner):
    bgr = np.zeros((32, 64, 3), np.uint8)
    bgr[:16, :16] = 255
    image = read_image(with_orientation(encoded(bgr, ".jpg"), orientation))
    assert image.shape == ((32, 64, 3) if orientation <= 4 else (64, 32, 3))
    corners = {(r, c): image[r, c].mean() > 128 for r in (0, -1) for c in (0, -1)}
    assert [where for where, white in corners.items() if white] == [corner]


# Broken images


def test_a_broken_image_is_skipped_with_a_warning_and_leaves_a_gap(folder, warnings, capfd):
    (folder / "2.png").write_bytes(b"")
    (folder / "3.png").write_bytes(b"not an image at all")
    whole = encoded(np.random.default_rng(0).integers(0, 256, (50, 50, 3), np.uint8), ".jpg")
    (folder / "4.png").write_bytes(whole[:200])
    source = Images(str(folder))
    assert source.frames == 10
    frames = list(source)
    assert [frame.index for frame in frames] == [0, 4, 5, 6, 7, 8, 9]
    assert [frame.time for frame in frames] == [frame.index / 25 for frame in frames]
    assert len(warnings()) == 3
    for warning, name in zip(warnings(), ["2.png", "3.png", "4.png"], strict=True):
        assert repr(str(folder / name)) in warning
    assert capfd.readouterr().err == ""


def test_an_image_that_was_deleted_counts_as_broken(folder, warnings):
    source = Images(str(folder))
    (folder / "1.png").unlink()
    assert [frame.index for frame in source] == list(range(1, 10))
    assert "No such file" in warnings()[0]


def test_only_broken_images_are_an_error(tmp_path):
    for name in ("1.jpg", "2.jpg"):
        (tmp_path / name).write_bytes(b"nothing")
    source = Images(str(tmp_path))
    with pytest.raises(SourceError, match=r"none of the 2 images of .* can be read"):
        list(source)


# Bad input


def test_a_path_without_images_is_rejected(tmp_path):
    (tmp_path / "notes.txt").write_text("no image")
    for path in (tmp_path, tmp_path / "notes.txt", tmp_path / "*.jpg", tmp_path / "none"):
        with pytest.raises(SourceError) as caught:
            Images(str(path))
        assert repr(str(path)) in str(caught.value)
        assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "options", [{"path": " "}, {"rate": 0}, {"rate": -1}, {"rate": float("inf")}, {"stream": ""}]
)
def test_bad_options_are_rejected(folder, options):
    ((option, value),) = options.items()
    with pytest.raises(ConfigError, match=rf"^source\.{option}[=:].*{re.escape(repr(value))}"):
        build("source", {"name": "images", "path": str(folder), **options})


def test_closing_ends_the_iteration(folder):
    source = Images(str(folder))
    frames = iter(source)
    next(frames)
    source.close()
    source.close()
    assert list(frames) == []
    assert list(source) == []


def test_a_second_iteration_continues_where_the_first_stopped(folder):
    source = Images(str(folder))
    assert next(iter(source)).index == 0
    assert [frame.index for frame in source] == list(range(1, 10))


# MOTChallenge


@pytest.fixture
def sequence(tmp_path):
    """A MOTChallenge sequence of three images at 14 frames/s."""
    root = tmp_path / "TOWN-01"
    for number in (1, 2, 3):
        write(root / "img1" / f"{number:06}.jpg", number * 10)
    info = "[Sequence]\nname=TOWN-01-DET\nimDir=img1\nframeRate=14\nseqLength=3\nimExt=.jpg\n"
    (root / "seqinfo.ini").write_text(info)
    return root


@pytest.mark.parametrize("inside", [".", "img1"])
def test_name_and_rate_of_a_sequence_are_read(sequence, inside):
    source = Images(str(sequence / inside))
    assert (source.frames, source.stream, source.rate) == (3, "TOWN-01-DET", 14.0)
    assert [frame.time for frame in source] == pytest.approx([0, 1 / 14, 2 / 14])


def test_name_and_rate_of_a_sequence_can_be_overridden(sequence):
    source = Images(str(sequence), rate=7, stream="town")
    assert (source.stream, source.rate) == ("town", 7)


def test_a_sequence_does_not_need_a_seqinfo(sequence):
    (sequence / "seqinfo.ini").unlink()
    source = Images(str(sequence))
    assert (source.frames, source.stream, source.rate) == (3, "TOWN-01", 25.0)


def test_missing_images_of_a_sequence_leave_gaps(sequence, warnings):
    write(sequence / "img1/000007.jpg")
    frames = list(Images(str(sequence)))
    assert [frame.index for frame in frames] == [0, 1, 2, 6]
    assert frames[-1].time == pytest.approx(6 / 14)
    (warning,) = warnings()
    assert "3 images are missing" in warning


def test_a_sequence_without_numbers_is_indexed_in_order(sequence):
    write(sequence / "img1/cover.jpg")
    assert [frame.index for frame in Images(str(sequence))] == [0, 1, 2, 3]


def test_a_sequence_without_its_images_is_rejected(sequence):
    shutil.rmtree(sequence / "img1")
    with pytest.raises(SourceError, match="has no images in 'img1'"):
        Images(str(sequence))


@pytest.mark.parametrize("info", ["no section", "[Sequence]\na=1\na=2\n", b"[Sequence]\nname=\xff"])
def test_a_seqinfo_that_cannot_be_read_is_named(sequence, info):
    (sequence / "seqinfo.ini").write_bytes(info if isinstance(info, bytes) else info.encode())
    with pytest.raises(SourceError, match=r"seqinfo\.ini") as caught:
        Images(str(sequence))
    assert "\n" not in str(caught.value)


# Real images


def test_a_real_sequence(data):
    frames = list(Images(str(data / "mot15/frames/TUD-Campus")))
    assert [frame.index for frame in frames] == list(range(71))
    assert {(frame.width, frame.height) for frame in frames} == {(640, 480)}
    assert [frames[0].filename, frames[-1].filename] == ["000001.jpg", "000071.jpg"]


def test_real_photos(data, warnings):
    source = Images(str(data / "facemask/images"))
    assert source.frames == 700
    for n, frame in enumerate(source):
        assert frame.index == n
        assert frame.rgb().shape == (frame.height, frame.width, 3)
        if n == 150:
            break
    assert not warnings()


def test_a_file_of_several_images_is_reported_once(tmp_path, warnings):
    pages = [np.full((4, 6, 3), n * 50, np.uint8) for n in range(3)]
    for name in ("a.tif", "b.tif"):
        assert cv2.imwritemulti(str(tmp_path / name), pages)
    frames = list(Images(str(tmp_path)))
    assert [f.rgb().max() for f in frames] == [0, 0]
    (warning,) = warnings()
    assert "a.tif' contains 3 images: of such files only the first is read" in warning


READ = """
import sys
from vidan_plugins.sources.images.source import read_image
try:
    read_image(sys.stdin.buffer.read())
except ValueError as error:
    print(error)
"""


def test_an_image_with_too_many_pixels_is_rejected_before_it_is_decoded():
    """OpenCV reads the limit when it is loaded, hence the process of its own."""
    data = palette_png()
    size = struct.pack(">II", 30_000, 30_000)  # 5 GB
    header = b"IHDR" + size + data[24:29]
    large = data[:12] + header + struct.pack(">I", zlib.crc32(header)) + data[33:]
    done = subprocess.run(
        [sys.executable, "-c", READ], input=large, capture_output=True, check=True
    )
    assert done.stdout.decode().strip() == (
        "it has too many pixels: set OPENCV_IO_MAX_IMAGE_PIXELS to allow more"
    )
