"""One frame of the demo's scene: who is about, their shadows, the light of the moment, the sensor's noise."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from pixelfast.demo.backdrop import Backdrop, Cutout, shade_ground
from pixelfast.demo.shapes import Body, Image, draw
from pixelfast.demo.story import FRAMES_PER_SECOND, Actor

_NOISE_SIGMA = 2.2
_NOISE_MARGIN = 64


@dataclass(frozen=True)
class Weather:
    """How the light of a video changes: slow waves of brightness, a cloud's edge drifting over the scene."""

    level: float
    depth: float
    period: float
    phase: float
    drift: float

    @classmethod
    def random(cls, rng: np.random.Generator) -> "Weather":
        """Returns the light of one video."""
        return cls(
            level=float(rng.uniform(0.94, 1.04)),
            depth=float(rng.uniform(0.03, 0.07)),
            period=float(rng.uniform(14.0, 30.0)),
            phase=float(rng.uniform(0.0, 2 * np.pi)),
            drift=float(rng.uniform(0.02, 0.05)),
        )

    def gain(self, second: float, height: int, width: int) -> NDArray[np.float32]:
        """Brightness f32[H, W, 3] of the moment."""
        x, y = np.meshgrid(np.linspace(0, 1, 24), np.linspace(0, 1, 14))
        wave = 2 * np.pi * (second / self.period + 0.35 * x + 0.15 * y) + self.phase
        light = self.level * (1.0 + self.depth * np.sin(wave) + self.drift * np.sin(2.3 * wave + 1.0))
        warm = np.stack([light * (1.01 - 0.02 * np.sin(wave)), light, light * (0.99 + 0.02 * np.sin(wave))], axis=-1)
        return np.asarray(cv2.resize(warm.astype(np.float32), (width, height), interpolation=cv2.INTER_LINEAR))


def noise_field(height: int, width: int, seed: int) -> NDArray[np.float32]:
    """Returns sensor noise f32[H + 64, W + 64, 3] of unit spread; every frame takes a cut of its own from it."""
    rng = np.random.default_rng([seed, 3])
    shape = (height + _NOISE_MARGIN, width + _NOISE_MARGIN)
    shared = rng.standard_normal((*shape, 1), dtype=np.float32)
    return np.asarray(0.8 * shared + 0.6 * rng.standard_normal((*shape, 3), dtype=np.float32), dtype=np.float32)


def render(
    backdrop: Backdrop,
    actors: list[Actor],
    weather: Weather,
    frame: int,
    *,
    noise: NDArray[np.float32],
    rng: np.random.Generator,
) -> Image:
    """Draw frame number `frame` (from 0) of a video as u8[H, W, 3], blue, green, red."""
    second = frame / FRAMES_PER_SECOND
    bodies = [body for actor in actors if (body := actor.body(second)) is not None]
    picture = backdrop.picture.copy()
    shade_ground(picture, [body for body, _ in bodies], backdrop.camera)
    _draw_by_distance(picture, bodies, backdrop)
    height, width = picture.shape[:2]
    lit = cv2.multiply(picture, weather.gain(second, height, width), dtype=cv2.CV_32F)
    top, left = rng.integers(_NOISE_MARGIN, size=2)
    grain = noise[top : top + height, left : left + width]
    return np.asarray(cv2.addWeighted(lit, 1.0, grain, _NOISE_SIGMA, 0.5, dtype=cv2.CV_8U), dtype=np.uint8)


def add_heavy_noise(picture: Image, rng: np.random.Generator) -> Image:
    """Returns the frame as a failing sensor would send it: strong grain over everything, u8[H, W, 3]."""
    sigma = rng.uniform(35.0, 55.0)
    grain = rng.standard_normal(picture.shape, dtype=np.float32)
    return np.asarray(cv2.addWeighted(picture, 1.0, grain, sigma, 0.0, dtype=cv2.CV_8U), dtype=np.uint8)


def _draw_by_distance(picture: Image, bodies: list[tuple[Body, float]], backdrop: Backdrop) -> None:
    """Paint from far to near; trees and posts hide who is behind them."""
    pending = sorted(bodies, key=lambda one: -one[1])
    for cutout in sorted(backdrop.cutouts, key=lambda cutout: -cutout.z):
        behind = [body for body, z in pending if z > cutout.z]
        for body in behind:
            draw(picture, body, backdrop.camera)
        if behind:
            _paste(picture, cutout)
        pending = [(body, z) for body, z in pending if z <= cutout.z]
    for body, _ in pending:
        draw(picture, body, backdrop.camera)


def _paste(picture: Image, cutout: Cutout) -> None:
    rows, columns = cutout.pixels.shape[:2]
    part = picture[cutout.top : cutout.top + rows, cutout.left : cutout.left + columns]
    part[:] = cv2.blendLinear(cutout.pixels, part, cutout.alpha, 1.0 - cutout.alpha)
