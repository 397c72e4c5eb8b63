"""Poor imaging conditions: haze, low light, motion blur. All take and return (H,W,3) uint8 RGB.

Training draws the strength at random; evaluation uses fixed strengths.
"""

from __future__ import annotations

import cv2
import numpy as np

from vidan.types import Image

from ..arrays import FloatArray

GAMMA = 2.2  # approximates the sRGB transfer curve
DEPTH_GRID = (4, 4)  # of the random relief: structures far larger than a face


def haze(image: Image, transmission: float, rng: np.random.Generator) -> Image:
    """Add haze by the atmospheric scattering model, I = J t + A (1 - t), t = exp(-beta d).

    Koschmieder's law as in Narasimhan and Nayar 2002, Int. J. Computer Vision 48(3). The depth d
    is random and smooth and grows towards the top of the image, as in most outdoor scenes; the
    airlight A is a bright gray with a slight tint.

    Args:
        image: (H,W,3) uint8 RGB.
        transmission: mean of t over the image, in (0,1]: 0.7 is light haze, 0.5 medium,
            0.3 dense.
        rng: the only source of randomness.
    """
    depth = _depth(image.shape[0], image.shape[1], rng)
    beta = _attenuation(depth, transmission)
    t = np.exp(-beta * depth)[..., None]
    airlight = rng.uniform(190, 250) + rng.uniform(-8, 8, 3)
    # A camera adapts its exposure to the haze, so the result is clipped at white.
    hazy = image * t + airlight.astype(np.float32) * (1 - t)
    return np.asarray(np.clip(hazy, 0, 255), np.uint8)


def _depth(height: int, width: int, rng: np.random.Generator) -> FloatArray:
    """(H,W) float32 in [0.2,1]: random relief plus a slope that rises to the top."""
    relief = rng.random(DEPTH_GRID).astype(np.float32)
    relief = np.asarray(
        cv2.resize(relief, (width, height), interpolation=cv2.INTER_CUBIC), np.float32
    )
    slope = np.linspace(1, 0, height, dtype=np.float32)[:, None]
    mix = np.float32(rng.uniform(0.2, 0.8))
    return np.clip(0.2 + 0.8 * (mix * slope + (1 - mix) * relief), 0.2, 1.0).astype(np.float32)


def _attenuation(depth: FloatArray, transmission: float) -> float:
    """The beta for which the mean of exp(-beta depth) is `transmission`, by bisection."""
    small = depth[:: max(1, depth.shape[0] // 16), :: max(1, depth.shape[1] // 16)]
    low, high = 0.0, 50.0
    for _ in range(30):
        middle = (low + high) / 2
        too_clear = np.exp(-middle * small).mean() > transmission
        low, high = (middle, high) if too_clear else (low, middle)
    return (low + high) / 2


def low_light(image: Image, exposure: float, rng: np.random.Generator) -> Image:
    """Simulate less light on the same sensor: darker, noisier, with a slight color cast.

    Works on linear light. Noise consists of photon noise, with a variance proportional to
    the light, and read noise: Foi et al. 2008, IEEE Trans. Image Processing 17(10).

    Args:
        image: (H,W,3) uint8 RGB.
        exposure: remaining fraction of the light, in (0,1]: 0.3 is dusk, 0.1 a dark room.
        rng: the only source of randomness.
    """
    light = (image.astype(np.float32) / 255) ** GAMMA * np.float32(exposure)
    light *= rng.uniform(0.85, 1.15, 3).astype(np.float32)
    photon, read = rng.uniform(2e-4, 1.5e-3), rng.uniform(1e-3, 4e-3)
    deviation = np.sqrt(photon * light + read**2)
    light += deviation * rng.standard_normal(image.shape, np.float32)
    return (255 * np.clip(light, 0, 1) ** (1 / GAMMA)).astype(np.uint8)


def motion_blur(image: Image, length: float, rng: np.random.Generator) -> Image:
    """Blur as if camera or face moved by `length` px during the exposure, in any direction."""
    size = int(np.ceil(length)) | 1
    kernel = np.zeros((size, size), np.float32)
    angle, middle = rng.uniform(0, np.pi), size // 2
    x, y = np.cos(angle) * middle, np.sin(angle) * middle
    begin = (round(middle - x), round(middle - y))
    end = (round(middle + x), round(middle + y))
    cv2.line(kernel, begin, end, 1.0)
    return np.asarray(cv2.filter2D(image, -1, kernel / kernel.sum()), np.uint8)
