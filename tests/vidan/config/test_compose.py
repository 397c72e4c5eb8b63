import inspect
from typing import Literal

import pytest
from omegaconf import OmegaConf

from vidan import ConfigError, ModelError, PluginError
from vidan.config.build import CONTEXT_KEYS, build
from vidan.config.compose import compose
from vidan.config.groups import groups
from vidan.registry.discovery import load_plugins


class Thing:
    def __init__(
        self, *, size: int, rate: float = 1.0, mode: Literal["a", "b"] = "a", tags: list[str] = ()
    ):
        if size < 0:
            raise ConfigError(f"size: expected 0 or more, got {size!r}")
        if size == 13:
            raise ModelError("unlucky model")
        if size == 99:
            raise RuntimeError("too large")
        self.size = size


@pytest.fixture(autouse=True)
def thing(register):
    register("tracker", "thing", f"{__name__}:Thing")


def test_built_from_what_the_file_says():
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
        ({"size": 1, "mode": "c"}, ConfigError, "tracker.mode='c': there is a, b"),
        ({"size": 1, "tags": "x"}, ConfigError, "tracker.tags: expected `array`"),
        ({"size": -1}, ConfigError, "size: expected 0 or more"),
        ({"size": 13}, ModelError, "unlucky model"),
        ({"size": 99}, PluginError, "tracker 'thing' cannot be built: RuntimeError: too large"),
        ({"name": "thong"}, PluginError, "unknown tracker 'thong': did you mean"),
        ({"name": 3}, ConfigError, "tracker.name: expected the name of a tracker, got 3"),
    ],
)
def test_what_cannot_be_built(options, error, message):
    with pytest.raises(error, match=message):
        build("tracker", OmegaConf.create({"name": "thing"} | options))


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("tracker=deepsrt", "unknown tracker 'deepsrt': did you mean 'deepsort'"),
        ("traker=sort", "unknown key 'traker': did you mean 'tracker'"),
        ("tracker.min_hitz=3", "unknown key 'min_hitz' in 'tracker': did you mean 'min_hits'"),
        ("maxframes=3", "unknown key 'maxframes': did you mean 'max_frames'"),
        ("tracker.max_age=[1", "cannot understand 'tracker.max_age=\\[1'"),
        ("sink=[vidio]", "unknown sink 'vidio': did you mean 'video'"),
    ],
)
def test_an_override_that_does_not_fit(override, message):
    with pytest.raises(ConfigError, match=message) as caught:
        compose([override])
    assert "\n" not in str(caught.value)


def test_keys_are_explained_for_the_chosen_option():
    with pytest.raises(ConfigError, match="'pth' in 'source': did you mean 'path'"):
        compose(["source=file", "source.pth=a.mp4"])


def test_several_sinks_each_have_their_place():
    config = compose(["sink=[jsonl,mot]", "run_dir=/out"])
    assert sorted(config.sink) == ["jsonl", "mot"]
    assert config.sink.mot.path == "/out/tracks.txt"


def choices():
    return [
        (kind, name)
        for kind, options in groups().items()
        for name in options
        if kind in ("source", "detector", "tracker", "sink")
    ]


@pytest.mark.parametrize(("kind", "name"), choices())
def test_a_config_file_says_what_the_constructor_says(kind, name):
    """Name, keys and defaults are the constructor's own, so neither can go out of date."""
    config = compose([f"{kind}={name}" if kind != "sink" else f"sink=[{name}]", "run_dir=RUN"])
    options = config[kind] if kind != "sink" else config.sink[name]
    component = load_plugins().registry.get(kind, options.name)
    if component.missing():
        pytest.skip(component.state())
    plain = {key: "???" if OmegaConf.is_missing(options, key) else options[key] for key in options}
    assert plain.pop("name") == name
    for key, parameter in inspect.signature(component.load()).parameters.items():
        if key in CONTEXT_KEYS:
            continue
        assert key in plain, f"conf/{kind}/{name}.yaml lacks {key}"
        value = plain.pop(key)
        if parameter.default is parameter.empty:
            assert value == "???" or str(value).startswith("RUN"), key
        elif not str(value).startswith("RUN"):
            assert value == parameter.default or list(value) == list(parameter.default), key
    assert not plain


def test_every_option_of_a_group_is_registered_and_has_a_line_of_help():
    for kind, name in choices():
        assert groups()[kind][name], f"conf/{kind}/{name}.yaml should begin with a comment"
        assert name in load_plugins().registry.names(kind)
    for component in load_plugins().registry:
        if component.package.name == "vidan":
            assert component.name in groups()[component.kind]
