import io
import json
import signal
import subprocess
import sys
import time

import pytest

from vidan.cli import main as cli
from vidan.cli import terminal
from vidan.registry.discovery import load_plugins


@pytest.fixture
def fakes(register):
    for kind in ("source", "detector", "tracker", "sink"):
        register(kind, "fake", f"tests.vidan.fakes:Fake{kind.capitalize()}")


def fake_run(*overrides):
    """Run fake components with the real command line."""
    base = [
        "~source",
        "~detector",
        "~tracker",
        "sink=[]",
        "+source={name:fake,count:5}",
        "+detector={name:fake}",
        "+tracker={name:fake}",
        "+sink={fake:{name:fake}}",
        "hydra.run.dir=out",
    ]
    return cli.main([*overrides, *base])


def test_help_lists_groups_examples_and_commands(capsys):
    assert cli.main(["--help"]) == 0
    text = capsys.readouterr().out
    for word in ("deepsort", "webcam", "jsonl", "vidan source=webcam detector=onnx", "doctor"):
        assert word in text
    assert all(len(line) <= 100 for line in text.splitlines())


@pytest.mark.parametrize(
    ("arguments", "code"), [(["eval"], 2), (["eval", "--help"], 0), (["eval", "x", "-h"], 0)]
)
def test_the_first_word_of_commands_lists_them(capsys, arguments, code):
    assert cli.main(arguments) == code
    out, err = capsys.readouterr()
    assert out.splitlines()[0] == "vidan eval <command> [key=value] ..."
    assert "  eval tracking" in out
    assert "tune" not in out
    assert err == ""


def test_version(capsys):
    assert cli.main(["--version"]) == 0
    assert capsys.readouterr().out.startswith("vidan 0.")


def test_help_loads_no_heavy_library():
    code = (
        "import sys; from vidan.cli.main import main; main(['--help']); main(['plugins']);"
        "print([m for m in ('hydra','cv2','av','onnxruntime','tensorflow','filterpy','scipy')"
        " if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["plugin"], 2, "unknown command 'plugin': did you mean 'plugins'?"),
        (["evl", "tracking"], 2, "unknown command 'evl': did you mean 'eval'?"),
        (["eval", "trackin"], 2, "vidan eval: unknown 'trackin': did you mean 'tracking'?"),
        (["eval", "data=x"], 2, "vidan eval: unknown 'data=x': there is"),
        (["tracker=deepsrt"], 2, "unknown tracker 'deepsrt': did you mean 'deepsort'?"),
        (["--token=SECRET"], 2, "unknown option '--token=***': options of a run are key=value"),
        (["sink=web", "--token", "SECRET"], 2, "unknown option '--token': options of a run are"),
        (["token: SECRET"], 2, "unknown command 'token: ***': there is"),
        (["sink=web", "token: SECRET"], 2, "cannot understand 'token: ***': expected key=value"),
        (["eval", "token=SECRET"], 2, "vidan eval: unknown 'token=***': there is"),
        (["me:SECRET@cam"], 2, "unknown command '***@cam': there is"),
        (["max_frames=2", "rtsp://me:SECRET@x/1"], 2, "a source comes first: vidan rtsp://***@x/1"),
        (["plugins_dir=http://me:SECRET@x"], 3, "plugins_dir='http:/***@x': no such folder"),
        (["plugins_dir=" + "m" * 300], 1, "File name too long: 'mmm"),
        (["x" * 300 + ".mp4"], 1, "no such file, and no command of this name"),
        (["max_frames=0"], 2, "max_frames: expected `int` >= 1, not 0"),
        (["source=file"], 2, "missing source.path: set source.path=<value>"),
        (["source=file", "source.path=nowhere.mp4"], 1, "'nowhere.mp4'"),
        (
            ["tracker.max_age=[1"],
            2,
            "cannot understand 'tracker.max_age=[1': expected a list as key=[a,b]",
        ),
    ],
)
def test_bad_input_is_one_line_and_an_exit_code(here, capsys, arguments, code, message):
    assert cli.main(arguments) == code
    err = capsys.readouterr().err
    assert message in err
    assert err.count("\n") == 1
    assert "SECRET" not in err
    assert "SECRET" not in err


def test_a_run_writes_only_into_its_directory(here, fakes, capsys):
    assert fake_run() == 0
    assert sorted(p.name for p in here.iterdir()) == ["out"]
    names = sorted(p.name for p in (here / "out").iterdir())
    assert names == [".hydra", "summary.json"]
    summary = json.loads((here / "out/summary.json").read_text())
    assert summary["frames"] == 5
    assert summary["error"] is None
    assert summary["interrupted"] is False
    out = capsys.readouterr().out
    for word in ("frames", "p50", "p99", "fps", "age at fake", "summary.json"):
        assert word in out


def test_max_frames(here, fakes):
    assert fake_run("max_frames=2") == 0
    assert json.loads((here / "out/summary.json").read_text())["frames"] == 2


