"""Training learns: it overfits two images without misses and false alarms."""

import json

import pytest

pytest.importorskip("faster_coco_eval", reason="needs the extra: pip install vidan[train]")

from vidan_training.fit import train
from vidan_training.model import backbones
from vidan_training.model import efficientdet as model

from ..drawn import draw

PLAIN = [
    "augmentation.scale=[1,1]", "augmentation.focus=0", "augmentation.flip=0",
    "augmentation.color=0", "augmentation.degrade=0", "augmentation.haze=0",
    "augmentation.low_light=0", "augmentation.motion_blur=0", "augmentation.mosaic=0",
    "augmentation.resize_boxes=0",
]  # fmt: skip
SMALL = [
    "model=tiny", "weights=null", "size=[128,128]", "crop=128", "batch=2", "frozen_stages=0",
    "anchors.octaves=1", "anchors.ratios=[1]", "loss.class_weights=null", "oversample=null",
]  # fmt: skip
# Statistics of the backbone's batch norm keep their initial values: with one step per epoch they
# would adapt too slowly for the evaluation.
FAST = [
    "frozen_norm_stages=8", "optimizer.learning_rate=0.01", "optimizer.backbone_factor=1",
    "optimizer.weight_decay=0", "optimizer.ema=0.8", "epochs=60", "evaluate_every=30",
]  # fmt: skip


@pytest.mark.slow
def test_training_overfits_two_images(tmp_path, monkeypatch):
    monkeypatch.setitem(backbones.SCALINGS, "tiny", backbones.CompoundScaling(0.25, 0.3, lite=True))
    monkeypatch.setitem(model.ARCHITECTURES, "tiny", model.Architecture("tiny", 16, 1, 1))
    data = draw(tmp_path / "data", 2)
    where = [f"data={data}", f"validation={data}", f"output={tmp_path / 'out'}"]
    assert train.main([*SMALL, *PLAIN, *FAST, *where]) == 0
    rows = [json.loads(line) for line in (tmp_path / "out/log.jsonl").read_text().splitlines()]
    assert max(row.get("AP50", 0) for row in rows) == pytest.approx(1.0)
