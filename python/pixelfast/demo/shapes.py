"""The camera, and what bodies are made of: rounded limbs and flat panels, drawn as convex polygons in the picture."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import cv2
import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
Image = NDArray[np.uint8]
Color = tuple[float, float, float]
"""Blue, green, red, 0 to 255."""
Point = tuple[float, float, float]
"""Forward, up and right of a body's foot point; for what stands still, X, Y, Z of the world."""

_SUN = (0.55, -0.30)
"""Ground offset (X, Z) of a shadow for each metre of height: the sun stands behind the camera's left shoulder."""

_SUBPIXEL_BITS = 4
_CAP = np.linspace(np.pi / 2, 3 * np.pi / 2, 6)
_CAPS = np.stack([np.cos(_CAP), np.sin(_CAP)], axis=-1)
_TO_LIGHT = np.array([-0.22, -0.12])
_CORE = 0.66


@dataclass(frozen=True)
class Camera:
    """A camera above level ground. The picture plane is upright (a shift lens), so walls and lamp posts stay upright.

    World: X metres to the right, Y metres up from the ground, Z metres away from the camera. `focal` is the focal
    length in pixels, `horizon` a row of the picture, `eye` the height over the ground in metres.
    """

    height: int
    width: int
    focal: float
    horizon: float
    eye: float = 4.5

    @classmethod
    def looking_down_the_path(cls, height: int, width: int) -> "Camera":
        """Returns the demo's view: the ground reaches from 9 m away (bottom row) to the wall."""
        return cls(height, width, focal=0.94 * width, horizon=height / 6)

    def enlarged(self, factor: int) -> "Camera":
        """Returns the same view with `factor` times as many pixels a side."""
        return Camera(self.height * factor, self.width * factor, self.focal * factor, self.horizon * factor, self.eye)

    def scale(self, z: FloatArray) -> FloatArray:
        """Returns pixels a metre at the distance z."""
        return self.focal / np.maximum(z, 0.5)

    def project(self, points: FloatArray) -> FloatArray:
        """Projects world points f64[..., 3] to pixels f64[..., 2] (x, y)."""
        scale = self.scale(points[..., 2])
        x = self.width / 2 + points[..., 0] * scale
        y = self.horizon + (self.eye - points[..., 1]) * scale
        return np.stack([x, y], axis=-1)

    def ground(self) -> tuple[FloatArray, FloatArray]:
        """Returns the ground point (X, Z), f64[H, W] each, of every pixel; above the horizon Z is infinite."""
        rows = np.arange(self.height, dtype=np.float64)[:, None] + 0.5
        columns = np.arange(self.width, dtype=np.float64)[None, :] + 0.5
        drop = rows - self.horizon
        z = np.where(drop > 0, self.focal * self.eye / np.maximum(drop, 1e-6), np.inf)
        z = np.broadcast_to(z, (self.height, self.width))
        return (columns - self.width / 2) / self.focal * np.minimum(z, 1e4), z


@dataclass(frozen=True)
class Body:
    """Shapes in the world, metres: K limbs and P panels.

    Attributes:
        ends: Limb ends, f64[K, 2, 3] (X, Y, Z).
        radii: Limb radii at both ends, f64[K, 2].
        limb_colors: K colours.
        panels: Panel corners, f64[P, 4, 3].
        panel_colors: P colours.
    """

    ends: FloatArray
    radii: FloatArray
    limb_colors: tuple[Color, ...]
    panels: FloatArray
    panel_colors: tuple[Color, ...]

    def beside(self, other: "Body") -> "Body":
        """Returns both bodies as one, drawn together by distance."""
        return Body(
            np.concatenate([self.ends, other.ends]),
            np.concatenate([self.radii, other.radii]),
            self.limb_colors + other.limb_colors,
            np.concatenate([self.panels, other.panels]),
            self.panel_colors + other.panel_colors,
        )

    def shadow(self) -> "Body":
        """Returns the body laid on the ground, where it keeps the sun off."""
        return replace(self, ends=_on_the_ground(self.ends), panels=_on_the_ground(self.panels))