def test_a_failure_during_a_run_is_one_line_and_in_the_summary(here, fakes, capsys):
    assert fake_run("+detector.fail_at=3") == 1
    err = capsys.readouterr().err.splitlines()
    assert err[-1] == "vidan: error: detector at frame 3: RuntimeError: detector broke"
    assert "Traceback" not in "".join(err)
    summary = json.loads((here / "out/summary.json").read_text())
    assert summary["frames"] == 3
    assert "detector broke" in summary["error"]


def test_hydra_verbose_prints_a_traceback(here, fakes, capsys, caplog):
    assert fake_run("+detector.fail_at=3", "hydra.verbose=true") == 1
    assert "Traceback" in capsys.readouterr().err + caplog.text


@pytest.mark.parametrize(
    ("error", "code", "text"),
    [
        (BaseException("a panic"), 1, "vidan: error: BaseException: a panic (a bug in vidan"),
        (KeyboardInterrupt(), 130, ""),
        (SystemExit(7), 7, ""),
    ],
)
def test_what_a_command_raises_is_an_exit_code(capsys, monkeypatch, error, code, text):
    def main(arguments):
        raise error

    monkeypatch.setattr("vidan.cli.builtin.doctor", main)
    assert cli.main(["doctor"]) == code
    printed = capsys.readouterr().err
    assert printed.startswith(text)
    assert printed.count("\n") == bool(text)


def test_a_plugin_left_out_is_named(here, fakes, capsys, monkeypatch):
    monkeypatch.setitem(load_plugins().failures, "strange:x", "ImportError: no")
    assert fake_run() == 0
    assert "plugin 'strange:x' was left out: ImportError: no" in capsys.readouterr().err


def test_multirun(here, fakes):
    assert fake_run("-m", "max_frames=1,2", "hydra.sweep.dir=sweep") == 0
    frames = [json.loads((here / f"sweep/{n}/summary.json").read_text())["frames"] for n in (0, 1)]
    assert frames == [1, 2]


def test_multirun_continues_after_a_failure(here, fakes, capsys):
    assert fake_run("-m", "max_frames=0,2", "hydra.sweep.dir=sweep") == 2
    assert (here / "sweep/1/summary.json").exists()


def test_cfg_prints_the_configuration(here, capsys):
    assert cli.main(["--cfg", "job"]) == 0
    assert "max_frames: null" in capsys.readouterr().out


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_signals(tmp_path, number, code):
    (tmp_path / "det.txt").write_text("1,-1,10,10,20,20,1,-1,-1,-1\n")
    source = ["source.frames=null", "source.width=320", "source.height=240"]
    rest = ["detector=mot", "detector.path=det.txt", "sink=[jsonl]", "hydra.run.dir=out"]
    process = subprocess.Popen(
        [sys.executable, "-m", "vidan", *source, *rest],
        cwd=tmp_path,
        stderr=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        text=True,
    )
    lines = tmp_path / "out/results.jsonl"
    deadline = time.monotonic() + 60
    while not (lines.exists() and lines.stat().st_size) and time.monotonic() < deadline:
        time.sleep(0.05)
    process.send_signal(number)
    _, err = process.communicate(timeout=60)
    assert process.returncode == code, err
    summary = json.loads((tmp_path / "out/summary.json").read_text())
    assert summary["interrupted"] is True
    written = [json.loads(line) for line in io.StringIO(lines.read_text())]
    assert len(written) == summary["frames"] > 0


def test_the_multirun_option_may_be_anywhere(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    small = ["source.width=160", "source.height=96", "max_frames=2", "sink=jsonl"]
    sweep = f"hydra.sweep.dir={tmp_path / 'all'}"
    assert cli.main([*small, "-m", "tracker=sort,none", sweep]) == 0
    assert len(list((tmp_path / "all").glob("*/results.jsonl"))) == 2


def test_a_sweep_ends_with_a_comparison_of_its_jobs(here, fakes, capsys, monkeypatch):
    monkeypatch.setattr(terminal, "NO_TERMINAL_COLUMNS", 80)
    assert fake_run("-m", "max_frames=1,0,2", "hydra.sweep.dir=sweep") == 2
    lines = capsys.readouterr().out.rpartition("\n\n")[2].splitlines()
    rows = [line.split() for line in lines]
    assert rows[0] == ["job", "arguments", "frames", "detections", "tracks", "fps"]
    assert [row[:3] for row in rows[1:]] == [
        ["0", "max_frames=1", "1"],
        ["1", "max_frames=0", "failed"],
        ["2", "max_frames=2", "2"],
    ]
    summary = json.loads((here / "sweep/2/summary.json").read_text())
    tracks = sum(summary["objects"].values())
    assert rows[3][3:] == [str(summary["detections"]), str(tracks), f"{summary['fps']:.1f}"]


def test_a_quiet_sweep_prints_nothing(here, fakes, capsys):
    assert fake_run("-m", "-q", "max_frames=1,2", "hydra.sweep.dir=sweep") == 0
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize(
    "key", ["run_dir", "hydra.run.dir", "quiet", "streams", "max_frames", "counts.path", "images"]
)
def test_an_environment_variable_that_is_not_set_is_named(here, capsys, key):
    assert cli.main([f"{key}=${{oc.env:VIDAN_UNSET}}", "sink=[]"]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("vidan: error: ")
    assert line.endswith(": the environment variable VIDAN_UNSET is not set")
