"""A camera with prepared images, in place of cv2.VideoCapture."""

import numpy as np

BGR = (200, 100, 50)


class FakeCamera:
    """A cv2.VideoCapture with prepared images; None stands for a failed grab."""

    def __init__(self, images, opened=True, limits=None):
        self.images = list(images)
        self.opened = opened
        self.limits = limits or {}  # largest supported value of each property
        self.settings = {}
        self.requested = []
        self.released = 0

    def __call__(self, device, backend):
        self.device, self.backend = device, backend
        return self

    def isOpened(self):  # noqa: N802 - OpenCV's name
        return self.opened

    def set(self, option, value):
        self.requested.append(option)
        self.settings[option] = min(value, self.limits.get(option, value))
        return True

    def get(self, option):
        return float(self.settings.get(option, 0))

    def grab(self):
        self.image = self.images.pop(0) if self.images else None
        return self.image is not None

    def retrieve(self):
        return self.image.size > 0, self.image

    def release(self):
        self.released += 1
        self.opened = False


def bgr_image(width=8, height=6):
    return np.full((height, width, 3), BGR, np.uint8)


BROKEN = np.zeros((0, 0, 3), np.uint8)
