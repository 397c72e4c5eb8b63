"""What is put around a detector passes on everything that is optional."""

import pytest

from vidan.execution.assemble import KeptDetector
from vidan.execution.replay import ReplayDetector
from vidan.interfaces import own_labels
from vidan.runtime.common_scores import scale_of
from vidan.support.score_scale import ScoreScale
from vidan.tracing.trace import Trace
from vidan.tracing.wrap import TracedDetector

from ..fakes import FakeDetector, frame


class Renamed(FakeDetector):
    """Has everything that is optional."""

    labels = ("vehicle",)
    own_labels = (("car", "bus"),)
    batch = 4
    score_scale = ScoreScale(0.3, 2.5)


LAYERS = {
    "kept": lambda detector, _: KeptDetector(detector),
    "replay": lambda detector, folder: ReplayDetector(detector, folder / "d.bin", resumed=False),
    "traced": lambda detector, _: TracedDetector(detector, Trace()),
}


@pytest.mark.parametrize("layer", LAYERS)
def test_a_layer_passes_on_what_is_optional(layer, tmp_path):
    made = LAYERS[layer](Renamed(), tmp_path)
    assert made.labels == Renamed.labels
    assert own_labels(made) == Renamed.own_labels
    assert made.batch == Renamed.batch
    assert scale_of(made) == Renamed.score_scale
    made.close()


@pytest.mark.parametrize("layer", LAYERS)
def test_a_layer_around_a_plain_detector_has_the_defaults(layer, tmp_path):
    plain = FakeDetector()
    made = LAYERS[layer](plain, tmp_path)
    assert own_labels(made) == tuple((label,) for label in plain.labels)
    assert (made.batch, scale_of(made)) == (1, None)
    assert len(made.detect([frame()])) == 1
    made.close()
