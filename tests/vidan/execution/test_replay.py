import logging
import random

import numpy as np
import pytest

from vidan import Detections, SinkError, SourceError
from vidan.execution.replay import MAGIC, DetectionStore, ReplayDetector

from ..fakes import FakeDetector, frame


def detections(seed, count=None, features=None):
    rng = np.random.default_rng(seed)
    count = int(rng.integers(0, 6)) if count is None else count
    corner = rng.uniform(-50, 500, (count, 2))
    return Detections(
        np.hstack([corner, corner + rng.uniform(0, 99, (count, 2))]).astype(np.float32),
        rng.random(count).astype(np.float32),
        rng.integers(0, 9, count).astype(np.int32),
        None if features is None else rng.normal(size=(count, features)).astype(np.float32),
    )


def same(one, other):
    for name in ("boxes", "scores", "classes", "features"):
        a, b = getattr(one, name), getattr(other, name)
        if a is None or b is None:
            assert a is b
        else:
            assert (a.dtype, a.shape, a.tobytes()) == (b.dtype, b.shape, b.tobytes())


def filled(path, order, features=None):
    store = DetectionStore(path)
    for n in order:
        store.add(frame(n), detections(n, features=features))
    store.close()
    return path


@pytest.mark.parametrize("features", [None, 0, 5])
def test_records_are_read_back_exactly(tmp_path, features):
    order = random.Random(1).sample(range(0, 80, 2), 40)  # as several workers finish
    store = DetectionStore(filled(tmp_path / "d.bin", order, features), resumed=True)
    assert store.count == 40
    for n in range(80):
        found = store.find(frame(n))
        assert (found is None) == (n % 2 == 1)
        if found is not None:
            same(found, detections(n, features=features))
    store.close()


def test_complete_records_survive_a_cut_anywhere_and_more_can_be_added(tmp_path):
    data = filled(tmp_path / "d.bin", range(5)).read_bytes()
    ends = [len(MAGIC)]
    for n in range(5):
        ends.append(ends[-1] + 36 + 24 * len(detections(n)))  # header, 24 bytes a box
    assert ends[-1] == len(data)
    for size in range(len(data) + 1):
        (tmp_path / "d.bin").write_bytes(data[:size])
        store = DetectionStore(tmp_path / "d.bin", resumed=True)
        whole = max((n for n in range(6) if ends[n] <= size), default=0)
        assert store.count == whole
        store.add(frame(9), detections(9))
        store.close()
        again = DetectionStore(tmp_path / "d.bin", resumed=True)
        assert again.count == whole + 1
        same(again.find(frame(9)), detections(9))
        again.close()


def test_records_before_a_flipped_bit_are_used(tmp_path):
    data = bytearray(filled(tmp_path / "d.bin", range(5)).read_bytes())
    for at in range(0, len(data), 7):
        data[at] ^= 16
        (tmp_path / "d.bin").write_bytes(data)
        data[at] ^= 16
        store = DetectionStore(tmp_path / "d.bin", resumed=True)
        assert store.count < 5
        for n in range(store.count):
            same(store.find(frame(n)), detections(n))
        store.close()


def test_a_frame_that_has_changed(tmp_path):
    store = DetectionStore(filled(tmp_path / "d.bin", range(5)), resumed=True)
    with pytest.raises(SourceError, match=r"frame 3 was 64x48 px at 0\.100 s, now .* at 0\.104 s"):
        store.find(frame(3, time_=0.104))
    with pytest.raises(SourceError, match="now 32x48 px"):
        store.find(frame(3, width=32))
    store.close()


def test_each_frame_is_detected_once(tmp_path):
    class CountingDetector(FakeDetector):
        batch = 3

        def detect(self, frames):
            detected.extend(f.index for f in frames)
            return super().detect(frames)

    detected = []
    for frames in ([0, 1], [1, 2, 0, 3]):
        replay = ReplayDetector(CountingDetector(), tmp_path / "d.bin", resumed=True)
        found = replay.detect([frame(n) for n in frames])
        assert [f.boxes[0, 0] for f in found] == frames
        assert (replay.labels, replay.batch) == (("thing",), 3)
        replay.close()
    assert detected == [0, 1, 2, 3]


def test_too_few_results_are_left_to_the_pipeline(tmp_path):
    class EmptyDetector(FakeDetector):
        def detect(self, frames):
            return []

    replay = ReplayDetector(EmptyDetector(), tmp_path / "d.bin", resumed=False)
    assert replay.detect([frame()]) == []
    replay.close()


def test_a_full_disk_ends_recording_but_not_the_run(tmp_path, monkeypatch, caplog):
    monkeypatch.setattr("vidan.execution.replay.MAX_BYTES", 200)
    store = DetectionStore(tmp_path / "d.bin")
    with caplog.at_level(logging.WARNING):
        for n in range(10):
            store.add(frame(n), detections(n, count=2))  # 84 bytes each, after 19
    assert caplog.text.count("vidan resume would detect again from frame 2") == 1
    store.close()
    again = DetectionStore(tmp_path / "d.bin", resumed=True)
    assert again.count == 2
    again.close()


def test_a_file_that_cannot_be_written(tmp_path):
    with pytest.raises(SinkError, match=r"cannot write .*nowhere"):
        DetectionStore(tmp_path / "nowhere/d.bin")
