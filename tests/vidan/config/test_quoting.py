"""Values that Hydra's grammar does not read are text where they can be nothing else."""

import shlex

import pytest

from vidan.config.compose import compose
from vidan.config.quoting import quoted
from vidan.errors import ConfigError

NAMES = (
    "video (1).mp4",
    "Müller.mp4",
    "日本.mp4",
    "epoch=3.mp4",
    "it's.mp4",
    "a&b.mp4",
    "100%.mp4",
    "a;b.mp4",
    "#1.mp4",
    "C:\\films\\it's (2).mp4",
    "ends with \\",
)


@pytest.mark.parametrize("name", NAMES)
def test_a_file_name_needs_no_quotes(name):
    assert compose(["source=file", f"source.path={name}"]).source.path == name


@pytest.mark.parametrize("name", ["[1080p].mp4", "a,b.mp4", "{x}.mp4", "(1).mp4"])
def test_what_may_mean_something_else_says_what_to_type(name):
    with pytest.raises(ConfigError, match="quote it: ") as caught:
        compose(["source=file", f"source.path={name}"])
    (typed,) = shlex.split(str(caught.value).partition("quote it: ")[2])
    assert compose(["source=file", typed]).source.path == name


def test_structures_and_quotes_stay():
    given = [
        "sink=[video,jsonl]",
        "source.path='a b'",
        "max_frames=3",
        "~sink",
        "-m",
        "tracker=a,b",
    ]
    assert quoted(given) == given


def test_a_choice_of_several_names_suggests_a_multirun():
    with pytest.raises(ConfigError, match=r"add -m to run once for each value, or choose one"):
        compose(["tracker=sort,deepsort"])
    with pytest.raises(ConfigError, match="expected key=value"):
        compose(["source=file", "trackers:sort"])


NO_PATH = "'path' in 'source', which is 'synthetic': choose source=file or source=images .*first"


def test_a_key_of_another_option_names_that_option():
    with pytest.raises(ConfigError, match=NO_PATH):
        compose(["source.path=x.mp4"])
