"""`split=10s`: parts of long files are detected in parallel, with the outputs of whole files."""

from pathlib import Path

import pytest

from vidan.cli.main import main
from vidan_plugins.tools.batch import settings, split
from vidan_plugins.tools.batch.recorded import RecordedDetector

from .conftest import finished, rows
from .test_clusters import results


@pytest.fixture
def mot(batch):
    """Overrides that choose boxes of a file, which take no time to detect."""
    boxes = [f"{n},-1,{10 * n},100,40,100,1,-1,-1,-1" for n in range(1, 41)]
    Path("det.txt").write_text("\n".join(boxes))
    return ["detector=mot", "detector.path=det.txt"]


@pytest.fixture
def short(monkeypatch):
    """Clips of little more than a second are long."""
    monkeypatch.setattr(settings, "MIN_SPLIT_S", 0.1)


@pytest.fixture
def detections(monkeypatch):
    """Frames that are detected in the job of a file, in threads of this process."""
    from concurrent.futures import ThreadPoolExecutor

    found = []
    detect = RecordedDetector.detect

    def counting(self, frames):
        found.append([self._find(frame) is not None for frame in frames])
        return detect(self, frames)

    class Threads(ThreadPoolExecutor):
        def __init__(self, workers=1):
            super().__init__(1)

    monkeypatch.setattr(RecordedDetector, "detect", counting)
    monkeypatch.setattr("vidan_plugins.runners.processes.Processes", Threads)
    return found


def test_the_outputs_are_those_of_whole_files(batch, short):
    given = ["source.path=clips/b/*.mp4", "detector=onnx"]
    batch(*given)
    batch(*given, "split=0.5s", "run_dir=parts", "runner.workers=2")
    assert rows(Path("parts")) == rows()
    assert results("parts") == results("out")
    assert not Path("parts/_detections").exists()


def test_each_frame_is_detected_once(batch, mot, short, detections):
    batch(*mot, "split=0.5s")
    assert [found for each in detections for found in each] == 3 * 40 * [True]


def test_what_a_failed_part_lacks_is_detected_with_its_file(
    batch, mot, short, detections, monkeypatch
):
    batch(*mot, "run_dir=whole")
    detect = split._detect
    monkeypatch.setattr(split, "_detect", lambda part: part.number == 1 or detect(part))
    batch(*mot, "split=0.5s", "retries=0")
    known = [found for each in detections for found in each]
    assert 0 < known.count(False) < len(known)
    assert results("out") == results("whole")


def test_detected_parts_are_used_by_the_next_command(batch, mot, short, detections, monkeypatch):
    class Stop(BaseException):
        pass

    def stop(*_):
        raise Stop

    parts = []
    detect = split._detect
    monkeypatch.setattr(split, "_detect", lambda part: parts.append(part.name) or detect(part))
    with monkeypatch.context() as patch:
        patch.setattr("vidan_plugins.tools.batch.batch._recorded", stop)
        batch(*mot, "split=0.5s", check=1)
    before = len(parts)
    assert before > 3
    batch(*mot, "split=0.5s")
    assert len(parts) == before
    assert set(finished()) == set(rows())


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        (["split=10parsecs"], "split='10parsecs': expected"),
        (["split=2s"], "split='2s': expected at least 10 s"),
        (["split=1h", "source.rate=5"], "split does not work with source.rate=5"),
        (["split=1h", "source=images"], "split does not work with source.name='images'"),
        (["split=1h", "detector.when=motion"], "split does not work with detector.when='motion'"),
    ],
)
def test_bad_values_are_one_clear_line(overrides, message, here, capsys):
    Path("a.mp4").touch()
    assert main(["batch", "source.path=a.mp4", "run_dir=out", *overrides]) == 2
    assert message in capsys.readouterr().err
