"""How good a detector is: `vidan eval detection`, and the figures a training is followed by."""

from .figures import evaluate

__all__ = ["evaluate"]
