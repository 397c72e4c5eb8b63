"""Counts that survive: runs one after another, at once, resumed, and killed."""

import json
import signal
import subprocess
import sys
import time
from datetime import date, datetime
from pathlib import Path

import pytest

import vidan
from tests.clips import write_clip
from vidan.errors import ConfigError
from vidan.execution import continuation
from vidan.execution.continuation import START_FILE
from vidan.execution.stream_name import stream_name

FRAMES = 12
CAMERA = ["source=synthetic", "source.live=true", "source.rate=60", f"max_frames={FRAMES}"]
SMALL = ["source.width=160", "source.height=96"]
DETECTOR = ["detector=mot", "detector.path=det.txt", "tracker=sort", "tracker.min_hits=0"]
TALLY = [*DETECTOR, "analytics=[presence]", "+analytics.tally.name=tally", "sink=[mot]"]


@pytest.fixture
def folder(here, register):
    register("analytics", "tally", "tests.vidan.execution.tally:Tally")
    write_detections(here / "det.txt", 400)
    return here


def write_detections(path, frames):
    rows = [f"{n},-1,20,20,30,50,1,-1,-1,-1\n" for n in range(1, frames + 1)]
    path.write_text("".join(rows))


def run(*arguments, run_dir="out", source=(*CAMERA, *SMALL)):
    """Number of frames, and the measures by name."""
    summary = vidan.run([*source, *TALLY, f"run_dir={run_dir}", *arguments])
    return summary["frames"], {m["name"]: m["value"] for m in summary["measures"]}


def counts(folder, path="runs/counts/synthetic.json"):
    return json.loads((folder / path).read_text())


def edit(folder, **values):
    path = folder / "runs/counts/synthetic.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | values))


def ids(path):
    return {int(line.split(",")[1]) for line in path.read_text().splitlines()}


def test_a_camera_continues_its_counts_and_its_ids(folder):
    first, measures = run()
    assert measures == {"tally_total": first}
    assert ids(folder / "out/tracks.txt") == {1}
    second, measures = run()
    assert measures["tally_total"] == first + second
    assert ids(folder / "out/tracks.txt") == {2}
    third, measures = run()
    assert measures["tally_total"] == first + second + third
    assert ids(folder / "out/tracks.txt") == {3}


def test_the_time_between_two_runs_passes_for_the_analyzers(folder):
    run()
    edit(folder, at=time.time() - 300)
    _, measures = run()
    assert 300 < measures["tally_gap_seconds"] < 330


def test_a_video_never_adds_up_unless_asked(folder):
    write_clip(folder / "clip.mp4", FRAMES)
    video = ["source=file", "source.path=clip.mp4"]
    for _ in range(2):
        assert run(source=video)[1]["tally_total"] == FRAMES
    assert not (folder / "runs").exists()
    for _ in range(2):
        assert run("counts.path=sum.json", source=video)[1]["tally_total"] == FRAMES
    asked = ["counts.path=sum.json", "counts.reset=never"]
    assert run(*asked, source=video)[1]["tally_total"] == 2 * FRAMES
    assert not (folder / "out" / START_FILE).exists()


def test_reset_start_starts_from_zero(folder):
    run()
    frames, measures = run("counts.reset=start")
    assert measures == {"tally_total": frames}


def test_reset_daily_continues_on_the_same_day_only(folder):
    first, _ = run("counts.reset=daily")
    second, measures = run("counts.reset=daily")
    if datetime.now().hour or datetime.now().minute > 1:
        assert measures["tally_total"] == first + second
    yesterday = datetime.combine(date.today(), datetime.min.time()).timestamp() - 60
    edit(folder, at=yesterday)
    third, measures = run("counts.reset=daily")
    assert measures["tally_total"] == third
    assert "tally_gap_seconds" in measures  # what was known of objects is still there
    number = counts(folder)["states"]["tally"]["number"]
    assert number == first + second + third


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (lambda text: text[:200], "are damaged"),
        (lambda text: text.replace('"version": 1', '"version": 7'), "have format 7"),
        (lambda text: text.replace('"count"', '"cnt"'), "tally: 'count'"),
        (lambda text: text.replace('"scene": "', '"scene": "0'), "another scene"),
    ],
)
def test_a_file_that_does_not_fit_is_kept_and_reported(folder, caplog, text, why):
    run()
    path = folder / "runs/counts/synthetic.json"
    path.write_text(text(path.read_text()))
    before = path.read_text()
    frames, measures = run()
    assert measures == {"tally_total": frames}
    (line,) = [record.getMessage() for record in caplog.records if "kept as" in record.message]
    assert why in line
    assert path.with_name("synthetic.json.kept").read_text() == before
    assert counts(folder)["states"]["tally"]["count"] == frames


