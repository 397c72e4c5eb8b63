"""How well the shipped detector's features distinguish people; test_rank1 covers embedders.

The network processes whole frames; its feature map is sampled at the true boxes. `pytest -s -n 0`
prints the result.
"""

import numpy as np
import pytest

from tests.real import DATA, needs_data

pytest.importorskip("tensorflow", reason="needs the extra: pip install vidan[tf]")
pytestmark = [needs_data, pytest.mark.slow]

FRAME_STEP, MIN_FRAME_DISTANCE = 5, 40


def people():
    """Index, image, boxes and ids of every fifth frame, for people at least half visible."""
    av = pytest.importorskip("av")
    truth = np.loadtxt(DATA / "mot16" / "MOT16-09" / "gt" / "gt.txt", delimiter=",")
    truth = truth[(truth[:, 6] == 1) & (truth[:, 7] == 1) & (truth[:, 8] >= 0.5)]
    with av.open(str(DATA / "video" / "MOT16-09.mp4")) as container:
        for k, decoded in enumerate(container.decode(video=0)):
            rows = truth[truth[:, 0] == k + 1]
            if k % FRAME_STEP == 0 and len(rows):
                boxes = np.column_stack([rows[:, 2:4], rows[:, 2:4] + rows[:, 4:6]])
                yield k, decoded.to_ndarray(format="rgb24"), boxes, rows[:, 1].astype(int)


def test_rank1():
    import tensorflow as tf

    from vidan_training.data.augment import letterbox
    from vidan_training.export import command
    from vidan_training.export.serving import FEATURE_STRIDE, servable
    from vidan_training.model.box_features import pool_box_features
    from vidan_training.weights.npz import read_spec, shipped_weights

    spec = read_spec(shipped_weights())
    network = servable(command.load_model(spec, shipped_weights()), features=True)
    feature_map = tf.function(lambda images: network(images, training=False)["map"])
    vectors, who = [], []
    for k, image, boxes, ids in people():
        image, scale = letterbox(image, *spec.input_size)
        seen = pool_box_features(
            feature_map(image[None]),
            tf.constant(boxes[None] * (scale * 2), tf.float32),
            FEATURE_STRIDE,
        )
        vectors.append(np.asarray(seen)[0])
        who += [(k, person) for person in ids]
    frame, person = np.array(who).T
    vectors = np.concatenate(vectors)
    far = np.abs(frame[:, None] - frame) >= MIN_FRAME_DISTANCE
    same = person[:, None] == person
    asked = (same & far).any(axis=1)
    nearest = np.where(far, vectors @ vectors.T, -2).argmax(axis=1)
    score = float(same[np.arange(len(who)), nearest][asked].mean())
    print(f"features: rank-1 {score:.3f} of {asked.sum()} crops")
    assert score > 0.5  # chance level: about 0.08