@dataclass
class Shapes:
    """Limbs (tapered capsules) and panels (quadrilaterals), collected one by one."""

    _ends: list[Point] = field(default_factory=list)
    _radii: list[float] = field(default_factory=list)
    _limb_colors: list[Color] = field(default_factory=list)
    _panels: list[Point] = field(default_factory=list)
    _panel_colors: list[Color] = field(default_factory=list)

    def limb(self, a: Point, b: Point, radius: float | tuple[float, float], color: Color) -> None:
        """Add a limb from a to b with one radius or one at each end."""
        self._ends += (a, b)
        self._radii += radius if isinstance(radius, tuple) else (radius, radius)
        self._limb_colors.append(color)

    def panel(self, corners: Sequence[Point], color: Color) -> None:
        """Add a flat panel of four corners, in order around it."""
        self._panels += corners
        self._panel_colors.append(color)

    def standing(self) -> Body:
        """Returns the shapes where they are: their points are X, Y, Z of the world."""
        return Body(
            np.array(self._ends, dtype=np.float64).reshape(-1, 2, 3),
            np.array(self._radii, dtype=np.float64).reshape(-1, 2),
            tuple(self._limb_colors),
            np.array(self._panels, dtype=np.float64).reshape(-1, 4, 3),
            tuple(self._panel_colors),
        )

    def placed(self, place: FloatArray, heading: FloatArray, scale: float = 1.0) -> Body:
        """Places the shapes with their foot point at `place` f64[2] (X, Z), facing the unit vector `heading` f64[2]."""
        local = self.standing()
        axes = scale * np.array([[heading[0], 0.0, heading[1]], [0.0, 1.0, 0.0], [heading[1], 0.0, -heading[0]]])
        foot = np.array([place[0], 0.0, place[1]])
        ends, panels = local.ends @ axes + foot, local.panels @ axes + foot
        return Body(ends, local.radii * scale, local.limb_colors, panels, local.panel_colors)


def _limb_outlines(ends: FloatArray, radii: FloatArray) -> FloatArray:
    """Returns outlines f64[K, 12, 2] of ends f64[K, 2, 2] and radii f64[K, 2], all in pixels: half a circle each."""
    along = ends[:, 1] - ends[:, 0]
    length = np.hypot(along[:, 0], along[:, 1])[:, None]
    along = np.where(length > 1e-6, along / np.maximum(length, 1e-6), np.array([1.0, 0.0]))
    turn = np.stack([along, np.stack([-along[:, 1], along[:, 0]], axis=-1)], axis=1)
    cap = _CAPS @ turn
    start = ends[:, :1] + cap * radii[:, :1, None]
    end = ends[:, 1:] - cap * radii[:, 1:, None]
    return np.concatenate([start, end], axis=1)


def draw(image: Image, body: Body, camera: Camera) -> None:
    """Draw a body onto u8[H, W, 3], its far parts first; limbs are lit from the upper left."""
    ends, radii = camera.project(body.ends), _radii_in_pixels(body, camera)
    rims = _fixed_point(_limb_outlines(ends, radii))
    cores = _fixed_point(_limb_outlines(ends + radii[:, :, None] * _TO_LIGHT, radii * _CORE))
    panels = _fixed_point(camera.project(body.panels))
    depth = np.concatenate([body.ends[:, :, 2].mean(axis=1), body.panels[:, :, 2].mean(axis=1)])
    rounded = radii.max(axis=1, initial=0.0) > 1.2
    for index in np.argsort(-depth, kind="stable").tolist():
        if index >= len(rims):
            _fill(image, panels[index - len(rims)], body.panel_colors[index - len(rims)])
            continue
        blue, green, red = body.limb_colors[index]
        _fill(image, rims[index], (0.80 * blue, 0.80 * green, 0.78 * red))
        if rounded[index]:
            _fill(image, cores[index], (blue, green, red))


def cover(mask: Image, body: Body, camera: Camera, thickness: float = 1.0) -> None:
    """Draw where a body covers the picture onto u8[H, W]: 255 inside, soft at the edge; `thickness` is of its limbs."""
    radii = thickness * _radii_in_pixels(body, camera)
    for outline in _fixed_point(_limb_outlines(camera.project(body.ends), radii)):
        _fill(mask, outline, (255.0, 0.0, 0.0))
    for corners in _fixed_point(camera.project(body.panels)):
        _fill(mask, cv2.convexHull(corners), (255.0, 0.0, 0.0))


def _fill(image: Image, outline: NDArray[np.int32], color: Color) -> None:
    cv2.fillConvexPoly(image, outline, color, cv2.LINE_AA, _SUBPIXEL_BITS)


def _fixed_point(outlines: FloatArray) -> NDArray[np.int32]:
    """Returns pixels with fractions as OpenCV takes them: its pixel centres are whole numbers."""
    return np.rint((outlines - 0.5) * (1 << _SUBPIXEL_BITS)).astype(np.int32)


def _radii_in_pixels(body: Body, camera: Camera) -> FloatArray:
    return np.maximum(body.radii * camera.scale(body.ends[:, :, 2]), 0.45)


def _on_the_ground(points: FloatArray) -> FloatArray:
    x, y, z = np.moveaxis(points, -1, 0)
    return np.stack([x + _SUN[0] * y, np.zeros_like(y), z + _SUN[1] * y], axis=-1)
