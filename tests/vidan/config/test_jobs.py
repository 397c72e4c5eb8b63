import json
import shlex

import pytest
import yaml

from tests.clips import write_clip
from vidan.cli import main as cli
from vidan.config.jobs import parse
from vidan.config.search_path import RUN
from vidan.errors import ConfigError

DEFAULTS = [
    "config",
    {"override source": "file"},
    {"override detector": "mot"},
    {"override tracker": "sort"},
    {"override sink": ["jsonl"]},
    "_self_",
]
STREET = {
    "source": {"path": "a.mp4"},
    "detector": {"path": "det.txt", "label": "car"},
    "scene": {"lines": {"middle": {"from": [0.5, 0], "to": [0.5, 1]}}},
    "max_frames": 5,
    "run_dir": "out",
}


@pytest.fixture
def vidan(here, capsys):
    """Runs a job in a folder with a video: exit code and lines of errors."""
    write_clip(here / "a.mp4", 12)
    (here / "det.txt").write_text("".join(f"{n},-1,5,5,20,20,1,-1,-1,-1\n" for n in range(1, 13)))
    (here / "jobs").mkdir()

    def run(values, arguments="", defaults=DEFAULTS, name="street"):
        text = values if isinstance(values, str) else yaml.safe_dump(values)
        text = f"defaults: {json.dumps(defaults)}\n{text}" if defaults else text
        (here / "jobs" / f"{name}.yaml").write_text(text)
        code = cli.main(["--config-dir", "jobs", "--config-name", name, *shlex.split(arguments)])
        errors = [line for line in capsys.readouterr().err.splitlines() if "error" in line]
        return code, errors

    return run


def results(folder):
    return [json.loads(line) for line in (folder / "results.jsonl").read_text().splitlines()]


def test_a_job_file_is_a_run(vidan, here):
    assert vidan(STREET) == (0, [])
    lines = results(here / "out")
    assert len(lines) == 5
    assert lines[0]["detections"][0]["label"] == "car"
    assert "middle" in (here / "out/.hydra/config.yaml").read_text()


def test_the_command_line_overrides_it(vidan, here):
    given = "max_frames=2 detector.rename={car:vehicle} run_dir=other"
    assert vidan(STREET, given) == (0, [])
    lines = results(here / "other")
    assert (len(lines), lines[0]["detections"][0]["label"]) == (2, "vehicle")


def test_without_self_its_values_hold_too(vidan, here, recwarn):
    assert vidan(STREET, defaults=DEFAULTS[:-1]) == (0, [])
    assert len(results(here / "out")) == 5
    assert not [w for w in recwarn if "_self_" in str(w.message)]


def test_a_job_can_extend_another(vidan, here):
    vidan(STREET)
    night = {"max_frames": 3, "_comment": "a key of the file's own", "run_dir": "${_comment}"}
    assert vidan(night | {"_comment": "night"}, defaults=["street", "_self_"], name="night") == (
        0,
        [],
    )
    assert len(results(here / "night")) == 3


def test_streams_start_from_the_job(vidan, here):
    both = {"streams": {"a": {"max_frames": 2}, "b": {"detector.label": "bus"}}}
    assert vidan(STREET | both, "max_frames=4") == (0, [])
    a, b = results(here / "out/a"), results(here / "out/b")
    assert (len(a), len(b)) == (2, 4)
    assert [lines[0]["detections"][0]["label"] for lines in (a, b)] == ["car", "bus"]
    assert (here / "out/a/config.yaml").read_text().count("streams: null") == 1


@pytest.mark.parametrize(
    ("values", "defaults", "words"),
    [
        ({"max_frame": 3}, DEFAULTS, ["street.yaml: unknown key 'max_frame'", "'max_frames'"]),
        ({"pipeline": {"bufer": 3}}, DEFAULTS, ["'pipeline.bufer': did you mean 'buffer'"]),
        ({"drawing": {"label": True}}, DEFAULTS, ["'drawing.label': did you mean 'labels'"]),
        ({"counts": {"reste": "daily"}}, DEFAULTS, ["'counts.reste': did you mean 'reset'"]),
        ({"models": {"ofline": True}}, DEFAULTS, ["'models.ofline': did you mean 'offline'"]),
        ({"detector": {"lable": "x"}}, DEFAULTS, ["detector 'mot' has no key 'lable'"]),
        ({"source": "file"}, DEFAULTS, ["source='file': expected a group of options"]),
        ({"source": {"path": "${oc.env:NO_SUCH}"}}, DEFAULTS, ["NO_SUCH is not set"]),
        ("a: b: c", DEFAULTS, ["not a YAML file: mapping values", "street.yaml", "line 2"]),
        (STREET, ["config", {"override source": "fiel"}], ["source 'fiel'", "did you mean 'file'"]),
        (STREET, ["confg"], ["unknown configuration 'confg'"]),
        (STREET, [], ["street.yaml: it needs vidan's configuration: defaults: [config]"]),
    ],
)
def test_mistakes_are_one_line(vidan, here, values, defaults, words):
    values = values if isinstance(values, str) else STREET | values
    code, lines = vidan(values, defaults=defaults)
    assert (code, len(lines)) == (2, 1)
    assert not (here / "outputs").exists()
    for word in words:
        assert word in lines[0]


def test_other_commands_start_from_the_configuration_of_a_run():
    assert parse(["tracker=sort", "-m"]) == (RUN, ["tracker=sort", "-m"])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("--config-dir nowhere --config-name a", "--config-dir nowhere: there is no such folder"),
        ("--config-dir ~jobs --config-name a", "--config-dir ~jobs: there is no such folder"),
        ("--config-name street", "--config-name street: set --config-dir to the folder"),
        ("--config-dir . --config-name stret", "[.]: no job file 'stret': did you mean 'street'"),
        ("--config-dir", "expected one argument"),
    ],
)
def test_a_job_that_does_not_exist(here, arguments, message):
    (here / "street.yaml").touch()
    with pytest.raises(ConfigError, match=message):
        parse(arguments.split())
