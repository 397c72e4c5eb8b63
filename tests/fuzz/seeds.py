"""Small valid files of each kind, to be damaged."""

from __future__ import annotations

import io
import subprocess
import sys

import cv2
import numpy as np
from PIL import Image

from tests.clips import numbered_image, write_clip
from tests.plugins.detectors.models import LABELS, toy_onnx
from vidan_training.data.formats import example
from vidan_training.data.formats.records import write_record

LABEL_MAP = """\
# labels
item { id: 1 name: "red" display_name: "a \\"red\\" thing" }
item { id: 3 name: 'green' }
item: < id: 2, name: "blue\\x21" >
"""

YOLO = """\
path: .
train: images/train
val: [images/val]
nc: 2
names:
  0: mask
  1: bare
"""


def seeds(folder, kind):
    """Names and contents of valid files of a kind, created in a folder next to a model."""
    folder.mkdir()
    toy_onnx(folder / "model.onnx")
    makers = {
        "video": lambda: _videos(folder),
        "playlist": _playlists,
        "image": _images,
        "onnx": lambda: [("model.onnx", (folder / "model.onnx").read_bytes())],
        "det": lambda: [("det.txt", _detections())],
        "labels": lambda: [
            ("labels.txt", "\n".join(LABELS).encode()),
            ("labels.pbtxt", LABEL_MAP.encode()),
        ],
        "tfrecord": lambda: [("train.tfrecord", _records())],
        "yolo": lambda: [("data.yaml", YOLO.encode())],
        "config": lambda: [("config.yaml", _configuration(folder))],
    }
    return list(makers[kind]())


def _videos(folder):
    for name, options in {
        "h264.mp4": {},
        "fragmented.mp4": {"container_options": {"movflags": "frag_keyframe+empty_moov"}},
        "h264.mkv": {},
        "h264.ts": {},
        "mjpeg.avi": {"codec": "mjpeg", "pix_fmt": "yuvj420p", "options": {"q": "5"}},
        "vp8.webm": {"codec": "libvpx", "options": {"deadline": "realtime"}},
    }.items():
        yield name, write_clip(folder / name, 12, **options).read_bytes()

    animation = cv2.Animation()
    animation.frames = [numbered_image(n) for n in range(3)]
    animation.durations = np.full(3, 40, np.int32)
    cv2.imwriteanimation(str(folder / "animated.webp"), animation)
    yield "animated.webp", (folder / "animated.webp").read_bytes()
    joined = [write_clip(folder / f"part{n}.ts", 12).read_bytes() for n in range(2)]
    yield "joined.ts", b"".join(joined)


def _playlists():
    entries = '#EXT-X-MAP:URI="../seeds/model.onnx"\n#EXTINF:0.5,\n../../secret.ts\n'
    yield "list.m3u8", f"#EXTM3U\n#EXT-X-TARGETDURATION:1\n{entries}#EXT-X-ENDLIST\n".encode()
    yield "list.ffconcat", b"ffconcat version 1.0\nfile ../secret.ts\nduration 0.5\n"
    yield "video.mp4", b"ffconcat version 1.0\nfile model.onnx\n"


def _images():
    rgb = numbered_image(3)
    for suffix in (".png", ".jpg", ".bmp", ".webp", ".tiff"):
        yield f"image{suffix}", cv2.imencode(suffix, rgb)[1].tobytes()
    file = io.BytesIO()
    exif = Image.Exif()
    exif[0x0112] = 6  # rotated
    Image.fromarray(rgb).save(file, "JPEG", exif=exif)
    yield "rotated.jpg", file.getvalue()


def _detections():
    rng = np.random.default_rng(0)
    rows = [
        f"{n // 2 + 1},-1,{rng.uniform(0, 50):.2f},{rng.uniform(0, 30):.2f},12.5,20,0.{n},-1,-1,-1"
        for n in range(40)
    ]
    return "\n".join(rows).encode()


def _records():
    file = io.BytesIO()
    for n in range(3):
        jpeg = cv2.imencode(".jpg", numbered_image(n))[1].tobytes()
        features = {
            "image/encoded": [jpeg],
            "image/format": [b"jpeg"],
            "image/filename": [f"{n}.jpg".encode()],
            "image/height": [48],
            "image/width": [64],
            "image/object/class/text": [b"mask", b"bare"],
            "image/object/class/label": [1, 2],
            "image/object/bbox/xmin": [0.1, 0.2],
            "image/object/bbox/xmax": [0.5, 0.6],
            "image/object/bbox/ymin": [0.1, 0.2],
            "image/object/bbox/ymax": [0.5, 0.6],
        }
        write_record(file, example.dump(features))
    return file.getvalue()


def _configuration(folder):
    """The configuration that Hydra saves with a run."""
    write_clip(folder / "clip.mp4", 3)
    (folder / "det.txt").write_text("1,-1,5,5,20,20,1,-1,-1,-1\n")
    command = ["source=file", f"source.path={folder}/clip.mp4", "detector=mot"]
    command += [f"detector.path={folder}/det.txt", "sink=[jsonl]", f"hydra.run.dir={folder}/out"]
    subprocess.run([sys.executable, "-m", "vidan", *command], check=True, capture_output=True)
    return (folder / "out/.hydra/config.yaml").read_bytes()
