import subprocess
import sys
from pathlib import Path

import pytest

import vidan
from tests.structure import imported
from vidan.kinds import KINDS

ROOT = Path(vidan.__file__).parents[1]
HEAVY = {"cv2", "av", "onnxruntime", "tensorflow", "filterpy", "scipy", "keras"}
FOLDERS = {kind.plural for kind in KINDS.values()}
LAZY = {"images.py": {"cv2"}, "anonymize.py": {"cv2"}, "motion.py": {"cv2"}}
"""Imported inside a function, when it is first called."""


def files(folder, name):
    for path in sorted((ROOT / folder).rglob("*.py")):
        package = [name, *path.relative_to(ROOT / folder).parts[:-1]]
        yield path, set(imported(path, package)), package


def test_all_names_exist_and_nothing_else_is_public():
    assert all(hasattr(vidan, name) for name in vidan.__all__)  # some are imported by that
    public = {n for n in vars(vidan) if not n.startswith("_")}
    modules = {path.stem for path in (ROOT / "vidan").iterdir()} - {"run"}
    assert set(vidan.__all__) == public - modules - {"conf"}
    assert list(vidan.__all__) == sorted(vidan.__all__)


def test_the_core_imports_no_heavy_library_and_no_plugin():
    for path, names, _ in files("vidan", "vidan"):
        tops = {name.split(".")[0] for name in names} - LAZY.get(path.name, set())
        assert not tops & (HEAVY | {"vidan_plugins", "vidan_training"}), path


def test_importing_vidan_loads_no_heavy_library():
    code = "import sys, vidan, vidan.testing; print(*{name.split('.')[0] for name in sys.modules})"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not set(done.stdout.split()) & HEAVY


@pytest.mark.parametrize(
    ("module", "allowed"),
    [
        ("images", set()),
        ("frames", {"images"}),
        ("events", set()),
        ("types", {"events", "frames", "images"}),
        ("errors", set()),
        ("boxes", set()),
        ("labels", {"errors", "options"}),
        ("modelspec", {"boxes", "errors", "labels", "support", "types"}),
        ("stats", {"events", "outages"}),
        ("journal", {"errors"}),
        ("outages", set()),
        ("scene", set()),
        ("interfaces", {"events", "journal", "outages", "scene", "stats", "support", "types"}),
        ("runtime/channel", set()),
        ("runtime/pacing", {"types"}),
        ("runtime/coasting", {"interfaces", "types"}),
        ("runtime/score_evidence", {"boxes", "support", "types"}),
        ("runtime/common_scores", {"interfaces", "runtime", "support", "types"}),
        ("runtime/analysis", {"events", "interfaces", "scene", "types"}),
        (
            "runtime/stream",
            {"errors", "events", "frames", "interfaces", "runtime", "stats", "types"},
        ),
        ("runtime/batching", {"errors", "interfaces", "runtime"}),
        ("runtime/pipeline", {"errors", "interfaces", "runtime", "stats", "support", "types"}),
    ],
)
def test_imports_run_one_way(module, allowed):
    package = ["vidan", *module.split("/")[:-1]]
    names = set(imported(ROOT / "vidan" / f"{module}.py", package))
    inside = {n.split(".")[1] for n in names if n.startswith("vidan.")}
    assert inside <= allowed


def test_kinds_of_plugins_do_not_import_each_other():
    for path, names, package in files("plugins", "vidan_plugins"):
        assert not any(name.startswith("vidan_training") for name in names), path
        if len(package) > 1 and package[1] in FOLDERS:
            others = {f"vidan_plugins.{kind}" for kind in FOLDERS - {package[1]}}
            assert not any(name.startswith(tuple(others)) for name in names), path


def test_training_does_not_import_plugins():
    for path, names, _ in files("training", "vidan_training"):
        assert not any(name.startswith("vidan_plugins") for name in names), path
