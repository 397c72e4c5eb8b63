"""The configuration files and the constructors have the same options and defaults."""

import inspect
from pathlib import Path

import pytest
from omegaconf import OmegaConf

from vidan_plugins.trackers.bytetrack import ByteTrack
from vidan_plugins.trackers.deepsort import DeepSort
from vidan_plugins.trackers.none import NoTracker
from vidan_plugins.trackers.sort import Sort
from vidan_plugins.trackers.steady import Steady

CONF = Path(__file__).parents[3] / "conf" / "tracker"


@pytest.mark.parametrize(
    ("name", "tracker"),
    [
        ("sort", Sort),
        ("bytetrack", ByteTrack),
        ("deepsort", DeepSort),
        ("steady", Steady),
        ("none", NoTracker),
    ],
)
def test_defaults(name, tracker):
    values = OmegaConf.to_container(OmegaConf.load(CONF / f"{name}.yaml"), resolve=True)
    assert values.pop("name") == name
    signature = inspect.signature(tracker)
    assert values == {k: p.default for k, p in signature.parameters.items()}
    assert list(values) == list(signature.parameters)
