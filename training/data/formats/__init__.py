"""Object-detection data sets in common formats: Pascal VOC, COCO, YOLO, TFRecord."""

from .dataset import AnnotatedImage, Dataset, join
from .detect import FORMATS, detect, expand
from .files import read, write
from .issues import POLICIES, Issue, IssueLog

__all__ = [
    "FORMATS",
    "POLICIES",
    "AnnotatedImage",
    "Dataset",
    "Issue",
    "IssueLog",
    "detect",
    "expand",
    "join",
    "read",
    "write",
]
