"""Events, counts and images for an MQTT broker."""

from .sink import Mqtt

__all__ = ["Mqtt"]
