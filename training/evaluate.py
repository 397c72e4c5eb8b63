"""The figures that a training is followed by; see `evaluation`."""

from .evaluation.figures import evaluate

__all__ = ["evaluate"]
