"""A tiny drawn data set in Pascal VOC format: discs and squares on noise."""

from pathlib import Path

import cv2
import numpy as np
import pytest

LABELS = ("disc", "square")
XML = """<annotation><filename>{name}</filename>
<size><width>{width}</width><height>{height}</height><depth>3</depth></size>{objects}</annotation>"""
OBJECT = """<object><name>{label}</name><bndbox><xmin>{0}</xmin><ymin>{1}</ymin>
<xmax>{2}</xmax><ymax>{3}</ymax></bndbox></object>"""

SMALL = [
    "model=lite0",
    "weights=null",
    "size=[128,128]",
    "crop=128",
    "batch=2",
    "validation=0.25",
    "evaluate_every=1",
    "anchors.octaves=1",
    "anchors.ratios=[1]",
    "optimizer.ema=0.5",
    "frozen_norm_stages=0",
    "frozen_stages=0",
]
"""Recipe options for training on these images in seconds."""


def draw(folder: Path, images: int, width: int = 120, height: int = 100) -> Path:
    """Draw images with a disc on the left and a square on the right of each; return the folder."""
    rng = np.random.default_rng(0)
    (folder / "images").mkdir(parents=True)
    (folder / "annotations").mkdir()
    for n in range(images):
        image = rng.integers(90, 110, (height, width, 3)).astype(np.uint8)
        x, y, side = int(rng.integers(5, 20)), int(rng.integers(5, 50)), int(rng.integers(24, 36))
        disc, square = (x, y, x + side, y + side), (x + 55, y, x + 55 + side, y + side)
        cv2.circle(image, (x + side // 2, y + side // 2), side // 2, (250, 40, 40), -1)
        cv2.rectangle(image, square[:2], square[2:], (40, 40, 250), -1)
        objects = OBJECT.format(*disc, label="disc") + OBJECT.format(*square, label="square")
        name = f"image{n}.png"
        cv2.imwrite(str(folder / "images" / name), image)
        (folder / "annotations" / f"image{n}.xml").write_text(
            XML.format(name=name, width=width, height=height, objects=objects)
        )
    items = "".join(f"item {{ id: {i} name: '{n}' }}\n" for i, n in enumerate(LABELS, start=1))
    (folder / "label_map.pbtxt").write_text(items)
    return folder


TOLERANCE = 1e-3  # px: VOC and COCO keep four digits, records float32 shares of the image


def check_same(a, b):
    """Assert that two data sets are equal up to TOLERANCE."""
    assert a.labels == b.labels
    assert [p.name for p in a.images] == [p.name for p in b.images]
    for one, other in zip(a.images, b.images, strict=True):
        assert one.labels == other.labels
        assert one.size == other.size
        assert one.boxes == pytest.approx(other.boxes, abs=TOLERANCE)
        assert one.file.read() == other.file.read()
