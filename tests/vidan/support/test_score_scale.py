import numpy as np
import pytest

from vidan.errors import ConfigError
from vidan.support.score_scale import COMMON, ScoreScale

SCORES = np.float32([0.0, 0.05, 0.3, 0.39, 0.7, 1.0])


def test_the_level_is_one_half_and_the_order_stays():
    common = ScoreScale(0.39, 2.5).to_common(SCORES)
    assert common.dtype == np.float32
    assert common[3] == pytest.approx(0.5)
    assert (np.diff(common) > 0).all()
    # log odds of 0.7 and 0.39: 0.847 and -0.447
    assert common[4] == pytest.approx(1 / (1 + np.exp(-2.5 * (0.847 + 0.447))), abs=1e-3)


@pytest.mark.parametrize("scale", [ScoreScale(0.39, 2.5), ScoreScale(0.8, 0.5)])
def test_the_way_back(scale):
    assert scale.to_model(scale.to_common(SCORES)) == pytest.approx(SCORES, abs=0.01)


def test_common_scores_stay_the_very_same():
    assert COMMON.to_common(SCORES) is SCORES
    assert COMMON.to_model(SCORES) is SCORES


@pytest.mark.parametrize("values", [[], [0.4], [0.0, 1.0], [0.4, 0.0], [0.4, -1.0], [0.4, 1, 2]])
def test_other_values_are_rejected(values):
    with pytest.raises(ConfigError, match=r"score_scale=.*expected the level, 0.01 to 0.99, and"):
        ScoreScale.of(values)
