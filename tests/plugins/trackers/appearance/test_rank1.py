"""How well the embedders separate people, on ground-truth crops of MOT16-09.

Rank-1: among images at least 40 frames away, does the nearest one show the same person? For
people at least half visible, every fifth frame. `pytest -s -n 0` prints the results.
"""

import av
import numpy as np
import pytest

from tests.real import DATA, needs_data
from vidan_plugins.trackers.appearance.embedders import HistogramEmbedder, crop, unit_vectors
from vidan_plugins.trackers.appearance.reid import ReidEmbedder

VIDEO = DATA / "video" / "MOT16-09.mp4"
FRAME_STEP, MIN_FRAMES_APART = 5, 40

pytestmark = needs_data


@pytest.fixture(scope="module")
def people():
    """Crops, and the frame and person of each: (N,2)."""
    truth = np.loadtxt(DATA / "mot16" / "MOT16-09" / "gt" / "gt.txt", delimiter=",")
    truth = truth[(truth[:, 6] == 1) & (truth[:, 7] == 1) & (truth[:, 8] >= 0.5)]
    crops, labels = [], []
    with av.open(str(VIDEO)) as container:
        container.streams.video[0].thread_type = "AUTO"
        for k, image in enumerate(container.decode(video=0)):
            rows = truth[truth[:, 0] == k + 1]  # frame k of the video is frame k + 1 there
            if k % FRAME_STEP or len(rows) == 0:
                continue
            boxes = np.column_stack([rows[:, 2:4], rows[:, 2:4] + rows[:, 4:6]])
            crops += [c.copy() for c in crop(image.to_ndarray(format="rgb24"), boxes)]
            labels += [(k, int(person)) for person in rows[:, 1]]
    return crops, np.array(labels)


def rank1(embedder, people):
    crops, labels = people
    vectors = np.concatenate([embedder.embed(crops[i : i + 32]) for i in range(0, len(crops), 32)])
    similarity = unit_vectors(vectors) @ unit_vectors(vectors).T
    frame, person = labels.T
    far = np.abs(frame[:, None] - frame) >= MIN_FRAMES_APART
    same = person[:, None] == person
    asked = (same & far).any(axis=1)
    nearest = np.where(far, similarity, -2).argmax(axis=1)
    score = float(same[np.arange(len(crops)), nearest][asked].mean())
    print(f"{type(embedder).__name__}: rank-1 {score:.3f} of {asked.sum()} crops")
    return score


def test_histogram(people):
    assert rank1(HistogramEmbedder(), people) > 0.87


@pytest.mark.parametrize(
    ("model", "least"),
    [
        pytest.param("reid/osnet_x0_25_msmt17.onnx", 0.96, marks=pytest.mark.slow),
        ("models/omz_reid_0287/person-reidentification-retail-0287.fp16.xml", 0.97),
        ("models/omz_reid_0288/person-reidentification-retail-0288.fp16.xml", 0.96),
    ],
)
def test_network(people, model, least):
    if model.endswith(".xml"):
        pytest.importorskip("openvino")
    assert rank1(ReidEmbedder(DATA / model), people) > least
