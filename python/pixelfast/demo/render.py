"""One frame of the demo's scene: who is about, their shadows, the light of the moment, the sensor's noise."""

from collections.abc import Callable

import cv2
import numpy as np
from numpy.typing import NDArray

from pixelfast.demo.backdrop import NOISE_MARGIN, Backdrop, shade_ground
from pixelfast.demo.shapes import Body, Image, draw
from pixelfast.demo.story import Actor

_NOISE_SIGMA = 2.2

Light = Callable[[float], NDArray[np.float32]]
"""The brightness f32[H, W, 3] at a second of a video."""


def changing_light(rng: np.random.Generator, height: int, width: int) -> Light:
    """Returns the light of one video: slow waves of brightness, a cloud's edge drifting over the scene."""
    level, depth = rng.uniform(0.94, 1.04), rng.uniform(0.03, 0.07)
    period, phase, drift = rng.uniform(14.0, 30.0), rng.uniform(0.0, 2 * np.pi), rng.uniform(0.02, 0.05)
    x, y = np.meshgrid(np.linspace(0, 1, 24), np.linspace(0, 1, 14))

    def light(second: float) -> NDArray[np.float32]:
        wave = 2 * np.pi * (second / period + 0.35 * x + 0.15 * y) + phase
        grey = level * (1.0 + depth * np.sin(wave) + drift * np.sin(2.3 * wave + 1.0))
        warm = np.stack([grey * (1.01 - 0.02 * np.sin(wave)), grey, grey * (0.99 + 0.02 * np.sin(wave))], axis=-1)
        return np.asarray(cv2.resize(warm.astype(np.float32), (width, height), interpolation=cv2.INTER_LINEAR))

    return light


def render(backdrop: Backdrop, actors: list[Actor], light: Light, second: float, rng: np.random.Generator) -> Image:
    """Draw the frame at a second of a video as u8[H, W, 3], blue, green, red."""
    bodies = [body for actor in actors if (body := actor.body(second)) is not None]
    picture = backdrop.picture.copy()
    shade_ground(picture, [body for body, _ in bodies], backdrop.camera)
    _draw_by_distance(picture, bodies, backdrop)
    lit = cv2.multiply(picture, light(second), dtype=cv2.CV_32F)
    top, left = rng.integers(NOISE_MARGIN, size=2)
    grain = backdrop.noise[top : top + picture.shape[0], left : left + picture.shape[1]]
    return np.asarray(cv2.addWeighted(lit, 1.0, grain, _NOISE_SIGMA, 0.5, dtype=cv2.CV_8U), dtype=np.uint8)


def _draw_by_distance(picture: Image, bodies: list[tuple[Body, float]], backdrop: Backdrop) -> None:
    """Paint from far to near; trees and posts hide who is behind them."""
    pending = sorted(bodies, key=lambda one: -one[1])
    for cutout in backdrop.cutouts:
        behind = [body for body, z in pending if z > cutout.z]
        for body in behind:
            draw(picture, body, backdrop.camera)
        if behind:
            part = picture[cutout.box]
            part[:] = cv2.blendLinear(cutout.pixels, part, cutout.alpha, 1.0 - cutout.alpha)
        pending = pending[len(behind) :]
    for body, _ in pending:
        draw(picture, body, backdrop.camera)


def add_heavy_noise(picture: Image, rng: np.random.Generator) -> Image:
    """Returns the frame as a failing sensor would send it: strong grain over everything, u8[H, W, 3]."""
    sigma = rng.uniform(35.0, 55.0)
    grain = rng.standard_normal(picture.shape, dtype=np.float32)
    return np.asarray(cv2.addWeighted(picture, 1.0, grain, sigma, 0.0, dtype=cv2.CV_8U), dtype=np.uint8)
