"""Frames with the people of a ground truth."""

import numpy as np

from benchmarks.suite.mot_frames import annotated
from vidan.frames import ArrayFrame


def test_boxes_of_a_frame_are_people_inside_the_image(tmp_path):
    frame = ArrayFrame(np.zeros((40, 60, 3), np.uint8), index=2)
    # frame, id, left, top, width, height, flag, class, visibility, -1
    people = np.array([
        [3, 1, 11, 6, 10, 30, 1, 1, 1.0, -1],
        [3, 2, 51, 21, 20, 30, 1, 1, 0.2, -1],  # beyond the right and lower edge
        [3, 3, 70, 21, 20, 30, 1, 1, 1.0, -1],  # outside
        [4, 1, 12, 6, 10, 30, 1, 1, 1.0, -1],
    ])  # fmt: skip
    image = annotated(frame, people, tmp_path)
    assert image.name == "000003.png"
    assert image.boxes.tolist() == [[10, 5, 20, 35], [50, 20, 60, 40]]
    assert image.crowd.tolist() == [False, True]
    assert image.file.decode().shape == (40, 60, 3)
