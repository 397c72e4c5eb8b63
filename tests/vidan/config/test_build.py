from typing import Annotated, Literal

import pytest
from msgspec import Meta
from omegaconf import OmegaConf

from vidan import ConfigError, ModelError, PluginError
from vidan.cli import main as cli
from vidan.config.build import BuildContext, build


class Thing:
    def __init__(
        self,
        *,
        size: int,
        rate: float = 1.0,
        share: Annotated[float, Meta(ge=0, le=1)] = 0.5,
        mode: Literal["a", "b"] = "a",
        tags: list[str] = (),
    ):
        if size < 0:
            raise ConfigError(f"size: expected 0 or more, got {size!r}")
        if size == 12:
            raise ValueError("size and rate: set both or neither")
        if size == 13:
            raise ModelError("unlucky model")
        if size == 99:
            raise RuntimeError("too large")
        if size == 100:
            raise BaseException("a panic")  # as of libraries in Rust
        if size == 101:
            raise KeyboardInterrupt
        self.size = size


class Threaded:
    def __init__(self, workers: int = 1, size: int = 0):
        self.workers = workers


@pytest.fixture(autouse=True)
def components(register):
    register("tracker", "thing", f"{__name__}:Thing")
    register("detector", "threaded", f"{__name__}:Threaded")


def test_a_component_is_built_from_its_options():
    assert build("tracker", OmegaConf.create({"name": "thing", "size": 3})).size == 3
    assert build("tracker", {"name": "thing", "size": 3, "rate": 2}).size == 3  # an int is a float


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"size": 1, "sise": 2}, ConfigError, "has no key 'sise': did you mean 'size'"),
        ({}, ConfigError, r"missing tracker\.size of tracker 'thing': set tracker\.size=<value>"),
        ({"size": "???"}, ConfigError, "missing tracker.size: set tracker.size=<value>"),
        ({"size": "${nowhere}"}, ConfigError, "tracker: .*nowhere"),
        ({"size": "big"}, ConfigError, "tracker.size: expected `int`, got `str`, not 'big'"),
        ({"size": 1, "rate": float("nan")}, ConfigError, "tracker.rate=nan: expected a finite"),
        ({"size": 1, "rate": float("inf")}, ConfigError, "tracker.rate=inf: expected a finite"),
        ({"size": 1, "share": 1.5}, ConfigError, "tracker.share: expected `float` <= 1.0, not 1.5"),
        ({"size": 1, "mode": "c"}, ConfigError, "tracker.mode='c': there is a, b"),
        ({"size": 1, "tags": "x"}, ConfigError, "tracker.tags: expected `array`"),
        ({"size": -1}, ConfigError, "^tracker.size: expected 0 or more"),
        ({"size": 12}, ConfigError, "^tracker.size and rate: set both or neither"),
        ({"size": 13}, ModelError, "unlucky model"),
        ({"size": 99}, PluginError, "tracker 'thing' cannot be built: RuntimeError: too large"),
        ({"size": 100}, PluginError, "tracker 'thing' cannot be built: BaseException: a panic"),
        ({"size": 101}, KeyboardInterrupt, "^$"),
        ({"name": "thong"}, PluginError, "unknown tracker 'thong': did you mean"),
        ({"name": 3}, ConfigError, "tracker.name: expected the name of a tracker, got 3"),
    ],
)
def test_what_cannot_be_built_names_the_option(options, error, message):
    with pytest.raises(error, match=message):
        build("tracker", OmegaConf.create({"name": "thing"} | options))


def test_a_key_that_the_configuration_leaves_out_comes_from_the_context():
    context = BuildContext(workers=3)
    assert build("detector", {"name": "threaded"}, context=context).workers == 3
    assert build("detector", {"name": "threaded", "workers": 2}, context=context).workers == 2
    assert build("detector", {"name": "threaded"}).workers == 1
    assert build("tracker", {"name": "thing", "size": 3}, context=context).size == 3


def test_keys_of_an_added_component_need_no_plus(here, capsys):
    assert cli.main(["+sink.archive.name=video", "sink.archive.crf=99", "hydra.run.dir=out"]) == 2
    assert "error: sink.archive.crf: expected `int` <= 51, not 99" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("+sink.archive.crf=99", "sink.archive.crf: expected `int` <= 51, not 99"),
        ("+sink.archive.preset=fst", "sink.archive.preset='fst': did you mean 'fast'"),
        ("+sink.archive.segment=soon", "sink.archive.segment='soon': expected a number"),
        ("+sink.archive.crff=9", "sink 'video' has no key 'crff': did you mean 'crf'"),
    ],
)
def test_errors_name_the_place_of_an_option_in_the_configuration(here, capsys, override, message):
    """A sink that is configured under a name of its own."""
    archive = ["sink=[]", "+sink.archive.name=video", "+sink.archive.path=archive.mp4"]
    assert cli.main([*archive, override, "hydra.run.dir=out"]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("vidan: error: ")
    assert message in line
