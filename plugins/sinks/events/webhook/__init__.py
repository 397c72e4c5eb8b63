"""Events for a service with HTTP."""

from .sink import Webhook

__all__ = ["Webhook"]
