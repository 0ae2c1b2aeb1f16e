"""Who does what in each video of the demo's scene: walkers everywhere, and in the test videos one or two oddities."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from pixelfast.demo.camera import Camera, FloatArray
from pixelfast.demo.ground import on_the_lawn
from pixelfast.demo.people import RUN, WALK, Look, person
from pixelfast.demo.routes import HABITS, LAWN_WAY, Route, along_crossing, off_the_crossing, over_the_lawn, usual_route
from pixelfast.demo.shapes import Body
from pixelfast.demo.vehicles import cart, cyclist

FRAMES_PER_SECOND = 12.0
_ACCOMPANIED = 0.1
_LOUD = ((40.0, 40.0, 215.0), (30.0, 190.0, 235.0), (205.0, 120.0, 30.0), (60.0, 200.0, 60.0))
"""Colours of bicycles and carts (blue, green, red)."""

MakeBody = Callable[[FloatArray, FloatArray, float], Body]


@dataclass(frozen=True)
class Actor:
    """Somebody on a route.

    Attributes:
        kind: "walker", "cyclist", "cart", "runner" or "trespasser".
        route: The way.
        speed: Metres a second.
        start: Second at which the actor sets off (negative: before the video begins).
        height: Metres, to tell whether the actor is in the picture.
        make: Makes the body from (place, heading, metres covered).
    """

    kind: str
    route: Route
    speed: float
    start: float
    height: float
    make: MakeBody

    def body(self, second: float) -> tuple[Body, float] | None:
        """Returns body and distance from the camera at that time; None before and after the way."""
        way = self._way(second)
        if way is None:
            return None
        place, heading = self.route.at(way)
        return self.make(place, heading, way), float(place[1])

    def _way(self, second: float) -> float | None:
        way = (second - self.start) * self.speed
        return way if 0.0 <= way <= self.route.length else None

    def is_odd(self, second: float, camera: Camera) -> bool:
        """Says whether it makes the frame abnormal: head and chest are in the picture, a trespasser is on the grass."""
        way = self._way(second)
        if self.kind == "walker" or way is None:
            return False
        x, z = self.route.at(way)[0].tolist()
        if self.kind == "trespasser" and not on_the_lawn(x, z):
            return False
        column, row = camera.project(np.array([x, 0.75 * self.height, z])).tolist()
        return bool(0 <= column < camera.width and 0 <= row < camera.height)


def cast(seed: int, split: str, video: int, seconds: float) -> list[Actor]:
    """Returns all actors of a video: the same for the same arguments.

    Args:
        seed: Seed of the scene.
        split: "train" or "test".
        video: Number of the video, from 1.
        seconds: How long it lasts.
    """
    rng = np.random.default_rng([seed, 2, ("train", "test").index(split), video])
    actors = [actor for habit in HABITS for actor in _walkers_in_turn(rng, habit, seconds)]
    if split == "test":
        actors += [_odd_one(kind, rng, share * seconds) for kind, share in _PROGRAMME[(video - 1) % len(_PROGRAMME)]]
    return actors


_PROGRAMME: tuple[tuple[tuple[str, float], ...], ...] = (
    (("cyclist", 0.45),),
    (("cart", 0.30),),
    (("runner", 0.35),),
    (("trespasser", 0.15),),
    (),
    (("trespasser", 0.05), ("cyclist", 0.62)),
)
"""What happens in the test videos in turn, and after which share of the video. The fifth is a quiet one."""


def _walkers_in_turn(rng: np.random.Generator, habit: str, seconds: float) -> list[Actor]:
    """Returns one walker after the other, so that about the same number of people is always about."""
    walkers = []
    begin: float | None = None
    while begin is None or begin < seconds:
        route, speed = usual_route(rng, habit), float(rng.uniform(1.1, 1.5))
        if begin is None:
            begin = -float(rng.uniform(0.0, 1.0)) * route.length / speed
        walkers += _party(rng, route, speed, begin)
        begin += route.length / speed
    return walkers


def _party(rng: np.random.Generator, route: Route, speed: float, begin: float) -> list[Actor]:
    """Returns a person, sometimes with company beside."""
    members = [_walker("walker", Look.random(rng), route, speed, begin)]
    if rng.random() < _ACCOMPANIED:
        beside = Route(route.corners + np.array([0.62, 0.35]) * rng.choice([-1.0, 1.0]))
        members.append(_walker("walker", Look.random(rng), beside, speed, begin + float(rng.uniform(0.0, 0.3))))
    return members


def _walker(kind: str, look: Look, route: Route, speed: float, begin: float) -> Actor:
    gait = RUN if kind == "runner" else WALK

    def make(place: FloatArray, heading: FloatArray, way: float) -> Body:
        return person(look, gait, place, heading, way)

    return Actor(kind, route, speed, begin, look.height, make)


def _odd_one(kind: str, rng: np.random.Generator, begin: float) -> Actor:
    """Returns somebody who is first odd at about the second `begin`."""
    look, color = Look.random(rng), _LOUD[rng.integers(len(_LOUD))]
    forth, right = (bool(rng.random() < 0.5) for _ in range(2))
    if kind == "trespasser":
        route, speed = over_the_lawn(rng, right), float(rng.uniform(1.2, 1.5))
        before = 0.0 if forth else (route.length - LAWN_WAY) / speed
        return _walker(kind, look, route if forth else route.reversed(), speed, begin - before)
    if kind == "runner":
        route = off_the_crossing(float(rng.uniform(-0.8, 0.8)), right)
        bright = replace(look, shirt=color)
        return _walker(kind, bright, route if forth else route.reversed(), float(rng.uniform(4.4, 5.2)), begin)
    crossing = along_crossing(float(rng.uniform(0.05, 0.45)))
    vehicle, speed, height = (cyclist, 6.0, 1.8) if kind == "cyclist" else (cart, 3.4, 2.0)

    def make(place: FloatArray, heading: FloatArray, way: float) -> Body:
        return vehicle(look, color, place, heading, way)

    speed *= float(rng.uniform(0.92, 1.08))
    return Actor(kind, crossing if forth else crossing.reversed(), speed, begin, height, make)
