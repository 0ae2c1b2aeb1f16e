"""Where people go: ways over the ground, walked at an even pace."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from pixelfast.demo.ground import CROSSING_Z, DOOR_X, WALL_Z, path_centre
from pixelfast.demo.shapes import FloatArray

_LOOK_AHEAD = 0.5

LAWN_WAY = 6.0
"""About as many metres lead over the near lawn."""

NEAR_Z = 5.0
"""So near to the camera even the tallest are below the picture: here people come and go."""


@dataclass(frozen=True)
class Route:
    """A way over the ground: corners f64[K, 2] (X, Z) in metres, walked from the first to the last."""

    corners: FloatArray

    @cached_property
    def length(self) -> float:
        """Returns the metres from the first to the last corner."""
        return float(self._reached[-1])

    @cached_property
    def _reached(self) -> FloatArray:
        steps = np.hypot(*np.diff(self.corners, axis=0).T)
        return np.concatenate([[0.0], np.cumsum(steps)])

    def at(self, way: float) -> tuple[FloatArray, FloatArray]:
        """Returns place and heading (a unit vector), f64[2] each, after `way` metres; corners are rounded."""
        ahead, behind = self._point(way + _LOOK_AHEAD), self._point(way - _LOOK_AHEAD)
        heading = ahead - behind
        norm = float(np.hypot(*heading))
        heading = heading / norm if norm > 1e-9 else np.array([1.0, 0.0])
        return 0.5 * self._point(way) + 0.25 * (ahead + behind), heading

    def _point(self, way: float) -> FloatArray:
        reached = self._reached
        index = int(np.clip(np.searchsorted(reached, way) - 1, 0, len(reached) - 2))
        share = (way - reached[index]) / (reached[index + 1] - reached[index])
        return np.asarray(self.corners[index] + share * (self.corners[index + 1] - self.corners[index]))

    def reversed(self) -> "Route":
        """Returns the same way from its end."""
        return Route(self.corners[::-1].copy())


def along_path(near: float, far: float, aside: float) -> Route:
    """Leads down the path from `far` to `near` (metres from the camera), `aside` metres right of its middle."""
    z = np.linspace(far, near, 24)
    return Route(np.stack([path_centre(z) + aside, z], axis=1))


def from_the_door(near: float, aside: float) -> Route:
    """Leads out of the door in the wall and down the path to `near`."""
    door = [[DOOR_X, WALL_Z - 0.2], [DOOR_X, WALL_Z - 1.5]]
    return Route(np.concatenate([door, along_path(near, 36.0, aside).corners]))


def along_crossing(depth: float) -> Route:
    """Leads over the crossing from left to right; `depth` 0 is its near edge, 1 its far one."""
    return _across(_on_the_crossing(depth))


def _across(z: float) -> Route:
    """Leads from left to right past the whole picture, `z` metres away from the camera."""
    reach = 0.56 * z + 1.5
    return Route(np.array([[-reach, z], [0.0, z], [reach, z]]))


def turning_off(depth: float, aside: float, to_the_right: bool) -> Route:
    """Leads out of the door, down the path and onto the crossing, then left or right."""
    z = _on_the_crossing(depth)
    path = from_the_door(z + 1.0, aside).corners
    end = (0.56 * z + 1.5) * (1.0 if to_the_right else -1.0)
    return Route(np.concatenate([path, [[path[-1, 0] + np.sign(end) * 1.2, z], [end, z]]]))


def _on_the_crossing(depth: float) -> float:
    return CROSSING_Z[0] + depth * (CROSSING_Z[1] - CROSSING_Z[0])


HABITS = ("crossing", "turning", "crossing", "turning", "wall", "crossing", "turning", "wall")
"""What each of the walkers who are about keeps to, so that one video is about as busy as another."""


def usual_route(rng: np.random.Generator, habit: str) -> Route:
    """Returns one of the ways people are meant to go, in either direction."""
    if habit == "crossing":
        route = along_crossing(float(rng.uniform(0.25, 0.9)))
    elif habit == "wall":
        route = _across(float(rng.uniform(37.2, 38.8)))
    else:
        route = turning_off(float(rng.uniform(0.3, 0.85)), float(rng.uniform(-1.3, 1.3)), bool(rng.random() < 0.5))
    return route if rng.random() < 0.5 else route.reversed()


def off_the_crossing(aside: float, from_the_right: bool) -> Route:
    """Leads in on the crossing and down the path, past the camera."""
    path = along_path(NEAR_Z, CROSSING_Z[0] + 0.5, aside).corners
    begin = (0.56 * path[0, 1] + 2.5) * (1.0 if from_the_right else -1.0)
    return Route(np.concatenate([[[begin, path[0, 1] + 1.0], [path[0, 0] + np.sign(begin), path[0, 1] + 1.0]], path]))


def over_the_lawn(rng: np.random.Generator, on_the_right: bool) -> Route:
    """Leads from the side of the picture straight across the near lawn to the crossing, then up the path."""
    z = float(rng.uniform(10.0, 10.8))
    side = 1.0 if on_the_right else -1.0
    begin = [side * (0.54 * z + 1.2), z]
    path = from_the_door(CROSSING_Z[0] + 0.6, float(rng.uniform(-0.8, 0.8))).corners[::-1]
    return Route(np.concatenate([[begin, [path[0, 0] + side * 2.0, path[0, 1] - 0.3]], path]))
