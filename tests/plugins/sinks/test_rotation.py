"""Which output files are kept."""

import os
import time

import pytest

from vidan_plugins.sinks.rotation import Names, Retention


def touch(folder, name, age, size=1000):
    path = folder / name
    path.write_bytes(bytes(size))
    os.utime(path, (time.time() - age,) * 2)
    return path


OTHERS = [
    "video.mp4",
    "video-2026-03-04.mp4",
    "avideo-2026-03-04_12-00-00.mp4",
    "video-2026-03-04_12-00-00.mp4.txt",
    "video-2026-03-04_12-00-00.mov",
    "results.jsonl",
]
"""Names that do not match the pattern of `video.mp4`."""


@pytest.mark.parametrize(
    ("keep", "left"),
    [
        (None, 6),
        (3, 3),
        ("3d", 3),  # 0, 1 and 2 days old; the next is a minute older than 3 days
        ("4kB", 3),  # 1000 bytes each, including the next file
        ("4.9kB", 3),
        ("1kB", 1),  # the newest is always kept
    ],
)
def test_only_the_oldest_files_with_matching_names_are_deleted(tmp_path, keep, left):
    others = [touch(tmp_path, name, 10**8) for name in OTHERS]
    (tmp_path / "video-2020-01-01_00-00-00.mp4").mkdir()
    linked = touch(tmp_path, "precious", 10**8)
    (tmp_path / "video-2020-01-01_00-00-01.mp4").symlink_to(linked)
    names = [f"video-2026-03-{10 - day:02}_12-00-00.mp4" for day in range(6)]
    ours = [
        touch(tmp_path, name, day * 86400 + (60 if day > 2 else 0))
        for day, name in enumerate(names)
    ]
    before = len(list(tmp_path.iterdir()))
    Retention("keep", keep).prune(Names("path", str(tmp_path / "video.mp4"), "time"))
    assert [path.exists() for path in ours] == [n < left for n in range(6)]
    assert all(path.exists() for path in [*others, linked])
    assert len(list(tmp_path.iterdir())) == before - 6 + left


def test_unfinished_files_of_a_killed_process_are_deleted_too(tmp_path):
    left = touch(tmp_path, "video-2026-03-04_12-00-00.mp4.part", 100)
    touch(tmp_path, "video-2026-03-05_12-00-00.mp4", 0)
    Retention("keep", 1).prune(Names("path", str(tmp_path / "video.mp4"), "time"))
    assert not left.exists()
