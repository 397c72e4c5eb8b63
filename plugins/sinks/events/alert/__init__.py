"""Alerts on a phone, by mail, and in chats."""

from .sink import Alert

__all__ = ["Alert"]
