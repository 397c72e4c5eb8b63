import inspect

import pytest
from omegaconf import OmegaConf

from vidan import ConfigError
from vidan.config.build import CONTEXT_KEYS
from vidan.config.compose import compose
from vidan.config.groups import groups
from vidan.kinds import KINDS
from vidan.registry.discovery import load_plugins


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
def test_a_bad_override_is_one_clear_line(override, message):
    with pytest.raises(ConfigError, match=message) as caught:
        compose([override])
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "override",
    [
        "source.path=[rtsp://me:SECRET@cam/live",
        "sorce.path='rtsp://me:SECRET@cam/live'",
        "source.path=rtsp://me:SECRET@cam/live,x",
        "rtsp://me:SECRET#x@cam/live",
        "source.path={a: http://cam/?p=SECRET",
        "sink.web.token=['SECRET'",
        "sink.web={host: x, token: SECRET}}",
    ],
)
def test_errors_about_overrides_hide_secrets(override):
    with pytest.raises(ConfigError) as caught:
        compose(["source=file", override])
    assert "SECRET" not in str(caught.value)


def test_keys_are_explained_for_the_chosen_option():
    with pytest.raises(ConfigError, match="'pth' in 'source': did you mean 'path'"):
        compose(["source=file", "source.pth=a.mp4"])


def test_each_of_several_sinks_has_its_own_key():
    config = compose(["sink=[jsonl,mot]", "run_dir=/out"])
    assert sorted(config.sink) == ["jsonl", "mot"]
    assert config.sink.mot.path == "/out/tracks.txt"


PRESETS = {("analytics", "scene"), ("detector", "people")}
"""Options that combine or set others of their group, and are no components."""


def choices():
    return [
        (kind, name)
        for kind, options in groups().items()
        for name in options
        if kind in KINDS and (kind, name) not in PRESETS
    ]


def config_with(kind, *overrides):
    """The configuration of a run, or that of the command which has the kind."""
    return compose(overrides, "config" if KINDS[kind].in_run else "batch")


@pytest.mark.parametrize(("kind", "name"), choices())
def test_a_config_file_matches_the_constructor(kind, name):
    """It has the same keys and defaults, so neither can go out of date."""
    many = KINDS[kind].many
    config = config_with(kind, f"{kind}=[{name}]" if many else f"{kind}={name}", "run_dir=RUN")
    options = config[kind][name] if many else config[kind]
    component = load_plugins().registry.get(kind, options.name)
    if component.missing():
        pytest.skip(component.state())
    plain = {key: "???" if OmegaConf.is_missing(options, key) else options[key] for key in options}
    assert plain.pop("name") == name
    for key, parameter in inspect.signature(component.load()).parameters.items():
        if key in CONTEXT_KEYS and key not in plain:
            continue
        assert key in plain, f"conf/{kind}/{name}.yaml lacks {key}"
        value = plain.pop(key)
        if parameter.default is parameter.empty:
            assert value == "???" or str(value).startswith("RUN"), key
        elif not str(value).startswith("RUN"):
            assert value == parameter.default or list(value) == list(parameter.default), key
    # `detector.when` and `detector.motion` are those of every detector.
    assert set(plain) == ({"when", "motion"} if kind == "detector" else set())


def test_every_option_of_a_group_is_registered_and_has_a_help_text():
    for kind, name in choices():
        assert groups()[kind][name], f"conf/{kind}/{name}.yaml should begin with a comment"
        assert name in load_plugins().registry.names(kind)
    for component in load_plugins().registry:
        if component.package.name == "vidan":
            assert component.name in groups()[component.kind]


def test_the_drawing_of_a_sink_is_turned_off_like_a_switch():
    config = compose(["sink=[video,snapshots]", "sink.video.draw=false"])
    assert config.sink.video.drawing is None
    assert config.sink.snapshots.drawing.boxes
    assert compose(["sink=[video]", "sink.video.draw=true"]).sink.video.drawing.boxes
