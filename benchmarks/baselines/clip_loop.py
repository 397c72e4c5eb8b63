"""A pipeline over clips, one after the other: what a user might start several times by hand.

    python benchmarks/baselines/clip_loop.py CONFIG OUT CLIP...

CONFIG is the configuration of the runs as JSON. The detector is built once, there is no manifest,
and the outputs of clip n are in OUT/n.
"""

from __future__ import annotations

import json
import os
import sys
import time
import uuid
from pathlib import Path

import cv2
from omegaconf import DictConfig, OmegaConf

from vidan.execution.assemble import SharedDetectors
from vidan.execution.execute import prepare
from vidan.journal import RunStart


def process(config: DictConfig, out: Path, clips: list[str]) -> None:
    """Run the pipeline over clips."""
    detectors = SharedDetectors(keep=True)
    for number, clip in enumerate(clips):
        config.run_dir, config.source.path = str(out / str(number)), clip
        Path(config.run_dir).mkdir(parents=True)
        prepare(config, start=RunStart(uuid.uuid4().hex, time.time()), detectors=detectors).run()


if __name__ == "__main__":
    os.environ["OMP_NUM_THREADS"] = "1"
    cv2.setNumThreads(1)
    given = OmegaConf.create(json.loads(Path(sys.argv[1]).read_text("utf-8")))
    assert isinstance(given, DictConfig)
    process(given, Path(sys.argv[2]), sys.argv[3:])
