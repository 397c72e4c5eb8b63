import json
import shutil
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

import vidan
from vidan.cli import main as cli
from vidan.execution.directory import claimed

SMALL = ["source.width=160", "source.height=96", "max_frames=2", "detector=mot", "sink=[jsonl]"]
FAILING = ["source=file", "source.path=nowhere.mp4", "sink=[jsonl]"]


@pytest.fixture
def small(here):
    (here / "det.txt").write_text("1,-1,10,10,20,20,1,-1,-1,-1\n")
    return [*SMALL, "detector.path=det.txt"]


def test_two_directories_of_one_second_are_different(here):
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(_claim, range(8)))
    assert len(set(found)) == 8
    assert {path.parent.name for path in found} == {"runs"}


def _claim(_number):
    with claimed(None) as directory:
        (directory / "summary.json").write_text("{}")
        time.sleep(0.05)
        return directory


def test_runs_that_start_in_one_second_keep_their_own_outputs(here, small):
    command = [sys.executable, "-m", "vidan", *small]
    runs = [subprocess.Popen([*command, f"max_frames={n}"], cwd=here) for n in (1, 2, 3)]
    assert [run.wait(60) for run in runs] == [0, 0, 0]
    folders = list((here / "runs").iterdir())
    assert len(folders) == 3
    for folder in folders:
        summary = json.loads((folder / "summary.json").read_text())
        assert (folder / "results.jsonl").read_text().count("\n") == summary["frames"]
        assert f"max_frames: {summary['frames']}\n" in (folder / ".hydra/config.yaml").read_text()


def test_a_directory_in_use_is_refused(here, small, capsys):
    with claimed(here / "out"):
        assert cli.main([*small, "run_dir=out"]) == 2
        assert "run_dir='out': another run is using it" in capsys.readouterr().err
        with pytest.raises(vidan.ConfigError, match="another run is using it"):
            vidan.run([*small, "run_dir=out"])
        assert (here / "out/.hydra").is_dir()


def test_resuming_a_run_that_goes_on_is_refused(here, small, capsys):
    assert cli.main([*small, "run_dir=out"]) == 0
    (here / "out/summary.json").unlink()
    (here / "out/detections.bin").touch()
    with claimed(here / "out", resumed=True):
        assert cli.main(["resume", "out"]) == 2
    assert "another run is using it" in capsys.readouterr().err
    assert cli.main(["resume", "out"]) == 0


def test_run_dir_has_the_configuration_too(here, small):
    assert cli.main([*small, "run_dir=out"]) == 0
    assert [path.name for path in here.iterdir() if path.is_dir()] == ["out"]
    names = sorted(path.name for path in (here / "out/.hydra").iterdir())
    assert names == ["config.yaml", "hydra.yaml", "lock", "overrides.yaml"]


def test_the_outputs_of_an_earlier_run_are_replaced_with_a_message(here, small, capsys):
    assert cli.main([*small, "run_dir=out"]) == 0
    assert "earlier run" not in capsys.readouterr().err
    assert cli.main([*small, "run_dir=out", "max_frames=1"]) == 0
    assert "'out' has the outputs of an earlier run, which are replaced" in capsys.readouterr().err
    assert json.loads((here / "out/summary.json").read_text())["frames"] == 1


@pytest.mark.parametrize("where", [[], ["run_dir=out"], ["run_dir=a/b"]])
def test_a_run_that_does_not_start_leaves_no_folder(here, small, where):
    before = sorted(here.iterdir())
    assert cli.main([*FAILING, *where]) == 1
    assert cli.main([*small, "tracker.max_age=x", *where]) == 2
    with pytest.raises(vidan.SourceError):
        vidan.run([*FAILING, *where])
    assert [path for path in sorted(here.rglob("*")) if path.name != "a"] == before


def test_a_folder_with_files_of_others_stays(here, small):
    (here / "out").mkdir()
    (here / "out/mine.txt").write_text("mine")
    assert cli.main([*FAILING, "run_dir=out"]) == 1
    assert (here / "out/mine.txt").read_text() == "mine"


def test_a_sweep_into_one_folder_has_a_folder_for_each_run(here, small):
    assert cli.main(["-m", *small, "max_frames=1,2", "run_dir=sweep"]) == 0
    frames = [json.loads((here / f"sweep/{n}/summary.json").read_text())["frames"] for n in (0, 1)]
    assert frames == [1, 2]


def test_a_job_file_may_set_the_directory_as_hydra_does(here, small):
    (here / "job.yaml").write_text("defaults: [config, _self_]\nhydra: {run: {dir: mine}}\n")
    assert cli.main(["--config-dir=.", "--config-name=job", *small]) == 0
    assert (here / "mine/summary.json").exists()


def test_a_directory_that_is_removed_ends_the_run_early(here, small):
    out = here / "out"

    def remove():
        while not (out / "results.jsonl").exists() or not (out / "results.jsonl").stat().st_size:
            time.sleep(0.01)
        shutil.rmtree(out)

    remover = threading.Thread(target=remove)
    remover.start()
    arguments = [each for each in small if not each.startswith("max_frames")]
    with pytest.raises(vidan.SinkError, match="out' was removed during the run"):
        vidan.run([*arguments, "source.frames=null", "run_dir=out"])
    remover.join()
    assert not out.exists()


def test_a_folder_that_cannot_be_written_is_one_line(here, small, capsys):
    (here / "file").touch()
    assert cli.main([*small, "run_dir=file/x"]) == 1
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert "cannot write into 'file/x': Not a directory: set run_dir=<folder>" in error
