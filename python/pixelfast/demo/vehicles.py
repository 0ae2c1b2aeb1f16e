"""What has no business on a footpath: a bicycle with its rider and an electric cart."""

import math
from itertools import pairwise

from pixelfast.demo.people import Look, posed
from pixelfast.demo.shapes import Body, Color, FloatArray, Shapes

_TYRE: Color = (28, 28, 30)
_STEEL: Color = (120, 120, 125)
_RIM_STEPS = 14


def cyclist(look: Look, color: Color, place: FloatArray, heading: FloatArray, way: float) -> Body:
    """Returns a bicycle and its rider, whose feet follow the pedals. It takes the arguments of `people.person`."""
    shapes, radius = Shapes(), 0.34
    for hub in (-0.52, 0.52):
        _add_wheel(shapes, (hub, 0.0), radius, way, tyre=0.025, spoke=0.009)
    rear, front, crank = (-0.52, radius, 0.0), (0.52, radius, 0.0), (-0.02, 0.29, 0.0)
    saddle, head = (-0.22, 0.92, 0.0), (0.40, 0.88, 0.0)
    for a, b in ((rear, saddle), (rear, crank), (crank, saddle), (crank, head), (saddle, head), (front, head)):
        shapes.limb(a, b, 0.024, color)
    shapes.limb((0.44, 1.02, -0.26), (0.44, 1.02, 0.26), 0.02, _TYRE)
    angles = way / 0.9, way / 0.9 + math.pi
    feet = [(0.02 + 0.095 * math.cos(pedal), 0.165 - 0.095 * math.sin(pedal)) for pedal in angles]
    rider = posed(look, place, heading, hips=(-0.14, 0.55), lean=0.62, feet=feet, swings=(1.0, 1.0), elbow=0.25)
    return shapes.placed(place, heading).beside(rider)


def cart(look: Look, color: Color, place: FloatArray, heading: FloatArray, way: float) -> Body:
    """Returns an electric cart with a roof, a load and a driver. It takes the arguments of `people.person`."""
    shapes = Shapes()
    _add_box(shapes, (-1.25, 1.25), (0.32, 0.78), 0.62, color)
    _add_box(shapes, (-1.20, -0.15), (0.78, 1.25), 0.56, (70, 95, 120))
    _add_box(shapes, (-1.25, 0.95), (1.92, 2.02), 0.64, (215, 220, 222))
    for forward in (-1.15, 0.85):
        for side in (-0.56, 0.56):
            shapes.limb((forward, 0.78, side), (forward, 1.95, side), 0.03, _shaded(color, 0.6))
    for hub in (-0.80, 0.80):
        for side in (-0.60, 0.60):
            _add_wheel(shapes, (hub, side), 0.27, way, tyre=0.06, spoke=0.05)
    seat, hips = place + 0.25 * heading, (0.0, 0.85 / look.height)
    driver = posed(look, seat, heading, hips=hips, lean=0.0, feet=(None, None), swings=(0.8, 0.8), elbow=0.6)
    return shapes.placed(place, heading).beside(driver)


def _add_wheel(
    shapes: Shapes, hub: tuple[float, float], radius: float, way: float, *, tyre: float, spoke: float
) -> None:
    """Add a wheel with its hub at (forward, right); `tyre` and `spoke` are half thicknesses in metres."""
    forward, side = hub

    def rim(angle: float) -> tuple[float, float, float]:
        return forward + radius * math.cos(angle), radius + radius * math.sin(angle), side

    points = [rim(2 * math.pi * step / _RIM_STEPS) for step in range(_RIM_STEPS + 1)]
    for a, b in pairwise(points):
        shapes.limb(a, b, tyre, _TYRE)
    for third in range(3):
        shapes.limb((forward, radius, side), rim(third * 2 * math.pi / 3 - way / radius), spoke, _STEEL)


def _add_box(shapes: Shapes, forward: tuple[float, float], up: tuple[float, float], half: float, color: Color) -> None:
    """Add five sides of a box, each lit by the way it faces; the order of drawing hides the far ones."""
    (back, front), (low, high), right, left = forward, up, half, -half
    for end in (back, front):
        ring = ((end, low, left), (end, low, right), (end, high, right), (end, high, left))
        shapes.panel(ring, _shaded(color, 0.80))
    for side in (left, right):
        ring = ((back, low, side), (front, low, side), (front, high, side), (back, high, side))
        shapes.panel(ring, _shaded(color, 0.92))
    shapes.panel(((back, high, left), (front, high, left), (front, high, right), (back, high, right)), color)


def _shaded(color: Color, light: float) -> Color:
    return color[0] * light, color[1] * light, color[2] * light
