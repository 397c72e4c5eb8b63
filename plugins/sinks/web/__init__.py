"""A live view in the browser."""

from .sink import Web

__all__ = ["Web"]
