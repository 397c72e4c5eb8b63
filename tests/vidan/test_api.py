import inspect
import json
import multiprocessing
import os
import signal
import threading
import time
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from pathlib import Path
from types import ModuleType

import pytest

import vidan
from vidan.config.compose import compose
from vidan.execution.execute import execute, prepare
from vidan.registry.components import Package
from vidan.registry.discovery import Plugins
from vidan.testing import ListSource, RecordingSink, TruthDetector, clip, detections, frames

from .fakes import FakeDetector, FakeSource, FakeTracker

SMALL = "source=synthetic source.width=160 source.height=96 max_frames=3 sink=jsonl"


def test_a_run_as_a_function(tmp_path):
    clip(tmp_path / "a clip.mp4", 5)
    out = tmp_path / "out"
    path = tmp_path / "a clip.mp4"
    summary = vidan.run(
        f"source=file 'source.path={path}' tracker=sort sink=jsonl hydra.run.dir={out}"
    )
    assert summary["frames"] == 5
    assert (out / "results.jsonl").read_text().count("\n") == 5


def test_overrides_as_a_list(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert vidan.run(SMALL.split())["frames"] == 3
    (run,) = (tmp_path / "runs").iterdir()
    assert (run / "summary.json").is_file()


def test_overrides_by_keyword(detections_file, capfd):
    out = Path("an out")
    summary = vidan.run(
        SMALL, detector="mot", sink=["jsonl", "mot"], max_frames=2, run_dir=out, quiet=True,
        **{"detector.path": "det.txt"},
    )  # fmt: skip
    assert summary["frames"] == 2
    assert {"results.jsonl", "tracks.txt"} <= {path.name for path in out.iterdir()}
    assert capfd.readouterr() == ("", "")


def small(out):
    return [*SMALL.split(), "detector=mot", "detector.path=det.txt", f"run_dir={out}"]


def execute_small(out):
    """Run in another process, so the result must be picklable."""
    return execute(compose(small(out)))


@pytest.fixture
def detections_file(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "det.txt").write_text("1,-1,10,10,20,20,1,-1,-1,-1\n")


def test_a_run_prints_nothing_and_leaves_signals_alone(detections_file, capfd):
    before = signal.getsignal(signal.SIGINT)
    during = []
    run = prepare(compose(small("out")))
    run.run(lambda _stats: during.append(signal.getsignal(signal.SIGINT)))
    assert set(during) <= {before}
    assert capfd.readouterr() == ("", "")


def test_a_run_in_a_thread(detections_file):
    with ThreadPoolExecutor(2) as pool:
        runs = [pool.submit(vidan.run, small(f"out-{n}")) for n in range(2)]
        assert [run.result(60)["frames"] for run in runs] == [3, 3]


def test_a_run_in_a_spawned_process(detections_file):
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
        summary = pool.submit(execute_small, "out").result(120)
    assert summary["frames"] == 3
    assert summary["error"] is None


def test_ctrl_c_completes_the_outputs_and_raises(detections_file):
    arguments = [a for a in small("out") if not a.startswith("max_frames")]
    sent = threading.Thread(target=interrupt_when_written, args=["out/results.jsonl"])
    sent.start()
    with pytest.raises(KeyboardInterrupt):
        vidan.run([*arguments, "source.frames=null"])
    sent.join()
    summary = json.loads(Path("out/summary.json").read_text())
    assert summary["interrupted"]
    assert Path("out/results.jsonl").read_text().count("\n") == summary["frames"] > 0


def interrupt_when_written(path):
    while not (Path(path).exists() and Path(path).stat().st_size):
        time.sleep(0.01)
    os.kill(os.getpid(), signal.SIGINT)


def test_errors_are_raised():
    with pytest.raises(vidan.ConfigError, match="unknown tracker 'srot'"):
        vidan.run("tracker=srot")


def test_an_error_in_a_hook_names_the_plugin_and_hides_no_other(monkeypatch, caplog, tmp_path):
    def vidan_run_finished(summary, error):
        raise ValueError("no report server")

    plugin = ModuleType("reports")
    plugin.vidan_run_finished = vidan.hookimpl(vidan_run_finished)
    found = Plugins()
    found.add("mine", lambda: plugin, Package("reports", "1.0"))
    monkeypatch.setattr("vidan.execution.execute.load_plugins", lambda: found)
    message = "vidan_run_finished of the plugin 'mine': ValueError: no report server"
    with pytest.raises(vidan.StageError, match=message):
        vidan.run(f"{SMALL} run_dir={tmp_path / 'whole'}")
    assert json.loads((tmp_path / "whole" / "summary.json").read_text())["frames"] == 3
    with pytest.raises(vidan.StageError, match="No space left on device"):
        vidan.run(f"{SMALL} sink.jsonl.path=/dev/full run_dir={tmp_path / 'failed'}")
    assert message in caplog.text


def test_components_by_name():
    assert vidan.create("tracker", "sort", max_age=3)
    with pytest.raises(vidan.ConfigError, match="did you mean 'max_age'"):
        vidan.create("tracker", "sort", max_agee=3)
    with pytest.raises(vidan.PluginError, match="unknown tracker"):
        vidan.create("tracker", "srot")


def test_a_loop_over_results():
    truth = [detections([[n, 0, n + 20, 40]]) for n in range(30)]
    source, sink = ListSource(frames(30)), RecordingSink()
    tracker = vidan.create("tracker", "sort")
    pipeline = vidan.Pipeline(vidan.Stream(source, tracker, {"kept": sink}), TruthDetector(truth))
    results = list(pipeline)
    assert [result.frame.index for result in results] == list(range(30))
    assert results[-1].tracks.ids.tolist() == [1]
    assert len(sink.results) == 30
    assert source.closed == sink.closed == 1
    assert pipeline.stats.frames == 30


def test_a_pipeline_runs_once():
    pipeline = vidan.Pipeline(vidan.Stream(FakeSource(3), FakeTracker()), FakeDetector())
    assert len(list(pipeline)) == 3
    with pytest.raises(RuntimeError, match="a pipeline runs once"):
        list(pipeline)
    with pytest.raises(RuntimeError, match="a pipeline runs once"):
        pipeline.run()


def test_a_with_block_closes_a_pipeline_whether_or_not_it_ran():
    source, sink, detector = FakeSource(None), RecordingSink(), FakeDetector()
    with vidan.Pipeline(vidan.Stream(source, FakeTracker(), {"kept": sink}), detector) as pipeline:
        pass
    assert (source.closed, sink.closed, detector.closed) == (1, 1, 1)
    source = FakeSource(None)
    with vidan.Pipeline(vidan.Stream(source, FakeTracker()), FakeDetector()) as pipeline:
        assert next(iter(pipeline)).frame.index == 0
    assert pipeline.streams[0].frames.closed


def test_leaving_the_loop_ends_the_run():
    source = FakeSource(None)  # endless
    for result in vidan.Pipeline(vidan.Stream(source, FakeTracker()), FakeDetector()):
        if result.frame.index == 7:
            break
    assert source.closed == 1
    assert not [t for t in threading.enumerate() if t.name.startswith("vidan-")]


def test_a_failure_is_raised_after_the_last_result():
    seen = []

    def loop():
        for result in vidan.Pipeline(
            vidan.Stream(FakeSource(20), FakeTracker()), FakeDetector(fail_at=5)
        ):
            seen.append(result.frame.index)  # noqa: PERF401 - kept when it raises

    with pytest.raises(vidan.StageError, match="detector broke"):
        loop()
    assert seen == list(range(5))
    assert not [t for t in threading.enumerate() if t.name.startswith("vidan-")]


def test_an_error_of_the_loop_ends_the_run():
    source = FakeSource(None)

    def loop():
        for result in vidan.Pipeline(vidan.Stream(source, FakeTracker()), FakeDetector()):
            raise ValueError(result.frame.index)

    with pytest.raises(ValueError, match="0"):
        loop()
    assert source.closed == 1


def test_a_slow_loop_over_a_live_source_drops_frames():
    source = FakeSource(60, live=True, delay=0.002)
    seen = []
    for result in vidan.Pipeline(vidan.Stream(source, FakeTracker()), FakeDetector()):
        seen.append(result.frame.index)
        threading.Event().wait(0.02)
    assert len(seen) < 60
    assert seen == sorted(seen)


TRACKED = {"detector": "mot", "detector.path": "det.txt", "max_frames": 3}


def test_a_loop_over_the_results_of_a_video(detections_file):
    clip(Path("a clip.mp4"), 5)
    results = list(vidan.track("a clip.mp4", tracker="sort", **TRACKED))
    assert [result.frame.index for result in results] == [0, 1, 2]
    assert len(results[0].detections) == 1
    assert sorted(path.name for path in Path().iterdir()) == ["a clip.mp4", "det.txt"]


def test_a_loop_can_write_files_too_and_be_left(detections_file):
    clip(Path("clip.mp4"), 5)
    results = vidan.track("clip.mp4", "tracker=sort", sink="jsonl", run_dir="out", **TRACKED)
    assert next(results).frame.index == 0
    results.close()
    assert (Path("out") / "summary.json").is_file()


def test_a_missing_video_is_an_error_of_the_loop():
    with pytest.raises(vidan.SourceError, match=r"cannot open 'none.mp4'"):
        next(vidan.track("none.mp4"))


def test_notebooks_show_results_and_summaries(detections_file):
    clip(Path("clip.mp4"), 2)
    (result,) = vidan.track("clip.mp4", **TRACKED | {"max_frames": 1})
    assert "data:image/jpeg;base64," in result._repr_html_()
    summary = vidan.run(SMALL, run_dir="out", **TRACKED)
    assert "<td>3 (0 dropped, 0 skipped)</td>" in summary._repr_html_()
    assert json.loads(Path("out/summary.json").read_text()) == summary


def test_options_have_the_same_names_in_python_and_in_the_configuration():
    config = compose([])
    known = {*config, *config.pipeline, *config.detector, "sinks", "analyzers"}
    own = {"streams", "detector", "name"}
    for target in (vidan.Stream, vidan.Pipeline):
        assert set(inspect.signature(target).parameters) - known - own == set()
