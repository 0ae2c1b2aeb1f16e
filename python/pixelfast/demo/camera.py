"""Where a point of the demo's world falls in the picture."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]


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
