"""A third-party plugin: a detector that finds the same box in every frame."""

import numpy as np

from vidan import Detections, hookimpl


@hookimpl
def vidan_components(registry):
    registry.add("detector", "foo", "vidan_foo:Foo")


@hookimpl
def vidan_config():
    return "pkg://vidan_foo.conf"


class Foo:
    def __init__(self, *, size: float = 10.0):
        self.size = size
        self.labels = ("foo",)

    def detect(self, frames):
        box = np.array([[5, 5, 5 + self.size, 5 + self.size]], np.float32)
        one = Detections(box, np.ones(1, np.float32), np.zeros(1, np.int32))
        return [one for _ in frames]

    def close(self):
        pass
