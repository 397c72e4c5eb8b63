"""The names of COCO's classes, which public detectors are mostly trained on.

Lin et al., "Microsoft COCO: Common Objects in Context", arXiv 1405.0312. Its ids run from 1 to
90, and ten of them were never given out; 80 classes are left.
"""

from __future__ import annotations

from collections.abc import Mapping

_TEXT = (
    "person, bicycle, car, motorcycle, airplane, bus, train, truck, boat, traffic light, fire "
    "hydrant, , stop sign, parking meter, bench, bird, cat, dog, horse, sheep, cow, elephant, "
    "bear, zebra, giraffe, , backpack, umbrella, , , handbag, tie, suitcase, frisbee, skis, "
    "snowboard, sports ball, kite, baseball bat, baseball glove, skateboard, surfboard, "
    "tennis racket, bottle, , wine glass, cup, fork, knife, spoon, bowl, banana, apple, "
    "sandwich, orange, broccoli, carrot, hot dog, pizza, donut, cake, chair, couch, potted "
    "plant, bed, , dining table, , , toilet, , tv, laptop, mouse, remote, keyboard, cell "
    "phone, microwave, oven, toaster, sink, refrigerator, , book, clock, vase, scissors, "
    "teddy bear, hair drier, toothbrush"
)
_NAMES = _TEXT.split(", ")

COCO_IDS: Mapping[int, str] = {i: name for i, name in enumerate(_NAMES, 1) if name}
"""The names by COCO's own ids, from 1 to 90 with gaps."""

COCO: Mapping[int, str] = dict(enumerate(COCO_IDS.values(), 1))
"""The 80 names in order, from 1."""

BUILT_IN: Mapping[str, Mapping[int, str]] = {"coco": COCO, "coco91": COCO_IDS}
"""What `detector.labels` may say instead of naming a file."""


def names_for(most: int | None) -> Mapping[int, str] | None:
    """COCO's names where the largest number is theirs: 80, or 90 by id; None for others."""
    return {len(COCO): COCO, max(COCO_IDS): COCO_IDS}.get(most or 0)
