"""`vidan plugins show` prints the options of a component."""

import inspect

import pytest

from vidan.authoring.show import parameters
from vidan.cli import main as cli
from vidan.cli import terminal
from vidan.registry.discovery import load_plugins
from vidan_plugins.detectors.onnx import OnnxDetector


def test_a_component_with_all_its_options(capsys):
    assert cli.main(["plugins", "show", "tracker/deepsort"]) == 0
    text = capsys.readouterr().out
    assert text.startswith("tracker/deepsort")
    assert "vidan tracker=deepsort tracker.<key>=<value>" in text
    row = next(line for line in text.splitlines() if line.startswith("n_init"))
    assert row.split()[1:5] == ["int", ">=", "1", "3"]
    assert "confirmed" in text


def test_the_lines_of_a_paragraph_are_wrapped_to_the_terminal_only(capsys, monkeypatch):
    written = inspect.getdoc(OnnxDetector).split("\n\n")[1]
    assert "\n" in written
    assert cli.main(["plugins", "show", "detector/onnx"]) == 0
    assert " ".join(written.split()) in capsys.readouterr().out.splitlines()
    monkeypatch.setattr(terminal, "NO_TERMINAL_COLUMNS", 80)
    assert cli.main(["plugins", "show", "detector/onnx"]) == 0
    lines = capsys.readouterr().out.split("\n\n")[1].splitlines()
    assert max(map(len, lines)) <= 80
    assert min(map(len, lines[:-1])) > 60


def test_ranges_and_choices_are_in_the_type(capsys):
    assert cli.main(["plugins", "show", "sink/video"]) == 0
    rows = {line.split()[0]: line for line in capsys.readouterr().out.splitlines() if line}
    assert "int 0 to 51" in rows["crf"]
    assert "'superfast'" in rows["preset"]


def test_an_option_is_described_by_its_argument_and_not_by_an_attribute():
    about = {p.name: p.about for p in parameters(OnnxDetector)}
    assert about["labels"].startswith("a file with one label per line")
    assert about["threshold"].endswith("None for the model's recommendation.")


def test_brackets_are_printed_as_they_are(capsys):
    assert cli.main(["plugins", "show", "detector/onnx"]) == 0
    row = next(r for r in capsys.readouterr().out.splitlines() if r.startswith("classes"))
    assert "Sequence[str]" in row


def test_a_name_suffices_if_only_one_kind_has_it(capsys):
    assert cli.main(["plugins", "show", "jsonl"]) == 0
    assert "vidan sink=jsonl sink.jsonl.<key>=<value>" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("trackr/sort", "did you mean 'tracker'"),
        ("tracker/sortt", "did you mean 'sort'"),
        ("sortt", "did you mean 'sort'"),
    ],
)
def test_an_unknown_component_suggests_others(name, message, capsys):
    assert cli.main(["plugins", "show", name]) == 3
    assert message in capsys.readouterr().err


def test_a_name_of_several_kinds_is_ambiguous(register, capsys):
    register("source", "twin", "vidan_plugins.sources.images.source:Images")
    register("sink", "twin", "vidan_plugins.sinks.jsonl:JsonLines")
    assert cli.main(["plugins", "show", "twin"]) == 3
    assert "'twin' is ambiguous: use source/twin or sink/twin" in capsys.readouterr().err


def test_every_built_in_option_is_documented():
    for component in load_plugins().registry:
        if component.package.name != "vidan" or component.missing():
            continue
        for parameter in parameters(component.load()):
            assert parameter.about, f"{component.kind}/{component.name}: {parameter.name}"
            assert parameter.type, f"{component.kind}/{component.name}: {parameter.name}"
