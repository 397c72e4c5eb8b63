"""Several streams in one process, from the command line and from Python."""

import json
import re
from pathlib import Path
from types import SimpleNamespace

import pytest

import vidan
from vidan import SourceError, StageError
from vidan.cli import main as cli
from vidan.config.compose import compose
from vidan.config.streams import stream_configs
from vidan.execution.assemble import workers
from vidan.execution.execute import prepare
from vidan_plugins.sources.ffmpeg.decode import decoder_threads

SMALL = ["source=synthetic", "source.width=160", "source.height=96", "max_frames=5"]
SMALL += ["sink=[jsonl]", "detector=mot", "detector.path=det.txt", "run_dir=out"]


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "det.txt").write_text("1,-1,10,10,20,20,1,-1,-1,-1\n")
    (tmp_path / "other.txt").write_text("1,-1,10,10,20,20,1,-1,-1,-1\n2,-1,1,1,2,2,1,-1,-1,-1\n")
    return tmp_path


def run(streams, *overrides):
    Path("shop.yaml").write_text(streams)
    return vidan.run([*SMALL, "streams=shop.yaml", *overrides])


def summary(name=""):
    return json.loads((Path("out") / name / "summary.json").read_text())


def test_each_stream_has_its_folder_and_summary(folder):
    total = run("door: {max_frames: 3}\nhall: {sink: [jsonl, events]}")
    assert (total["frames"], total["detections"], total["error"]) == (8, 2, None)
    assert {name: each["frames"] for name, each in total["streams"].items()} == {
        "door": 3,
        "hall": 5,
    }
    assert summary() == total
    assert summary("door") == total["streams"]["door"]
    lines = (folder / "out/hall/results.jsonl").read_text().splitlines()
    assert {json.loads(line)["stream"] for line in lines} == {"hall"}
    assert (folder / "out/hall/events.jsonl").exists()
    assert "name: synthetic" in (folder / "out/door/config.yaml").read_text()


def test_the_saved_settings_of_a_stream_have_no_secrets(folder):
    run("door: {}", "sink=[web]", "sink.web.port=0", "sink.web.token='SECRET,of=24:characters'")
    saved = (folder / "out/door/config.yaml").read_text()
    assert "token: '***'" in saved
    assert "24:characters" not in saved


def test_streams_with_the_same_options_share_a_detector():
    given = [*SMALL, "streams={a:{},b:{},c:{detector.path:other.txt}}"]
    config = compose(given)
    prepared = prepare(config, stream_configs(config, given))
    a, b, c = (each.stream.detector for each in prepared.streams.values())
    assert a is b is not c
    total = prepared.run()
    assert [each["detections"] for each in total["streams"].values()] == [1, 1, 2]


def test_a_source_that_cannot_be_opened_ends_only_its_stream():
    with pytest.raises(SourceError, match=r"stream 'gone': there is no file 'no.mp4'"):
        run("gone: {source: file, source.path: no.mp4}\nhall: {}")
    assert summary("hall")["frames"] == 5
    assert summary("gone")["frames"] == 0
    assert "no.mp4" in summary("gone")["error"]
    assert summary("hall")["error"] is None
    assert summary()["failures"] == [summary("gone")["error"]]


def test_a_failure_ends_only_its_stream_and_is_in_its_summary():
    with pytest.raises(StageError, match=r"door/sink\.full.*: "):
        run("door: {+sink.full: {name: jsonl, path: /dev/full}}\nhall: {}")
    assert "sink.full" in summary("door")["error"]
    assert (summary("hall")["frames"], summary("hall")["error"]) == (5, None)


def test_counts_of_each_stream_are_its_own(folder):
    rows = [f"{n},-1,{40 + n},30,20,20,1,-1,-1,-1\n" for n in range(1, 61)]
    (folder / "det.txt").write_text("".join(rows))
    zone = "{polygon: [[0, 0], [1, 0], [1, 1], [0, 1]]}"
    streams = f"a: {{scene.zones.all: {zone}, tracker.min_hits: 1}}\nb: {{}}"
    total = run(streams, "tracker=sort", "max_frames=60")
    of = {
        name: {m["labels"].get("zone") for m in each["measures"]}
        for name, each in total["streams"].items()
    }
    assert ("all" in of["a"], "all" in of["b"]) == (True, False)
    zones = {m["labels"]["stream"] for m in total["measures"] if m["labels"].get("zone") == "all"}
    assert zones == {"a"}


def test_nothing_is_left_of_a_run_that_did_not_start(folder):
    with pytest.raises(vidan.ConfigError, match=r"stream 'b': scene.lines.x: "):
        run("a: {}\nb: {scene.lines.x: {from: [0, 0], to: [9, 0.5]}}")
    assert not (folder / "out").exists()


def test_the_command_prints_the_streams_and_exits_with_1_if_one_failed(here, folder, capfd):
    streams = "streams={gone:{source:file,source.path:no.mp4},hall:{}}"
    assert cli.main([*SMALL, streams]) == 1
    out, err = capfd.readouterr()
    assert re.search("stream hall +5 frames, 0 dropped", out)
    assert "0 frames, failed: stream 'gone': there is no file 'no.mp4'" in out
    assert "error: stream 'gone'" in err.splitlines()[-1]


def test_no_password_of_a_stream_is_saved(here, folder, capfd):
    camera = "source:rtsp,source.path:'rtsp://me:hidden@127.0.0.1:9/x',source.retry.max:0"
    streams = f"streams={{a:{{{camera}}},b:{{}}}}"
    assert cli.main([*SMALL, streams]) == 1
    written = [path for path in (folder / "out").rglob("*") if path.is_file()]
    assert "config.yaml" in {path.name for path in written}
    assert not [path for path in written if b"hidden" in path.read_bytes()]
    assert "hidden" not in "".join(capfd.readouterr())


@pytest.mark.parametrize(
    ("threads", "streams", "expected"),
    [(0, None, 0), (0, 1, 0), (0, 2, 4), (0, 3, 2), (0, 100, 1), (3, 100, 3)],
)
def test_streams_share_the_cores_for_decoding(monkeypatch, threads, streams, expected):
    monkeypatch.setattr("os.cpu_count", lambda: 8)
    assert decoder_threads(threads, streams) == expected


def test_several_cameras_are_detected_at_a_time(monkeypatch):
    monkeypatch.setattr("os.cpu_count", lambda: 4)
    settings = SimpleNamespace(pipeline=SimpleNamespace(workers=None))
    cameras = [SimpleNamespace(live=True)] * 6
    assert [workers(settings, cameras[:n]) for n in (1, 2, 6)] == [1, 2, 4]
    assert workers(settings, [SimpleNamespace(live=False)] * 6) == 2
