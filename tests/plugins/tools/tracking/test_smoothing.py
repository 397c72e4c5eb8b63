"""`vidan smooth`: gaps and paths worked out by hand."""

import numpy as np
import pytest

from vidan.cli.main import main
from vidan.errors import ConfigError, SinkError, SourceError
from vidan_plugins.tools.tracking.commands import evaluate
from vidan_plugins.tools.tracking.commands import smooth as command
from vidan_plugins.tools.tracking.smoothing import read, smooth

from . import drawn


def track(frames, path, identity=1):
    """A track (N,10) of 40 x 80 px whose left side is `path` of the frame."""
    return np.array([[f, identity, path(f), 10, 40, 80, 0.9, -1, -1, -1] for f in frames])


def test_gaps_are_filled_on_a_straight_line():
    # Seen at 1 and 2, then at 6: 4 px a frame to 104, then 20 px in four frames.
    rows = track([1, 2, 6], {1: 100, 2: 104, 6: 124}.get)
    made = smooth(rows, gap=3, window=0)
    assert made[:, 0].tolist() == [1, 2, 3, 4, 5, 6]
    assert made[:, 2].tolist() == [100, 104, 109, 114, 119, 124]
    assert set(made[:, 6]) == {0.9}
    np.testing.assert_array_equal(smooth(rows, gap=2, window=0), rows)  # three are missing


def test_a_parabola_stays_as_it_is():
    # Local parabolas give back what is one, to its ends; also where a track is short.
    for frames in (range(1, 40), range(1, 5), range(1, 2)):
        rows = track(frames, lambda f: 100 + 3 * f + 0.5 * f**2)
        np.testing.assert_allclose(smooth(rows, gap=5, window=9), rows, atol=1e-8)


def test_trembling_is_less():
    noise = np.random.default_rng(3).normal(0, 4, 200)
    made = smooth(track(range(200), lambda f: 100 + 2 * f + noise[f]), gap=0, window=21)
    off = made[:, 2] - (100 + 2 * np.arange(200))
    assert np.std(off) < 0.5 * np.std(noise)  # 9 / (4 * 21) of the variance is left inside


def test_tracks_stay_apart():
    rows = np.concatenate([track([1, 2], lambda f: 0), track([4, 5], lambda f: 90, 2)])
    np.testing.assert_array_equal(smooth(rows, gap=9, window=0), rows)
    assert smooth(rows[:0], gap=9, window=9).shape == (0, 10)


def test_a_file_is_smoothed_beside_itself(here, capsys):
    rows = [r for r in drawn.boxes(2, 30) if r[0] not in (11, 12)]
    drawn.results(here / "a.txt", rows)
    assert main(["smooth", "tracks=a.txt"]) == 0
    assert "a-smooth.txt" in capsys.readouterr().out
    made = read(here / "a-smooth.txt")
    assert len(made) == 60
    np.testing.assert_allclose(made[:, 2], 50 + 3 * made[:, 0], atol=0.01)


def test_a_folder_is_smoothed_file_by_file(here):
    for name in ("A", "B"):
        drawn.results(here / "tracks" / f"{name}.txt", drawn.boxes(1, 9))
    assert command(["tracks=tracks", "out=better", "window=0"]) == 0
    assert sorted(p.name for p in (here / "better").iterdir()) == ["A.txt", "B.txt"]


def test_the_evaluation_reports_it_apart(here, capsys):
    # One person, out of sight for two frames of twenty: 2 missing online, none afterwards.
    rows = drawn.sequence(here / "data", "A", people=1)
    drawn.results(here / "out" / "A.txt", [r for r in rows if r[0] not in (8, 9)])
    assert evaluate(["data=data", "results=out", "smooth=true", "run_dir=run"]) == 0
    shown = capsys.readouterr().out
    online, afterwards = shown.split("afterwards, the future being known")
    assert online.splitlines()[1].split()[-2:] == ["0", "2"]
    assert afterwards.splitlines()[2].split()[-2:] == ["0", "0"]
    assert '"smoothed"' in (here / "run" / "metrics.json").read_text()


@pytest.mark.parametrize(
    ("overrides", "error", "message"),
    [
        ([], ConfigError, "tracks=None: expected"),
        (["tracks=none.txt"], SourceError, "cannot read the tracks 'none.txt': No such file"),
        (["tracks=empty"], SourceError, "tracks='empty': there is no file .txt"),
        (["tracks=good.txt", "gap=-1"], ConfigError, "gap=-1: expected a number"),
        (["tracks=good.txt", "window=x"], ConfigError, "window='x': expected a number"),
        (["tracks=good.txt", "rate=0"], ConfigError, "rate=0: expected a number above 0"),
        (["tracks=good.txt", "out=good.txt"], SinkError, "would replace what is read"),
        (["tracks=words.txt"], SourceError, "words.txt:1: 'hello' is no track"),
        (["tracks=twice.txt"], SourceError, "twice.txt: track 1 has two boxes in frame 1"),
    ],
)
def test_what_cannot_be_smoothed(here, overrides, error, message):
    (here / "empty").mkdir()
    rows = drawn.boxes(1, 3)
    drawn.results(here / "good.txt", rows)
    drawn.results(here / "twice.txt", [rows[0], rows[0]])
    (here / "words.txt").write_text("hello\n")
    with pytest.raises(error, match=message):
        command(overrides)


def test_its_help(capsys):
    assert main(["smooth", "--help"]) == 0
    assert "window: 0.7" in capsys.readouterr().out
