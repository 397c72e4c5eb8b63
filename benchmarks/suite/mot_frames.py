"""MOT16-09 as labeled images: `python -m benchmarks.suite.mot_frames <folder>`.

Writes every 15th frame of the video, with the people of its ground truth, as a COCO data set for
`vidan eval detection data=<folder>`. People of whom less than a quarter is visible are crowds:
neither right nor wrong to find.
"""

from __future__ import annotations

import argparse
import itertools
import sys
import tempfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import cv2
import numpy as np

from vidan import boxes
from vidan.cli.terminal import console
from vidan.support.program import run_program
from vidan.types import Frame
from vidan_plugins.formats.mot import BOX, FRAME, VISIBILITY, Array, read_people
from vidan_plugins.sources.ffmpeg.file import VideoFile
from vidan_training.data import formats
from vidan_training.data.image_files import ImageFile

from ..inputs import real_video

LABEL = "person"
EVERY = 15
MIN_VISIBILITY = 0.25
TRUTH = "mot16/MOT16-09/gt/gt.txt"
"""Relative to the folder in VIDAN_DATA."""


def annotated(frame: Frame, people: Array, folder: Path) -> formats.AnnotatedImage:
    """A frame, saved in a folder, with the boxes of the people in it."""
    name = f"{frame.index + 1:06d}.png"
    cv2.imwrite(str(folder / name), cv2.cvtColor(frame.rgb(), cv2.COLOR_RGB2BGR))
    rows = people[people[:, FRAME] == frame.index + 1]
    # MOTChallenge counts pixels from 1, and boxes may reach beyond the image.
    corners = boxes.xywh_to_xyxy(rows[:, BOX]) - 1
    corners = boxes.clip(corners, frame.width, frame.height)
    inside = boxes.area(corners) > 0
    rows, corners = rows[inside], corners[inside]
    return formats.AnnotatedImage(
        ImageFile(folder / name),
        name,
        (frame.width, frame.height),
        corners,
        (LABEL,) * len(rows),
        rows[:, VISIBILITY] < MIN_VISIBILITY,
        np.zeros(len(rows), bool),
        np.ones(len(rows)),
    )


def images(video: Path, truth: Path, folder: Path) -> Iterator[formats.AnnotatedImage]:
    """Every 15th frame of a video, with its boxes."""
    people = read_people(truth)
    with closing(VideoFile(str(video))) as source:
        for frame in itertools.islice(source, 0, None, EVERY):
            yield annotated(frame, people, folder)


def main() -> int:
    """Write the data set."""
    parser = argparse.ArgumentParser("python -m benchmarks.suite.mot_frames")
    parser.add_argument("folder", type=Path, help="a new folder")
    to: Path = parser.parse_args().folder
    formats.check_new(to)
    video = real_video()
    if video is None:
        sys.stderr.write("set VIDAN_DATA to the folder with video/MOT16-09.mp4 and mot16/\n")
        return 1
    with tempfile.TemporaryDirectory() as folder:
        found = list(images(video, video.parents[1] / TRUTH, Path(folder)))
        formats.write(formats.Dataset((LABEL,), found), to, "coco")
    people = sum(int((~image.crowd).sum()) for image in found)
    console().print(f"{to}: {len(found)} images, {people} people")
    return 0


if __name__ == "__main__":
    run_program("python -m benchmarks.suite.mot_frames", main)
