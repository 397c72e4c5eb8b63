"""Values that Hydra's grammar does not read are text where they can be nothing else."""

import shlex

import pytest
from hydra.core.override_parser.overrides_parser import OverridesParser
from omegaconf import OmegaConf

from vidan.config.compose import compose
from vidan.config.quoting import literal, quoted
from vidan.config.resolve import resolved
from vidan.config.shortcuts import with_source
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


def text_of(override):
    """The value of an override as a component gets it."""
    value = OverridesParser.create().parse_override(override).value()
    return OmegaConf.create({"key": value}).key


EXISTING = ("${x}.mp4", "${oc.env:HOME}.mp4", "a,b.mp4", "[a].mp4", "(1).mp4", '"q".mp4', "null")


@pytest.mark.parametrize("name", EXISTING)
def test_a_path_is_a_file_that_exists(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / name).touch()
    (option,) = quoted([f"source.path={name}"])
    assert [text_of(option), text_of(with_source([name])[1])] == [name, name]


@pytest.mark.parametrize("value", ["true", "False", "inf", "NaN", "1e5", "12"])
def test_a_path_is_neither_a_number_nor_true_or_false(value):
    typed = ["source.path", "sink.video.path", "run_dir", "detector.model", "data", "tracks"]
    assert [text_of(o) for o in quoted(f"{key}={value}" for key in typed)] == [value] * len(typed)


def test_a_reference_to_nothing_says_what_to_type():
    with pytest.raises(ConfigError, match=r"source: it refers to the key 'x', .* write \\\$\{x\}"):
        resolved(compose(["source=file", "source.path=${x}.mp4"]).source, "source")
    with pytest.raises(ConfigError, match="quote it: ") as caught:
        compose(["source=file", "source.path=${x.mp4"])
    (typed,) = shlex.split(str(caught.value).partition("quote it: ")[2])
    assert resolved(compose(["source=file", typed]).source)["path"] == "${x.mp4"


@pytest.mark.parametrize("value", ["${x}", "\\${", "\\\\${x}'", "'", "$'{\\", "${'a'}\\"])
def test_text_that_refers_to_nothing_stays(value):
    assert text_of(literal(f"key={value}")) == value
