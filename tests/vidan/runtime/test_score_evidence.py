"""The scale is estimated on streams whose right scores are known."""

import time

import numpy as np
import pytest

from vidan import Detections
from vidan.runtime.score_evidence import PRIOR_SCALE, ScoreEvidence


def stream(level, lowest=0.05, updates=60, seed=0):
    """Detections of objects with scores above a level, and of background with lower ones.

    Objects are found again with similar scores; background comes and goes.
    """
    rng = np.random.default_rng(seed)
    objects = rng.uniform(level, min(level + 0.4, 0.95), 12)
    background = rng.uniform(0.02, level / 1.6, 40)
    left = np.concatenate([np.arange(12) * 50, np.arange(40) * 50])
    top = np.concatenate([np.zeros(12), np.full(40, 200)])
    boxes = np.stack([left, top, left + 20, top + 60], axis=1)
    for _ in range(updates):
        steady = objects * rng.uniform(0.95, 1.05, len(objects))
        flicker = background * rng.uniform(0.4, 1.6, len(background))
        scores = np.clip(np.concatenate([steady, flicker]), 0, 1)
        seen = scores >= lowest
        classes = np.zeros(int(seen.sum()), np.int32)
        yield Detections(boxes[seen].astype(np.float32), scores[seen].astype(np.float32), classes)


def level_after(updates):
    evidence = ScoreEvidence()
    for each in updates:
        evidence.add(each)
    return evidence.scale.level


@pytest.mark.parametrize("lowest", [0.05, 0.2])
@pytest.mark.parametrize("level", [0.3, 0.45, 0.6, 0.7])
def test_the_level_is_where_detections_stop_to_flicker(level, lowest):
    assert level_after(stream(level, lowest)) == pytest.approx(level, abs=0.13)
    assert level_after(stream(level, lowest, updates=15)) == pytest.approx(level, abs=0.16)


def test_levels_of_models_are_told_apart():
    levels = [level_after(stream(level)) for level in (0.3, 0.5, 0.7)]
    assert levels[1] - levels[0] > 0.1
    assert levels[2] - levels[1] > 0.1


@pytest.mark.parametrize("updates", [[], [Detections.empty()] * 50])
def test_without_evidence_scores_stay_about_as_they_are(updates):
    assert level_after(updates) == PRIOR_SCALE.level == pytest.approx(0.5, abs=0.05)


def test_unrelated_images_show_nothing():
    rng = np.random.default_rng(0)

    def image():
        corner = rng.uniform(0, 2000, (8, 2))
        boxes = np.concatenate([corner, corner + 20], axis=1).astype(np.float32)
        return Detections(boxes, rng.uniform(0.3, 1, 8).astype(np.float32), np.zeros(8, np.int32))

    assert level_after(image() for _ in range(300)) == PRIOR_SCALE.level


def test_it_follows_a_scene_and_takes_little_time_with_a_thousand_boxes():
    boxes = np.tile(np.float32([0, 0, 20, 60]), (1000, 1))
    boxes += np.float32([50, 70, 50, 70]) * (np.arange(1000)[:, None] % 37)
    scores = np.linspace(0.05, 0.95, 1000, dtype=np.float32)
    evidence, seen = ScoreEvidence(), Detections(boxes, scores, np.zeros(1000, np.int32))
    started = time.process_time()
    for _ in range(100):
        evidence.add(seen)
    assert (time.process_time() - started) / 100 < 0.05
