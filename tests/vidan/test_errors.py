import pytest

import vidan
from vidan.errors import VidanError, did_you_mean


def test_exit_codes():
    known = (VidanError, *VidanError.__subclasses__())
    codes = {e.__name__: e.exit_code for e in known if e.__module__ == VidanError.__module__}
    assert codes == {
        "VidanError": 1,
        "ConfigError": 2,
        "PluginError": 3,
        "SourceError": 1,
        "SinkError": 1,
        "ModelError": 1,
        "StageError": 1,
    }
    assert issubclass(vidan.DisplayError, vidan.SinkError)


@pytest.mark.parametrize(
    ("stage", "frame", "cause", "text"),
    [
        ("source", None, vidan.SourceError("cannot open"), "source: cannot open"),
        ("detector", 3, ValueError("bad"), "detector at frame 3: ValueError: bad"),
        ("tracker", 0, KeyError(), "tracker at frame 0: KeyError: KeyError()"),
    ],
)
def test_a_stage_error_names_the_stage_and_the_frame(stage, frame, cause, text):
    assert str(vidan.StageError(stage, frame, cause)) == text


@pytest.mark.parametrize(
    ("name", "known", "text"),
    [
        ("deepsrt", ["sort", "deepsort"], "did you mean 'deepsort'?"),
        ("xyz", ["sort", "none"], "there is none, sort"),
        ("xyz", [], "there is none"),
    ],
)
def test_similar_names(name, known, text):
    assert did_you_mean(name, known) == text
