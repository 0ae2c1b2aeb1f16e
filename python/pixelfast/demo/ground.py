"""The ground of the demo's scene: a paved path and a crossing between lawns."""

import cv2
import numpy as np

from pixelfast.demo.shapes import Camera, FloatArray

WALL_Z = 40.0
"""Distance of the wall that closes the scene, metres."""
CROSSING_Z = (14.5, 19.5)
"""Near and far edge of the paved band that crosses the path, metres."""
DOOR_X = -5.75
"""Where the wall has a door."""
APRON_Z = WALL_Z - 4.0
"""The ground between here and the wall is paved."""
PATH_HALF_WIDTH = 2.3
_KERB = np.array([176.0, 182.0, 186.0])


def path_centre(z: FloatArray | float) -> FloatArray:
    """Returns X of the middle of the path at the distance z, metres: it bends a little."""
    return np.asarray(1.6 * np.sin(np.asarray(z) / 13.0) - 1.0)


def on_the_lawn(x: float, z: float) -> bool:
    """Says whether a ground point is grass, at least 0.2 m away from where people are meant to walk."""
    beside_path = abs(x - float(path_centre(z))) > PATH_HALF_WIDTH + 0.2
    off_crossing = not CROSSING_Z[0] - 0.2 <= z <= CROSSING_Z[1] + 0.2
    return beside_path and off_crossing and z < APRON_Z - 0.2


def draw_ground(camera: Camera, rng: np.random.Generator) -> FloatArray:
    """Draws the ground f64[H, W, 3] (blue, green, red); what lies above the wall's foot is covered by it later."""
    x, z = camera.ground()
    z = np.minimum(z, WALL_Z + 5.0)
    wide, deep = z / camera.focal, z**2 / (camera.focal * camera.eye)
    lawn, path = _lawn(rng, x, z, wide, deep), _paving(rng, x, z, wide, deep)
    outside = np.minimum(np.abs(x - path_centre(z)) - PATH_HALF_WIDTH, APRON_Z - z)
    outside = np.minimum(outside, np.maximum(CROSSING_Z[0] - z, z - CROSSING_Z[1]))
    ragged = outside + 0.03 * cloudiness(rng, x, z, (0.25, 0.6), deep)
    share = np.clip(0.5 - ragged / np.maximum(wide, 0.05), 0.0, 1.0)[..., None]
    ground = lawn * (1 - share) + path * share
    kerb = 0.5 * np.clip(1.2 - np.abs(outside + 0.12) / np.maximum(0.08, 0.5 * deep), 0.0, 1.0)[..., None]
    return ground * (1 - kerb) + _KERB * kerb


def cloudiness(
    rng: np.random.Generator, u: FloatArray, v: FloatArray, sizes: tuple[float, ...], footprint: FloatArray
) -> FloatArray:
    """Returns smooth noise of about unit spread, f64 of u's shape: blotches of several sizes in metres, added up.

    `footprint` is how many metres a pixel at (u, v) covers: smaller blotches fade out instead of flickering.
    """
    total = np.zeros(u.shape)
    for size in sizes:
        grid = rng.standard_normal((256, 256), dtype=np.float32)
        x, y = (u / size + 125.0) % 250.0 + 2, (v / size + 125.0) % 250.0 + 2
        layer = cv2.remap(grid, x.astype(np.float32), y.astype(np.float32), cv2.INTER_CUBIC)
        total += layer * np.clip(1.5 - footprint / size, 0.0, 1.0) / np.sqrt(len(sizes))
    return total


def _lawn(rng: np.random.Generator, x: FloatArray, z: FloatArray, wide: FloatArray, deep: FloatArray) -> FloatArray:
    patches = cloudiness(rng, x, z, (1.1, 3.0, 7.0), deep)[..., None]
    blades = cloudiness(rng, x, z * 0.35, (0.03, 0.08, 0.22), np.maximum(wide, deep * 0.35))[..., None]
    mown = 3.0 * np.sin(2 * np.pi * (x - 0.15 * z) / 3.2)[..., None]
    base = np.array([50.0, 104.0, 84.0])
    return np.asarray(base + patches * np.array([3.0, 7.0, 9.0]) + blades * np.array([9.0, 15.0, 12.0]) + mown)


def _paving(rng: np.random.Generator, x: FloatArray, z: FloatArray, wide: FloatArray, deep: FloatArray) -> FloatArray:
    slab, joint = 0.62, 0.016
    row = np.floor(z / slab)
    column = x / slab + 0.5 * (row % 2)
    tones = rng.standard_normal((64, 64))
    tone = tones[np.floor(column).astype(int) % 64, row.astype(int) % 64] * _kept(deep, slab)
    beside = np.abs(column - np.rint(column)) * slab
    behind = np.abs(z / slab - np.rint(z / slab)) * slab
    lines = _line(beside, joint, wide) * _kept(deep, slab), _line(behind, joint, deep) * _kept(deep, slab)
    stains = cloudiness(rng, x, z, (0.06, 0.5, 2.2), deep)
    grey = 150.0 + 6.0 * tone + 5.0 * stains - 42.0 * np.maximum(*lines)
    return np.asarray(grey[..., None] * np.array([0.93, 0.985, 1.0]))


def _kept(footprint: FloatArray, size: float) -> FloatArray:
    """Returns how much of a pattern of that size a pixel can still show."""
    return np.asarray(np.clip(1.5 - 2.0 * footprint / size, 0.0, 1.0))


def _line(distance: FloatArray, width: float, footprint: FloatArray) -> FloatArray:
    """Returns the coverage of a line: thin lines grow fainter, not thinner, with distance."""
    drawn = np.maximum(width, footprint)
    return np.clip(1.5 - distance / (0.5 * drawn), 0.0, 1.0) * np.minimum(width / drawn + 0.15, 1.0)
