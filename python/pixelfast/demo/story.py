"""Who does what in each video of the demo's scene: walkers everywhere, and in the test videos one or two oddities."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from pixelfast.demo.ground import on_the_lawn
from pixelfast.demo.people import RUN, WALK, Look, person
from pixelfast.demo.routes import HABITS, LAWN_WAY, Route, along_crossing, off_the_crossing, over_the_lawn, usual_route
from pixelfast.demo.shapes import Body, Camera, FloatArray
from pixelfast.demo.vehicles import cart, cyclist

FRAMES_PER_SECOND = 12.0
_ACCOMPANIED = 0.1
_LOUD = ((40.0, 40.0, 215.0), (30.0, 190.0, 235.0), (205.0, 120.0, 30.0), (60.0, 200.0, 60.0))
"""Colours of bicycles and carts (blue, green, red)."""

_PROGRAMME: tuple[tuple[tuple[str, float], ...], ...] = (
    (("cyclist", 0.45),),
    (("cart", 0.30),),
    (("runner", 0.35),),
    (("trespasser", 0.15),),
    (),
    (("trespasser", 0.05), ("cyclist", 0.62)),
)
"""What happens in the test videos in turn, and after which share of the video. The fifth is a quiet one."""


@dataclass(frozen=True)
class Actor:
    """Somebody on a route at `speed` metres a second, who sets off at the second `start`: negative, before the video.

    `kind` is "walker", "cyclist", "cart", "runner" or "trespasser", `height` in metres; `make` makes the body from
    (place, heading, metres covered).
    """

    kind: str
    route: Route
    speed: float
    start: float
    height: float
    make: Callable[[FloatArray, FloatArray, float], Body]

    def body(self, second: float) -> tuple[Body, float] | None:
        """Returns body and distance from the camera at that time; None before and after the way."""
        if (way := self._way(second)) is None:
            return None
        place, heading = self.route.at(way)
        return self.make(place, heading, way), float(place[1])

    def is_odd(self, second: float, camera: Camera) -> bool:
        """Says whether it makes the frame abnormal: head and chest are in the picture, a trespasser is on the grass."""
        if self.kind == "walker" or (way := self._way(second)) is None:
            return False
        x, z = self.route.at(way)[0].tolist()
        column, row = camera.project(np.array([x, 0.75 * self.height, z])).tolist()
        seen = 0 <= column < camera.width and 0 <= row < camera.height
        return seen and (self.kind != "trespasser" or on_the_lawn(x, z))

    def _way(self, second: float) -> float | None:
        way = (second - self.start) * self.speed
        return way if 0.0 <= way <= self.route.length else None


def cast(seed: int, split: str, video: int, seconds: float) -> list[Actor]:
    """Returns all actors of video number `video` (from 1) of the split "train" or "test", as long as it lasts."""
    rng = np.random.default_rng([seed, 2, ("train", "test").index(split), video])
    actors = [actor for habit in HABITS for actor in _walkers_in_turn(rng, habit, seconds)]
    if split == "test":
        actors += [_odd_one(kind, rng, share * seconds) for kind, share in _PROGRAMME[(video - 1) % len(_PROGRAMME)]]
    return actors


def _walkers_in_turn(rng: np.random.Generator, habit: str, seconds: float) -> list[Actor]:
    """Returns one walker after the other, so that about the same number of people is always about."""
    walkers: list[Actor] = []
    begin: float | None = None
    while begin is None or begin < seconds:
        route, speed = usual_route(rng, habit), float(rng.uniform(1.1, 1.5))
        if begin is None:
            begin = -float(rng.uniform(0.0, 1.0)) * route.length / speed
        walkers.append(_on_foot("walker", Look.random(rng), route, speed, begin))
        if rng.random() < _ACCOMPANIED:
            beside = Route(route.corners + np.array([0.62, 0.35]) * rng.choice([-1.0, 1.0]))
            look, late = Look.random(rng), float(rng.uniform(0.0, 0.3))
            walkers.append(_on_foot("walker", look, beside, speed, begin + late))
        begin += route.length / speed
    return walkers


def _odd_one(kind: str, rng: np.random.Generator, begin: float) -> Actor:
    """Returns somebody who is first odd at about the second `begin`."""
    look, color = Look.random(rng), _LOUD[rng.integers(len(_LOUD))]
    forth, right = (bool(rng.random() < 0.5) for _ in range(2))
    if kind == "trespasser":
        route, speed = over_the_lawn(rng, right), float(rng.uniform(1.2, 1.5))
        if not forth:
            route, begin = route.reversed(), begin - (route.length - LAWN_WAY) / speed
        return _on_foot(kind, look, route, speed, begin)
    if kind == "runner":
        route = off_the_crossing(float(rng.uniform(-0.8, 0.8)), right)
        route = route if forth else route.reversed()
        return _on_foot(kind, replace(look, shirt=color), route, float(rng.uniform(4.4, 5.2)), begin)
    route = along_crossing(float(rng.uniform(0.05, 0.45)))
    vehicle, speed, height = (cyclist, 6.0, 1.8) if kind == "cyclist" else (cart, 3.4, 2.0)
    speed *= float(rng.uniform(0.92, 1.08))
    return Actor(kind, route if forth else route.reversed(), speed, begin, height, partial(vehicle, look, color))


def _on_foot(kind: str, look: Look, route: Route, speed: float, begin: float) -> Actor:
    gait = RUN if kind == "runner" else WALK
    return Actor(kind, route, speed, begin, look.height, partial(person, look, gait))
