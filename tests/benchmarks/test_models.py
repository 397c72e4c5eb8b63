"""Models take turns on one frame."""

from benchmarks import inputs
from benchmarks.suite import models
from vidan_plugins.tools.bench.clip import make_clip


def test_shipped_models_need_no_download():
    assert {"facemask_lite0_int8", "people_lite0_int8"} <= set(models.known())


def test_every_model_is_timed_in_every_round(tmp_path):
    clip = make_clip(tmp_path, "320x240", 2, 4)
    names = ["facemask_lite0_int8", str(inputs.shipped())]
    found = models.models(names, clip, rounds=2, threads=1, out=tmp_path)
    (table,) = found["tables"]
    assert [row[0] for row in table["rows"]] == ["facemask_lite0_int8"] * 2
    assert all(row[1] > 4 and row[2] >= row[3] > 0 for row in table["rows"])
    assert "facemask_lite0_int8" in (tmp_path / "models.json").read_text()
