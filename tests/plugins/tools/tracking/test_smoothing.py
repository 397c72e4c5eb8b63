"""`vidan smooth`, with gaps and paths computed by hand."""

import numpy as np
import pytest

from vidan.cli.main import main
from vidan.errors import ConfigError, SinkError, SourceError
from vidan_plugins.formats.mot import read_tracks
from vidan_plugins.tools.tracking.commands import evaluate
from vidan_plugins.tools.tracking.commands import smooth as command
from vidan_plugins.tools.tracking.smoothing import smooth

from . import mot_files


def track(frames, path, identity=1):
    """A track (N,10) of 40 x 80 px whose left side is at `path(frame)`."""
    return np.array([[f, identity, path(f), 10, 40, 80, 0.9, -1, -1, -1] for f in frames])


def test_gaps_are_filled_by_linear_interpolation():
    # Boxes in frames 1, 2 and 6: 4 px per frame to 104, then 20 px in four frames.
    rows = track([1, 2, 6], {1: 100, 2: 104, 6: 124}.get)
    made = smooth(rows, gap=3, window=0)
    assert made[:, 0].tolist() == [1, 2, 3, 4, 5, 6]
    assert made[:, 2].tolist() == [100, 104, 109, 114, 119, 124]
    assert set(made[:, 6]) == {0.9}
    np.testing.assert_array_equal(smooth(rows, gap=2, window=0), rows)  # three frames are missing


def test_a_parabola_does_not_change():
    # Local parabolas reproduce a parabola up to its ends, also in a short track.
    for frames in (range(1, 40), range(1, 5), range(1, 2)):
        rows = track(frames, lambda f: 100 + 3 * f + 0.5 * f**2)
        np.testing.assert_allclose(smooth(rows, gap=5, window=9), rows, atol=1e-8)


def test_jitter_is_reduced():
    noise = np.random.default_rng(3).normal(0, 4, 200)
    made = smooth(track(range(200), lambda f: 100 + 2 * f + noise[f]), gap=0, window=21)
    off = made[:, 2] - (100 + 2 * np.arange(200))
    assert np.std(off) < 0.5 * np.std(noise)  # 9 / (4 * 21) of the variance remains inside


def test_tracks_are_not_joined():
    rows = np.concatenate([track([1, 2], lambda f: 0), track([4, 5], lambda f: 90, 2)])
    np.testing.assert_array_equal(smooth(rows, gap=9, window=0), rows)
    assert smooth(rows[:0], gap=9, window=9).shape == (0, 10)


def test_a_file_is_smoothed_into_one_next_to_it(here, capsys):
    rows = [r for r in mot_files.boxes(2, 30) if r[0] not in (11, 12)]
    mot_files.results(here / "a.txt", rows)
    assert main(["smooth", "tracks=a.txt"]) == 0
    assert "a-smooth.txt" in capsys.readouterr().out
    made = read_tracks(here / "a-smooth.txt")
    assert len(made) == 60
    np.testing.assert_allclose(made[:, 2], 50 + 3 * made[:, 0], atol=0.01)


def test_a_folder_is_smoothed_file_by_file(here):
    for name in ("A", "B"):
        mot_files.results(here / "tracks" / f"{name}.txt", mot_files.boxes(1, 9))
    assert command(["tracks=tracks", "out=better", "window=0"]) == 0
    assert sorted(p.name for p in (here / "better").iterdir()) == ["A.txt", "B.txt"]


def test_the_evaluation_reports_smoothed_tracks_separately(here, capsys):
    # One person, hidden in two frames of twenty: 2 missing online, none after smoothing.
    rows = mot_files.sequence(here / "data", "A", people=1)
    mot_files.results(here / "out" / "A.txt", [r for r in rows if r[0] not in (8, 9)])
    assert evaluate(["data=data", "results=out", "smooth=true", "run_dir=run"]) == 0
    shown = capsys.readouterr().out
    online, afterwards = shown.split("after offline smoothing")
    assert online.splitlines()[1].split()[-2:] == ["0", "2"]
    assert afterwards.splitlines()[2].split()[-2:] == ["0", "0"]
    assert '"smoothed"' in (here / "run" / "metrics.json").read_text()


@pytest.mark.parametrize(
    ("overrides", "error", "message"),
    [
        ([], ConfigError, "tracks=None: expected"),
        (["tracks=none.txt"], SourceError, "cannot read the tracks 'none.txt': No such file"),
        (["tracks=empty"], SourceError, "tracks='empty': there is no .txt file"),
        (["tracks=good.txt", "gap=-1"], ConfigError, "gap=-1: expected a number"),
        (["tracks=good.txt", "window=x"], ConfigError, "window='x': expected a number"),
        (["tracks=good.txt", "rate=0"], ConfigError, "rate=0: expected a number above 0"),
        (["tracks=good.txt", "out=good.txt"], SinkError, "would overwrite the input"),
        (["tracks=words.txt"], SourceError, "words.txt:1: 'hello' is not a track"),
        (["tracks=twice.txt"], SourceError, "twice.txt: track 1 has two boxes in frame 1"),
    ],
)
def test_invalid_input(here, overrides, error, message):
    (here / "empty").mkdir()
    rows = mot_files.boxes(1, 3)
    mot_files.results(here / "good.txt", rows)
    mot_files.results(here / "twice.txt", [rows[0], rows[0]])
    (here / "words.txt").write_text("hello\n")
    with pytest.raises(error, match=message):
        command(overrides)


def test_help(capsys):
    assert main(["smooth", "--help"]) == 0
    assert "window: 0.7" in capsys.readouterr().out
