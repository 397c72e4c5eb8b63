"""Data sets in the formats that people have: Pascal VOC, COCO, YOLO, TFRecord."""

from .dataset import Dataset, Picture, join
from .detect import FORMATS, detect, expand
from .files import read, write
from .problems import POLICIES, Problem, Problems

__all__ = [
    "FORMATS",
    "POLICIES",
    "Dataset",
    "Picture",
    "Problem",
    "Problems",
    "detect",
    "expand",
    "join",
    "read",
    "write",
]
