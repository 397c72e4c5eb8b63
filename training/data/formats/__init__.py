"""Object-detection data sets in common formats: Pascal VOC, COCO, YOLO, TFRecord."""

from .dataset import AnnotatedImage, Dataset, join
from .detect import FORMATS, detect, expand
from .files import read, write
from .issues import POLICIES, Issue, IssueLog
from .writing import check_new

__all__ = [
    "FORMATS",
    "POLICIES",
    "AnnotatedImage",
    "Dataset",
    "Issue",
    "IssueLog",
    "check_new",
    "detect",
    "expand",
    "join",
    "read",
    "write",
]
