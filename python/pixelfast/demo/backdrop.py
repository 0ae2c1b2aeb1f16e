"""The empty scene: the ground, a wall with windows behind it, trees, a lamp post, a bench and their shadows."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from pixelfast.demo.ground import APRON_Z, DOOR_X, WALL_Z, cloudiness, draw_ground
from pixelfast.demo.shapes import Body, Camera, FloatArray, Image, Shapes, cover, draw

_SHADE = 0.42
"""How much of the light a full shadow takes."""
NOISE_MARGIN = 64
"""Rows and columns that the noise has more than a frame."""
_SUPERSAMPLING = 2


@dataclass(frozen=True)
class Cutout:
    """Something that hides whoever is behind it: `pixels` u8[h, w, 3] and `alpha` f32[h, w] in a box of the picture."""

    z: float
    box: tuple[slice, slice]
    pixels: Image
    alpha: NDArray[np.float32]


@dataclass(frozen=True)
class Backdrop:
    """What every frame of a scene is drawn from.

    Attributes:
        camera: The view.
        picture: The scene without people, u8[H, W, 3] (blue, green, red).
        cutouts: What stands in front of people, the farthest first.
        noise: The sensor's noise, f32[H + 64, W + 64, 3] of unit spread; every frame takes a cut of its own from it.
    """

    camera: Camera
    picture: Image
    cutouts: tuple[Cutout, ...]
    noise: NDArray[np.float32]


def build_backdrop(height: int, width: int, seed: int) -> Backdrop:
    """Draw the empty scene of a seed. It is drawn twice as large and reduced, so that fine detail does not flicker."""
    rng = np.random.default_rng([seed, 1])
    camera = Camera.looking_down_the_path(height, width)
    large = camera.enlarged(_SUPERSAMPLING)
    picture = draw_ground(large, rng)
    _draw_wall(picture, large, rng)
    canvas: Image = np.clip(picture, 0, 255).astype(np.uint8)
    props = _props(rng)
    shade_ground(canvas, [body for body, _ in props], large)
    for body, _ in props:
        draw(canvas, body, large)
    small = np.asarray(cv2.resize(canvas, (width, height), interpolation=cv2.INTER_AREA), dtype=np.uint8)
    cutouts = tuple(_cut_out(small, body, z, camera) for body, z in props)
    return Backdrop(camera, small, cutouts, _noise(height + NOISE_MARGIN, width + NOISE_MARGIN, seed))


def _noise(height: int, width: int, seed: int) -> NDArray[np.float32]:
    """Returns noise f32[H, W, 3], most of it shared by the three colours."""
    rng = np.random.default_rng([seed, 3])
    shared = rng.standard_normal((height, width, 1), dtype=np.float32)
    return np.asarray(0.8 * shared + 0.6 * rng.standard_normal((height, width, 3), dtype=np.float32), dtype=np.float32)


def shade_ground(image: Image, bodies: list[Body], camera: Camera) -> None:
    """Darken u8[H, W, 3] where the bodies keep the sun off the ground."""
    mask = np.zeros(image.shape[:2], dtype=np.uint8)
    for body in bodies:
        cover(mask, body.shadow(), camera, 0.7)
    rows = np.flatnonzero(mask.any(axis=1))
    if not rows.size:
        return
    band = slice(max(int(rows[0]) - 2, 0), int(rows[-1]) + 3)
    soft = cv2.GaussianBlur(mask[band], (0, 0), image.shape[1] / 640 * 0.9)
    light = 1.0 - _SHADE / 255.0 * soft.astype(np.float32)
    image[band] = cv2.multiply(image[band], cv2.merge([light, light, light]), dtype=cv2.CV_8U)


def _draw_wall(picture: FloatArray, camera: Camera, rng: np.random.Generator) -> None:
    """Paint the wall, brick with two rows of windows and a door, over everything above its foot."""
    foot = round(float(camera.project(np.array([0.0, 0.0, WALL_Z]))[1]))
    metre = camera.focal / WALL_Z
    columns = (np.arange(camera.width) + 0.5 - camera.width / 2) / metre
    x, y = np.meshgrid(columns.astype(np.float64), (foot - np.arange(foot) - 0.5) / metre)
    footprint = np.full(x.shape, 1.0 / metre)
    course = np.floor(y / 0.26)
    bond = np.abs((x / 0.78 + 0.5 * (course % 2)) % 1.0 - 0.5) > 0.5 - 0.6 / metre
    mortar = np.maximum(bond, np.abs(y / 0.26 - np.rint(y / 0.26)) * 0.26 < 0.6 / metre)
    stone = 7.0 * cloudiness(rng, x, y * 2.5, (0.8, 2.5), footprint) + 9.0 * mortar
    wall = np.array([88.0, 104.0, 138.0]) + stone[..., None]
    _draw_windows(wall, x, y, rng)
    wall *= (1.0 - 0.30 * np.exp(-y / 0.35))[..., None]
    picture[:foot] = wall


def _draw_windows(wall: FloatArray, x: FloatArray, y: FloatArray, rng: np.random.Generator) -> None:
    panes = rng.uniform(0.75, 1.25, (64, 2))
    for floor, (low, high) in enumerate(((1.3, 3.1), (4.6, 6.4))):
        bay = np.floor((x + 60.0) / 3.1).astype(int)
        across = (x + 60.0) / 3.1 - bay
        inside = (np.abs(across - 0.5) < 0.24) & (y > low) & (y < high)
        frame = (np.abs(across - 0.5) < 0.275) & (y > low - 0.16) & (y < high + 0.12) & ~inside
        bars = inside & ((np.abs(across - 0.5) < 0.016) | (np.abs(y - (low + 0.68 * (high - low))) < 0.05))
        sky = np.clip((y - low) / (high - low), 0, 1)[..., None]
        glass = (np.array([92.0, 78.0, 60.0]) + sky * np.array([70.0, 55.0, 40.0])) * panes[bay % 64, floor][..., None]
        wall[inside] = glass[inside]
        wall[frame | bars] = np.array([196.0, 202.0, 205.0])
    door = (np.abs(x - DOOR_X) < 0.85) & (y < 2.5)
    wall[(np.abs(x - DOOR_X) < 1.05) & (y < 3.3)] = np.array([170.0, 176.0, 178.0])
    wall[door] = np.array([62.0, 60.0, 72.0])


def _props(rng: np.random.Generator) -> list[tuple[Body, float]]:
    """Returns what stands about, farthest first, with its distance."""
    hedges = APRON_Z - 0.6
    props = [(_hedge(rng, -16.0, -8.5, hedges), hedges), (_hedge(rng, 3.0, 19.0, hedges), hedges)]
    props += [(_tree(rng, 8.6, 30.0, 5.6), 30.0), (_tree(rng, -9.5, 27.5, 5.0), 27.5)]
    props += [(_bench(-4.3, 23.0), 23.0), (_lamp_post(4.2, 20.6), 20.6), (_tree(rng, 7.4, 13.2, 3.0), 13.2)]
    return props


def _tree(rng: np.random.Generator, x: float, z: float, height: float) -> Body:
    shapes = Shapes()
    shapes.limb((x, 0.0, z), (x, 0.6 * height, z), (0.045 * height, 0.03 * height), (52, 68, 84))
    for across, up, away in np.clip(rng.standard_normal((150, 3)), -1.7, 1.7).tolist():
        tone = float(np.clip(0.62 + 0.18 * up - 0.07 * across, 0.4, 1.0) * rng.uniform(0.85, 1.1))
        leaf = (x + 0.17 * height * across, (0.70 + 0.13 * up) * height, z + 0.10 * height * away)
        radius = float(rng.uniform(0.03, 0.058)) * height
        shapes.limb(leaf, (leaf[0] + 0.01, *leaf[1:]), radius, (48 * tone, 116 * tone, 88 * tone))
    return shapes.standing()


def _hedge(rng: np.random.Generator, left: float, right: float, z: float) -> Body:
    shapes = Shapes()
    for x in np.arange(left, right, 0.16).tolist():
        tone, top = float(rng.uniform(0.6, 1.0)), x + float(rng.normal(0, 0.1))
        color = (42 * tone, 92 * tone, 66 * tone)
        shapes.limb((x, 0.2, z), (top, 0.8, z), float(rng.uniform(0.18, 0.26)), color)
    return shapes.standing()


def _lamp_post(x: float, z: float) -> Body:
    shapes, steel = Shapes(), (78.0, 76.0, 72.0)
    shapes.limb((x, 0.0, z), (x, 4.1, z), (0.07, 0.045), steel)
    shapes.limb((x, 4.1, z), (x - 0.6, 4.3, z), 0.04, steel)
    shapes.limb((x - 0.55, 4.25, z), (x - 0.95, 4.3, z), 0.09, (205, 214, 216))
    return shapes.standing()


def _bench(x: float, z: float) -> Body:
    shapes, wood, iron = Shapes(), (72.0, 104.0, 140.0), (60.0, 60.0, 60.0)
    for side in (-0.8, 0.8):
        shapes.limb((x + side, 0.0, z), (x + side, 0.45, z), 0.035, iron)
        shapes.limb((x + side, 0.45, z + 0.2), (x + side, 0.9, z + 0.28), 0.035, iron)
    for up, away in ((0.62, 0.22), (0.80, 0.26), (0.46, 0.1), (0.46, -0.1)):
        shapes.limb((x - 0.95, up, z + away), (x + 0.95, up, z + away), 0.05, wood)
    return shapes.standing()


def _cut_out(picture: Image, body: Body, z: float, camera: Camera) -> Cutout:
    large = camera.enlarged(_SUPERSAMPLING)
    mask = np.zeros((large.height, large.width), dtype=np.uint8)
    cover(mask, body, large)
    alpha = cv2.resize(mask, (camera.width, camera.height), interpolation=cv2.INTER_AREA)
    left, top, width, height = cv2.boundingRect(alpha)
    box = slice(top, top + height), slice(left, left + width)
    return Cutout(z, box, picture[box].copy(), (alpha[box] / 255.0).astype(np.float32))
