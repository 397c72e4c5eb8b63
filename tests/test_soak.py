"""A run that lasts: memory and file descriptors stay flat, ages bounded, disk space kept.

pytest tests/test_soak.py               3,000 frames
VIDAN_SOAK_PLOT=soak.png pytest -m soak tests/test_soak.py   200,000 frames, some ten minutes
"""

import json
import os
import random
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

pytestmark = pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="no /proc here")

SETTLED = 0.3
"""Share of the run after which everything that has a bound has reached it."""

WAYS = [
    "source=synthetic",
    "source.width=64",
    "source.height=64",
    "source.people=0",
    "detector=mot",
    "detector.path=det.txt",
    "tracker=steady",
    "sink=[video,jsonl,mot,snapshots]",
    "sink.video.segment=60s",
    "sink.video.keep=5",
    "sink.snapshots.cooldown=20",
    "sink.snapshots.keep=50",
    "hydra.run.dir=out",
]


def write_detections(path, frames):
    """Two objects that walk for 40 frames, and then others somewhere else: ever new identities."""
    rng = random.Random(1)
    with path.open("w") as file:
        for n in range(frames):
            if n % 40 == 0:
                starts = [(rng.uniform(0, 40), rng.uniform(0, 30)) for _ in range(2)]
            for x, y in starts:
                file.write(f"{n + 1},-1,{x + n % 40 * 0.1:.2f},{y:.2f},14,22,0.9,-1,-1,-1\n")


def usage(pid):
    """Resident memory in MB and open files of a process."""
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6, sum(
        1 for _ in Path(f"/proc/{pid}/fd").iterdir()
    )


def watched_run(folder, frames):
    """Time in s, memory in MB and open files, a row each half second; and the summary."""
    write_detections(folder / "det.txt", frames)
    rows, began = [], time.monotonic()
    with (folder / "output").open("wb") as output:
        command = [sys.executable, "-m", "vidan", *WAYS, f"source.frames={frames}"]
        process = subprocess.Popen(command, cwd=folder, stdout=output, stderr=output)
        while process.poll() is None:
            if (folder / "out/results.jsonl").exists():
                try:
                    rows.append((time.monotonic() - began, *usage(process.pid)))
                except OSError:  # it has just ended
                    break
            time.sleep(0.1 if frames < 10_000 else 0.5)
    assert process.wait() == 0, (folder / "output").read_text()
    return np.array(rows), json.loads((folder / "out/summary.json").read_text())


def plot(rows, frames, path):
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot as plt

    figure, (above, below) = plt.subplots(2, 1, sharex=True, figsize=(8, 5))
    minutes = rows[:, 0] / 60
    above.plot(minutes, rows[:, 1])
    above.set(ylabel="resident memory, MB", ylim=(0, None), title=f"{frames:,} frames in one run")
    below.plot(minutes, rows[:, 2], drawstyle="steps")
    below.set(ylabel="open files", ylim=(0, None), xlabel="minutes")
    figure.tight_layout()
    figure.savefig(path, dpi=100)
    plt.close(figure)


@pytest.mark.parametrize("frames", [3000, pytest.param(200_000, marks=pytest.mark.soak)])
def test_a_run_that_lasts(tmp_path, frames):
    rows, summary = watched_run(tmp_path, frames)
    if target := os.environ.get("VIDAN_SOAK_PLOT"):
        plot(rows, frames, target)
    assert summary["frames"] == frames
    assert summary["objects"]["person"] >= frames // 40  # there was something to forget
    settled = rows[int(SETTLED * len(rows)) :]
    early, late = np.array_split(settled[:, 1], 2)
    grown = np.median(late) - np.median(early)
    opened = settled[:, 2].max() - np.median(settled[:, 2])
    print(
        f"{frames} frames in {rows[-1, 0]:.0f} s: memory {np.median(early):.0f} to "
        f"{np.median(late):.0f} MB, most {rows[:, 1].max():.0f}; open files "
        f"{np.median(settled[:, 2]):.0f}, at most {opened:.0f} more"
    )
    # Of a short run the percentiles' windows are still filling up: 20,000 numbers each.
    assert grown < (25 if frames < 100_000 else 8)
    assert opened <= 12  # while one segment is finished and the next is written
    assert max(age["max"] for age in summary["age_ms"].values()) < 20_000
    assert 2 <= len(list((tmp_path / "out").glob("video-*.mp4"))) <= 5  # by where minutes begin
    assert len(list((tmp_path / "out/snapshots").iterdir())) <= 50
    jsonl = (tmp_path / "out/results.jsonl").open("rb")
    with jsonl:
        assert sum(1 for _ in jsonl) == frames
