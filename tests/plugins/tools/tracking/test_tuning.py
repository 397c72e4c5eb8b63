"""`vidan tune tracking`: held-out scenes do not influence the choice."""

import json
import sys

import pytest

from vidan.errors import ConfigError, PluginError
from vidan_plugins.tools.tracking.commands import tune
from vidan_plugins.tools.tracking.search_space import distributions

from . import mot_files


def run(tmp_path, *overrides):
    arguments = [f"data={tmp_path / 'data'}", "tracker=sort", f"run_dir={tmp_path / 'run'}"]
    assert tune([*arguments, *overrides]) == 0
    return json.loads((tmp_path / "run" / "tuning.json").read_text())


@pytest.fixture
def gaps(here):
    """Three scenes whose detections are missing for five frames: SORT needs max_age >= 5."""
    for name in ("A", "B", "C"):
        mot_files.sequence(here / "data", name, frames=30, missing=range(15, 20))
    return here


def test_each_scene_is_held_out_in_turn(gaps, capsys):
    found = run(gaps, "search={max_age:[1,5,9]}", "trials=6")
    assert [choice["held_out"] for choice in found["choices"]] == [["A"], ["B"], ["C"]]
    for choice in found["choices"]:
        assert choice["options"]["max_age"] >= 5
        assert choice["test"]["IDF1"] > choice["configured"]["IDF1"]
    assert found["held_out"]["IDSW"] == 0
    assert found["configured"]["IDSW"] == 6  # two people in three scenes
    assert len(found["trials"]) == 7  # one is the tracker as configured
    assert "without A: {'max_age': " in capsys.readouterr().out


def test_named_scenes_are_held_out_together(gaps):
    found = run(gaps, "search={max_age:[1,9]}", "trials=4", "test=[B,C]", "objective=IDSW")
    (choice,) = found["choices"]
    assert choice["held_out"] == ["B", "C"]
    assert choice["training"]["IDSW"] == 0


def test_detectors_of_a_scene_stay_together(here):
    for name in ("MOT17-02-DPM", "MOT17-02-SDP", "MOT17-05-DPM"):
        mot_files.sequence(here / "data", name)
    found = run(here, "search={max_age:[1,3]}", "trials=1")
    assert [choice["held_out"] for choice in found["choices"]] == [["MOT17-02"], ["MOT17-05"]]


def test_the_same_seed_repeats_the_trials(gaps):
    first, second, other = (
        run(gaps, "search={iou_threshold:[0.1,0.5]}", "trials=2", "sequences=[A,B]", f"seed={seed}")
        for seed in (3, 3, 4)
    )
    assert first["trials"] == second["trials"] != other["trials"]


def test_ranges_and_lists():
    found = distributions({"a": [1, 60], "b": [0.1, 1], "c": [1, 2, 3], "d": [True, False]})
    kinds = {key: type(value).__name__.removesuffix("Distribution") for key, value in found.items()}
    assert kinds == {"a": "Int", "b": "Float", "c": "Categorical", "d": "Categorical"}


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        ([], "search is missing"),
        (["search={max_age:5}"], "search.max_age=5: expected"),
        (["search={max_age:[5,1]}"], "expected the lower number first"),
        (["search={max_ag:[1,5]}"], "has no key 'max_ag': did you mean 'max_age'"),
        (["search={max_age:[1,5]}", "trials=0"], "trials=0: expected a whole number"),
        (["search={max_age:[1,5]}", "objective=HOT"], "objective='HOT': did you mean 'HOTA'"),
        (["search={max_age:[1,5]}", "test=[A,B,C]"], "test holds out every scene"),
        (["search={max_age:[1,5]}", "sequences=A"], "at least two scenes"),
    ],
)
def test_invalid_options(gaps, overrides, message):
    with pytest.raises(ConfigError, match=message):
        run(gaps, *overrides)


def test_a_missing_extra(gaps, monkeypatch):
    monkeypatch.setitem(sys.modules, "optuna", None)
    with pytest.raises(PluginError, match=r"optuna is not installed: pip install 'vidan\[tune"):
        run(gaps, "search={max_age:[1,5]}")
