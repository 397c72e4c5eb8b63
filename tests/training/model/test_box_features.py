"""How well features of the detector that ships tell people apart: see test_rank1 for the rest.

The network sees whole frames; its map is read at the true boxes. `pytest -s -n 0` prints it.
"""

import numpy as np
import pytest

from tests.real import DATA, needs_data

pytest.importorskip("tensorflow", reason="needs the extra: pip install vidan[tf]")
pytestmark = [needs_data, pytest.mark.slow]

EVERY, APART = 5, 40


def people():
    """Of every fifth frame: its index, the image, boxes and ids of people half visible."""
    av = pytest.importorskip("av")
    truth = np.loadtxt(DATA / "mot16" / "MOT16-09" / "gt" / "gt.txt", delimiter=",")
    truth = truth[(truth[:, 6] == 1) & (truth[:, 7] == 1) & (truth[:, 8] >= 0.5)]
    with av.open(str(DATA / "video" / "MOT16-09.mp4")) as container:
        for k, picture in enumerate(container.decode(video=0)):
            rows = truth[truth[:, 0] == k + 1]
            if k % EVERY == 0 and len(rows):
                boxes = np.column_stack([rows[:, 2:4], rows[:, 2:4] + rows[:, 4:6]])
                yield k, picture.to_ndarray(format="rgb24"), boxes, rows[:, 1].astype(int)


def test_rank1():
    import tensorflow as tf

    from vidan_training.data.augment import letterbox
    from vidan_training.export import command as export
    from vidan_training.export.serving import STRIDE, servable
    from vidan_training.model.box_features import pool
    from vidan_training.model.spec import Spec
    from vidan_training.weights.npz import read_note, shipped

    spec = Spec.parse(read_note(shipped()), "shipped")
    network = servable(export.build(spec, shipped()), features=True)
    look = tf.function(lambda images: network(images, training=False)["map"])
    vectors, who = [], []
    for k, picture, boxes, ids in people():
        image, scale = letterbox(picture, *spec.size)
        seen = pool(look(image[None]), tf.constant(boxes[None] * (scale * 2), tf.float32), STRIDE)
        vectors.append(np.asarray(seen)[0])
        who += [(k, person) for person in ids]
    frame, person = np.array(who).T
    vectors = np.concatenate(vectors)
    far = np.abs(frame[:, None] - frame) >= APART
    same = person[:, None] == person
    asked = (same & far).any(axis=1)
    nearest = np.where(far, vectors @ vectors.T, -2).argmax(axis=1)
    score = float(same[np.arange(len(who)), nearest][asked].mean())
    print(f"features: rank-1 {score:.3f} of {asked.sum()} crops")
    assert score > 0.5  # guessing: about 0.08
