import dataclasses
from pathlib import Path

import pytest

from vidan import ConfigError
from vidan.config.compose import compose
from vidan.execution.settings import RunSettings
from vidan.runtime.motion import MotionSettings

BASE = ["source=synthetic", "detector=mot", "detector.path=det.txt", "tracker=sort", "run_dir=out"]


def settings(*overrides):
    return RunSettings.from_config(compose([*BASE, *overrides]))


def test_settings_of_a_configuration():
    found = settings("sink=[jsonl,mot]", "pipeline.workers=3", "max_frames=7")
    assert found.run_dir == Path("out")
    assert found.pipeline.workers == 3
    assert found.max_frames == 7
    assert found.components["tracker"]["name"] == "sort"
    assert found.components["sink"]["mot"]["path"] == "out/tracks.txt"


@pytest.mark.parametrize("detector", ["mot", "onnx", "people", "savedmodel"])
def test_frames_are_selected_by_motion_with_every_detector(detector):
    overrides = [o for o in BASE if not o.startswith("detector")] + [f"detector={detector}"]
    overrides += ["detector.model=model"] if detector == "savedmodel" else []
    found = RunSettings.from_config(compose(overrides))
    assert found.motion is None
    assert not {"when", "motion"} & found.components["detector"].keys()
    overrides += ["detector.when=motion", "detector.motion.hold=2"]
    found = RunSettings.from_config(compose(overrides))
    assert found.motion == MotionSettings(hold=2, ignore=[])
    assert not {"when", "motion"} & found.components["detector"].keys()


def test_settings_of_an_earlier_version_detect_always():
    config = compose(BASE)
    del config.detector.when, config.detector.motion
    assert RunSettings.from_config(config).motion is None


def test_settings_cannot_be_changed():
    found = settings()
    with pytest.raises(dataclasses.FrozenInstanceError):
        found.max_frames = 3
    with pytest.raises(dataclasses.FrozenInstanceError):
        found.pipeline.workers = 3


def test_a_run_needs_no_sink():
    assert "sink" not in settings("sink=[]").components


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        (["max_frames=0"], "max_frames: expected `int` >= 1, not 0"),
        (["max_frames=many"], "max_frames: expected `int | null`, got `str`, not 'many'"),
        (["trace=5"], "trace: expected `bool`, got `int`, not 5"),
        (["on_sink_error=stpo"], "on_sink_error='stpo': did you mean 'stop'"),
        (["pipeline.workers=0"], "pipeline.workers: expected `int` >= 1, not 0"),
        (["pipeline.age_limit=0.5"], "pipeline.age_limit: expected `float` >= 1"),
        (["pipeline.age_limit=inf"], "pipeline.age_limit=inf: expected a finite number"),
        (["pipeline.reset_after=-1"], "pipeline.reset_after: expected `float` >= 0"),
        (["~pipeline.buffer"], "missing pipeline.buffer: set pipeline.buffer=<value>"),
        (["detector.when=moving"], "detector.when='moving': did you mean 'motion'"),
        (["detector.motion.hold=-1"], "detector.motion.hold: expected `float` >= 0"),
        (["detector.motion.ignore=[[0,0,5,1]]"], "detector.motion.ignore: expected `float` <= 1"),
        (["detector.motion.ignore=[[0,0,0,1]]"], "detector.motion.ignore: .*no part of the image"),
        (["detector.motion=3"], "motion=3: expected a group of options"),
        (["+detector.motion.hld=3"], "unknown key 'detector.motion.hld': did you mean 'hold'"),
        (["~tracker"], "missing tracker: set tracker=<name>"),
        (["source=file"], "missing source.path: set source.path=<value>"),
        (["max_frames=${nowhere}"], "max_frames: .*nowhere"),
    ],
)
def test_errors_name_the_key_and_the_value(overrides, message):
    with pytest.raises(ConfigError, match=message):
        settings(*overrides)


@pytest.mark.parametrize("group", ["tracker", "sink", "pipeline"])
def test_a_group_that_is_a_number(group):
    config = compose(BASE)
    config[group] = 5
    with pytest.raises(ConfigError, match=f"{group}=5: expected a group of options"):
        RunSettings.from_config(config)
