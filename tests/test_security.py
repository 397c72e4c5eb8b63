"""What SECURITY.md states about the code, checked by reading the code."""

import ast
import json
from pathlib import Path

import pytest

import vidan
from vidan import SourceError
from vidan.cli import main as cli
from vidan_training.data.formats import yolo

ROOT = Path(vidan.__file__).parents[1]
FOLDERS = ("vidan", "plugins", "training")
FILES = sorted(path for folder in FOLDERS for path in (ROOT / folder).rglob("*.py"))

RUNS_DATA = {"pickle", "cPickle", "dill", "cloudpickle", "joblib", "marshal", "shelve", "code"}
"""Modules that can run code from data."""

CALLS = {
    *("eval", "exec", "compile", "__import__"),
    *(
        "os.system",
        "os.popen",
        "os.startfile",
        "subprocess.getoutput",
        "subprocess.getstatusoutput",
    ),
    *("yaml.load", "yaml.unsafe_load", "yaml.full_load", "torch.load"),
    *("hydra.utils.instantiate", "instantiate", "hydra.utils.call", "get_class", "get_method"),
}


OWN_PROCESSES = Path("plugins/runners/children.py")
"""Exchanges pickles with processes that it starts itself, as multiprocessing does."""


def name_of(node):
    return ast.unparse(node)


def calls(path):
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return [node for node in ast.walk(tree) if isinstance(node, ast.Call)]


def test_there_are_files_to_read():
    assert len(FILES) > 150


@pytest.mark.parametrize("folder", FOLDERS)
def test_no_code_from_data_and_no_shell(folder):
    for path in (ROOT / folder).rglob("*.py"):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        refused = RUNS_DATA - ({"pickle"} if path == ROOT / OWN_PROCESSES else set())
        for node in ast.walk(tree):
            if isinstance(node, ast.Import):
                assert not {a.name.split(".")[0] for a in node.names} & refused, path
            elif isinstance(node, ast.ImportFrom) and not node.level:
                assert (node.module or "").split(".")[0] not in RUNS_DATA, path
        for call in calls(path):
            where = f"{path}:{call.lineno}"
            assert name_of(call.func) not in CALLS, where
            assert "shell" not in {keyword.arg for keyword in call.keywords}, where


def test_arrays_are_loaded_without_pickles():
    found = 0
    for path in FILES:
        for call in calls(path):
            if name_of(call.func) in ("np.load", "numpy.load"):
                given = {k.arg: name_of(k.value) for k in call.keywords}
                assert given.get("allow_pickle") == "False", f"{path}:{call.lineno}"
                found += 1
    assert found >= 3


def test_our_configuration_names_no_code():
    files = [*(ROOT / "conf").rglob("*.yaml"), *(ROOT / "vidan").rglob("*.tmpl")]
    assert len(files) > 15
    for path in files:
        assert "_target_" not in path.read_text(encoding="utf-8"), path


TAG = "!!python/object/apply:os.system ['touch HACKED']"


def test_a_tag_in_a_data_set_runs_nothing(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "data.yaml").write_text(f"names: {TAG}\n")
    with pytest.raises(SourceError, match="could not determine a constructor"):
        yolo.read_names(tmp_path / "data.yaml")
    assert not (tmp_path / "HACKED").exists()


@pytest.mark.parametrize(
    "line", [f"source: {TAG}", "source: {name: file, path: x.mp4, _target_: os.system}"]
)
def test_tags_and_targets_in_the_configuration_of_a_run_run_nothing(here, capsys, line):
    run = here / "run"
    (run / ".hydra").mkdir(parents=True)
    rest = "detector: {name: mot}\ntracker: {name: sort}\nsink: {}\ntrace: false\nresumable: true\n"
    rest += "pipeline: {workers: 1, buffer: 2, detect_every: 1, age_limit: 1.15, reset_after: 3, "
    rest += "max_batch: null}\n"
    rest += "analytics: {}\nmax_frames: 1\n"
    rest += "on_sink_error: stop\nrun_dir: x\n"
    (run / ".hydra/config.yaml").write_text(f"{line}\n{rest}")
    (run / ".hydra/overrides.yaml").write_text("[]\n")
    cwd = json.dumps(str(here))
    (run / ".hydra/hydra.yaml").write_text(f"hydra: {{runtime: {{cwd: {cwd}}}}}\n")
    (run / "detections.bin").touch()
    assert cli.main(["resume", "run"]) != 0
    error = capsys.readouterr().err
    assert "is damaged" in error or "'file' has no key '_target_'" in error
    assert not (here / "HACKED").exists()
