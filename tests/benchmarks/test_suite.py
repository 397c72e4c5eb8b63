"""Every benchmark runs, with small images and few frames. No measured time is asserted."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from benchmarks import inputs
from benchmarks.baselines import opencv_loops, stages
from benchmarks.soak import latency_drift
from benchmarks.suite import ablation, batch, event_outputs, micro, peers, startup
from vidan.cli import main as cli
from vidan.errors import VidanError
from vidan_plugins.tools.bench.clip import make_clip

ROOT = Path(__file__).parents[2]
SMALL = ["size=320x240", "people=2", "max_frames=20", "burn_in=2", "runs=1"]
QUICK = ["detector=mot", "detector.path=det.txt"]
"""A detector that takes no time: on a busy machine, a camera could drop most of the few frames."""


def vidan(*arguments, cwd, module="vidan"):
    environment = {k: v for k, v in os.environ.items() if k != "VIDAN_DATA"}
    environment["PYTHONPATH"] = str(ROOT)
    done = subprocess.run(
        [sys.executable, "-m", module, *arguments],
        cwd=cwd,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    return make_clip(tmp_path_factory.mktemp("clip"), "320x240", 2, 12)


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "det.txt").write_text("1,-1,10,10,50,50,0.9\n")
    return tmp_path


def test_bench(folder):
    output = vidan("bench", *SMALL, *QUICK, "raw=true", "hydra.run.dir=out", cwd=folder)
    assert "CPU per frame" in output
    found = json.loads((folder / "out/latency.json").read_text())
    assert list(found["modes"]) == ["file", "camera"]
    for mode in found["modes"].values():
        figures = mode["figures"]
        assert {"source", "detector", "tracker"} <= figures["stages_ms"].keys()
        assert len(figures["run"]["fps"]["runs"]) == 1
        assert figures["ages_ms"]["result"]["p95"]["median"] > 0
        assert len(mode["ages"]["result"]) == 101
    assert found["modes"]["file"]["figures"]["run"]["frames"]["median"] == 18
    assert found["modes"]["file"]["figures"]["run"]["dropped"]["median"] == 0
    assert {"sink.video", "sink.jsonl"} <= found["modes"]["file"]["figures"]["ages_ms"].keys()
    assert "sink.discard" in found["modes"]["camera"]["figures"]["ages_ms"]
    assert len(json.loads((folder / "out/file_ages_ms.json").read_text())["result"]) == 18
    assert (folder / "out/latency.png").read_bytes().startswith(b"\x89PNG")
    same = vidan("bench", "--compare", "out/latency.json", "out/latency.json", cwd=folder)
    assert "file fps" in same


def test_sweep_shares_its_video_and_saves_all_settings(folder):
    own = ["modes=[file]", "-m", "tracker=sort,none", "hydra.sweep.dir=out"]
    kept = ["--out", "kept", "--name", "sweep_trackers"]
    vidan(*SMALL, *QUICK, *own, *kept, cwd=folder, module="benchmarks.suite.latency")
    found = json.loads((folder / "kept/sweep_trackers.json").read_text())
    assert found["name"] == "sweep_trackers"
    assert "--name sweep_trackers" in found["command"]
    assert found["settings"] == ["tracker=sort", "tracker=none"]
    assert list(found["modes"]["file"]) == found["settings"]
    assert found["plots"] == ["sweep_trackers.png"]
    assert (folder / "kept/sweep_trackers.png").is_file()
    assert len(list((folder / "out").glob("street_*.mp4"))) == 1


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("modes=[fast]", "modes='fast': there is camera, file"),
        ("burn_in=19", "burn_in=19: leaves too few of max_frames=20"),
        ("runs=0", "runs=0: expected a whole number of at least 1"),
        ("size=big", "size='big': expected width and height"),
        ("detektor=x", "detektor"),
    ],
)
def test_bad_options(tmp_path, monkeypatch, capsys, override, message):
    monkeypatch.chdir(tmp_path)
    assert cli.main(["bench", *SMALL, override]) == 2
    assert message in capsys.readouterr().err


def test_a_failed_run_reports_its_error(here, capfd):
    assert cli.main(["bench", *SMALL, "source.path=none.mp4"]) == 1
    output = "".join(capfd.readouterr())
    assert "none.mp4" in output
    assert len([line for line in output.splitlines() if "error" in line]) == 1


def test_micro():
    found = micro.micro(repeats=2, min_repeat_s=0)
    assert len(found["figures"]) == len(list(micro.parts()))
    assert all(len(one["runs"]) == 2 for one in found["figures"].values())


@pytest.mark.parametrize("stage", stages.STAGES)
def test_stages(stage, small, tmp_path):
    if stage == "openvino":
        pytest.importorskip("openvino")
    command = [stage, str(small), str(inputs.model()), str(tmp_path / "out.mp4"), "6", "2"]
    found = json.loads(
        vidan(*command, cwd=tmp_path, module="benchmarks.baselines.stages").splitlines()[-1]
    )
    assert set(found) == {"ms", "cpu_ms"}


def test_opencv_loop(small, tmp_path, monkeypatch):
    # The other loop, and TensorFlow, are in the environment of the peers.
    class OnnxLoop(opencv_loops.Plain):
        def __init__(self, model):
            self._network = opencv_loops.onnx(model)

    monkeypatch.setitem(opencv_loops.LOOPS, "savedmodel", OnnxLoop)
    out = tmp_path / "out.mp4"
    found = opencv_loops.loop("savedmodel", str(small), str(inputs.model()), str(out), 6, 2)
    assert found["frames"] == 4
    assert out.stat().st_size > 0


def test_tables_and_plot_of_peers(tmp_path):
    stages = {name: {"ms": 20.0, "cpu_ms": 30.0} for name in ("decode", "infer", "encode")}
    # (d) is twice as fast as (a), with 1.2 times the CPU of (c).
    loops_ = {
        "a": {"fps": 10.0, "cpu_ms": 200.0},
        "b": {"fps": 16.0, "cpu_ms": 150.0},
        "c": {"fps": 22.2, "cpu_ms": 90.0},
        "d": {"fps": 20.0, "cpu_ms": 108.0},
        "e": {"fps": 30.0, "cpu_ms": 60.0},
    }
    tables = peers.tables([stages | loops_])
    assert tables[0].rows[3][:5] == ["(d) vidan, the same model", 20, 108, 2, 1.25]
    assert "1.20 times" in tables[0].note
    peers.draw(tmp_path / "peers.png", peers.spreads([stages | loops_]))
    assert (tmp_path / "peers.png").is_file()


def test_peers_environment_is_missing(small, tmp_path):
    setup = peers.Setup(tmp_path / "no/python", small, frames=6, burn_in=2, runs=1)
    with pytest.raises(VidanError, match=r"requirements-loops\.txt"):
        peers._loop(setup, "savedmodel", tmp_path, tmp_path)


def test_ablation_compares_with_the_stages_alone(small, capsys):
    ablation.main([f"source.path={small}", "max_frames=4", "rounds=1", "only=one worker"])
    lines = capsys.readouterr().out.splitlines()
    assert [line.split("  ")[0] for line in lines[1:]] == ["stages alone", "vidan", "one worker"]
    assert all(len(line.split()[-4:]) == 4 for line in lines[1:])


def test_latency_drift(small, tmp_path):
    # The fast model, so that a few seconds are enough.
    model = str(inputs.shipped())
    found = latency_drift.latency_drift(small, 3 / 60, 0.5, tmp_path, model)
    assert all(one["p95"] > 0 and one["frames"] > 0 for one in found["intervals"])
    assert found["figures"]["captured"] >= found["figures"]["dropped"]
    assert (tmp_path / "latency_drift.png").is_file()
    with pytest.raises(VidanError, match="too short for three intervals of 60 s"):
        latency_drift.latency_drift(small, minutes=0.01, length=60, out=tmp_path)


def test_growth_is_a_linear_regression():
    # From 10 to 14 in two minutes, 12 on average: a third.
    found = [{"minute": float(m), "p95": 10.0 + 2 * m} for m in range(3)]
    assert latency_drift.growth(found, "p95") == pytest.approx(1 / 3)


@pytest.mark.slow  # starts a process for each way to start
def test_start_up(small, tmp_path):
    demo = ["source.width=320", "source.height=240", "sink=[jsonl]"]
    found = startup.startup(small, rounds=1, out=tmp_path, demo=demo)
    (table,) = found["tables"]
    assert [row[0] for row in table["rows"]] == list(found["figures"])
    assert all(one["wall_s"]["median"] > 0 for one in found["figures"].values())


def test_many_files(tmp_path):
    found = batch.batch(20, clips=2, frames=3, rounds=1, runners=["local"], out=tmp_path)
    files, clips = found["tables"]
    assert [row[0] for row in files["rows"]] == ["runner=local"]
    assert [row[0] for row in clips["rows"]] == list(found["figures"]["durations_s"])
    assert min(row[2] for row in clips["rows"][1:]) == 1


@pytest.mark.skipif(event_outputs.PROGRAM is None, reason="install mosquitto")
def test_event_outputs(tmp_path):
    found = event_outputs.event_outputs(200, rounds=1, seconds=0.2, out=tmp_path)
    (table,) = found["tables"]
    assert [row[0] for row in table["rows"]] == list(found["figures"])
    assert all(one["per_s"]["median"] > 0 for one in found["figures"].values())


def test_variants_of_the_graph_compute_the_same_scores(tmp_path):
    graph = pytest.importorskip("benchmarks.suite.onnx_graph", exc_type=ImportError)
    path = inputs.model()
    image = np.random.default_rng(0).integers(0, 256, (1, 512, 512, 3), np.uint8)

    def scores(variant, images):
        return graph.opened(variant).run(["scores"], {"images": images})[0]

    expected = scores(path, image)
    floats = scores(graph.float_input(path, tmp_path / "f.onnx"), image.astype(np.float32))
    np.testing.assert_allclose(floats, expected, atol=1e-4)
    first = np.ascontiguousarray(image.transpose(0, 3, 1, 2))
    moved = scores(graph.channels_first(path, tmp_path / "c.onnx"), first)
    np.testing.assert_allclose(moved, expected, atol=1e-4)


def test_variants_of_the_graph_are_compared_with_the_first():
    graph = pytest.importorskip("benchmarks.suite.onnx_graph", exc_type=ImportError)
    # Twice the wall time and three times the CPU of the first.
    found = {"first": (0.1, [(10.0, 20.0)] * 2), "other": (0.1, [(20.0, 60.0)] * 2)}
    assert graph.table(found).rows[1] == ["other", 20.0, 2.0, 60.0, 3.0]
