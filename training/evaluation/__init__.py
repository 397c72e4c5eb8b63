"""Evaluation of detectors: `vidan eval detection`, and the metrics that training reports."""

from .metrics import evaluate

__all__ = ["evaluate"]