def test_another_scene_starts_from_zero(folder, caplog):
    run("scene.lines.door={from:[0.5,0],to:[0.5,1]}")
    scene = folder / "scene.yaml"
    scene.write_text("# The same\nlines:\n  door: {to: [0.5, 1], from: [0.5, 0]}\n")
    run("scene=scene.yaml")
    assert "kept as" not in caplog.text
    run("scene=scene.yaml", "scene.lines.door.in=left")
    assert caplog.text.count("are from another scene") == 1


def test_two_runs_at_once_are_an_error(folder, monkeypatch):
    errors = []

    def second():
        with pytest.raises(ConfigError, match="another run uses it") as error:
            run(run_dir="second")
        errors.append(str(error.value))

    original = continuation.CountsKeeper.finish
    with monkeypatch.context() as patch:
        patch.setattr(
            continuation.CountsKeeper, "finish", lambda self: (second(), original(self))[1]
        )
        run()
    assert len(errors) == 1
    run(run_dir="third")


def test_a_run_that_cannot_be_built_leaves_the_file_to_others(folder):
    with pytest.raises(ConfigError):
        run("sink=[jsonl]", "sink.jsonl.pth=no")
    run()


def test_an_address_without_its_password_names_the_file(folder):
    def name(**source):
        settings = type("Settings", (), {"components": {"source": {"name": "rtsp", **source}}})
        return stream_name(settings)

    one = name(path="rtsp://me:secret@192.168.1.64/stream1", stream=None)
    assert one == name(path="rtsp://me:other@192.168.1.64/stream1", timeout=3)
    assert one != name(path="rtsp://me:secret@192.168.1.65/stream1")
    assert name(path="rtsp://x", stream="front/door") == "front_door"
    assert name(path="caf\udce9.mp4") != name(path="caf\udcff.mp4")


PROGRAM = """
import sys
sys.path.insert(0, sys.argv.pop(1))
from vidan.cli.main import main
from vidan.registry.components import Component, Package
from vidan.registry.discovery import load_plugins

tally = Component(
    "analytics", "tally", "tests.vidan.execution.tally:Tally", None, Package("strange", "1.0")
)
load_plugins().registry.register(tally)
sys.exit(main(sys.argv[1:]))
"""


def start(*arguments):
    command = [sys.executable, "-c", PROGRAM, str(Path(__file__).parents[1]), *arguments]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)


def test_a_killed_camera_run_has_a_complete_file_and_continues(folder):
    endless = [*CAMERA[:3], "source.frames=null", *SMALL, *TALLY, "hydra.run.dir=killed"]
    endless.append("counts.save_every=0.1")
    write_detections(folder / "det.txt", 20_000)
    path = folder / "runs/counts/synthetic.json"
    before = 0
    for _ in range(2):
        process = start(*endless)
        seen, deadline = set(), time.monotonic() + 100
        while len(seen) < 4:
            assert process.poll() is None, process.communicate()[0].decode()
            assert time.monotonic() < deadline
            if path.exists():
                seen.add(counts(folder)["states"]["tally"]["count"])
            time.sleep(0.001)
        process.send_signal(signal.SIGKILL)
        process.communicate(timeout=60)
        rows = len((folder / "killed/tracks.txt").read_text().splitlines())
        saved = counts(folder)["states"]["tally"]["count"]
        assert saved > before
        # At most what came in since the last time it was saved, on a busy machine.
        assert rows - 300 < saved - before <= rows + 60
        before = saved


def test_a_resumed_job_counts_nothing_twice(folder):
    kept = ["counts.reset=never", "counts.path=sum.json", "counts.save_every=0.1"]
    job = ["source=synthetic", "source.frames=300", *SMALL, *TALLY, *kept, "scene=none"]
    write_clip(folder / "first.mp4", 10)
    run(*kept, source=["source=file", "source.path=first.mp4"])  # what the job continues from
    process = start(*job, "hydra.run.dir=job")
    deadline = time.monotonic() + 100
    while counts(folder, "sum.json")["states"]["tally"]["count"] <= 10:
        assert process.poll() is None, process.communicate()[0].decode()
        assert time.monotonic() < deadline
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    process.communicate(timeout=60)
    resumed = start("resume", "job")
    output = resumed.communicate(timeout=100)[0].decode()
    assert resumed.returncode == 0, output
    assert counts(folder, "sum.json")["states"]["tally"]["count"] == 310
    assert not (folder / "job" / START_FILE).exists()
