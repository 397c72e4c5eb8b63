import numpy as np
import pytest

from vidan_training.evaluation.calibration import fit_score_scale
from vidan_training.evaluation.ranking import RankedDetections


def ranking(scores, right):
    order = np.argsort(-scores)
    none = np.zeros(len(scores), np.int32)
    return RankedDetections(scores[order].astype(np.float32), none, right[order], np.array([9]))


@pytest.mark.parametrize(("level", "slope"), [(0.3, 2.5), (0.5, 1.3), (0.7, 4.0)])
def test_the_scale_is_that_of_the_probability_of_being_right(level, slope):
    rng = np.random.default_rng(0)
    scores = rng.uniform(0.06, 0.99, 20_000)
    odds = 2 * ((scores / (1 - scores)) / (level / (1 - level))) ** slope  # two of three at level
    scale = fit_score_scale(ranking(scores, rng.random(len(scores)) < odds / (1 + odds)))
    assert (scale.level, scale.slope) == (pytest.approx(level, abs=0.02), pytest.approx(slope, 0.1))


def test_detections_below_its_lowest_score_do_not_count():
    rng = np.random.default_rng(0)
    scores = rng.uniform(0.06, 0.99, 2000)
    right = rng.random(2000) < scores
    more = np.concatenate([scores, np.full(2000, 0.02)])
    wrong = np.concatenate([right, np.zeros(2000, bool)])
    assert fit_score_scale(ranking(scores, right)) == fit_score_scale(ranking(more, wrong))


@pytest.mark.parametrize("right", [[True] * 20, [True] * 500, [False] * 500])
def test_too_few_detections_have_no_scale(right):
    right = np.array(right)
    assert fit_score_scale(ranking(np.linspace(0.1, 0.9, len(right)), right)) is None


def test_misleading_scores_have_no_scale():
    rng = np.random.default_rng(0)
    scores = rng.uniform(0.1, 0.9, 500)
    wronger = rng.random(500) > scores  # the higher they are
    assert fit_score_scale(ranking(scores, wronger)) is None
