"""Articulated people: a skeleton whose feet stay where they stand while the body passes over them."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from pixelfast.demo.shapes import Body, Color, FloatArray, Shapes

# Muted, as clothes mostly are, with a few loud ones.
_SHIRTS: tuple[Color, ...] = (
    (60, 50, 45), (120, 90, 60), (70, 70, 150), (190, 185, 180), (85, 120, 70),
    (50, 60, 110), (150, 140, 120), (40, 40, 40), (170, 120, 90), (60, 130, 190), (215, 215, 225), (110, 60, 110),
)  # fmt: skip
_TROUSERS: tuple[Color, ...] = ((95, 65, 45), (50, 45, 45), (70, 90, 110), (35, 35, 38), (120, 120, 115), (60, 75, 60))
_SKINS: tuple[Color, ...] = ((150, 180, 225), (120, 155, 205), (90, 120, 175), (60, 85, 130), (45, 60, 95))
_HAIR: tuple[Color, ...] = ((25, 25, 30), (35, 50, 75), (60, 95, 140), (110, 150, 185), (150, 150, 155))
_SHOES: tuple[Color, ...] = ((30, 30, 30), (50, 60, 80), (200, 200, 205))

_THIGH, _SHIN, _ANKLE, _HIP, _TRUNK = 0.270, 0.268, 0.04, 0.553, 0.285
"""Lengths and heights in body heights, about as in Winter, Biomechanics and Motor Control of Human Movement (2009)."""

Plane = tuple[float, float]
"""Forward and up, in body heights."""


@dataclass(frozen=True)
class Look:
    """How a person is built and dressed; `height` in metres, `build` 1 for average."""

    height: float
    build: float
    shirt: Color
    trousers: Color
    skin: Color
    hair: Color
    shoes: Color
    long_hair: bool
    skirt: bool
    bag: Color | None

    @classmethod
    def random(cls, rng: np.random.Generator) -> "Look":
        """Returns a look drawn from the wardrobe."""

        def pick(colors: tuple[Color, ...]) -> Color:
            color = colors[rng.integers(len(colors))]
            blue, green, red = (min(part * float(rng.uniform(0.9, 1.1)), 255.0) for part in color)
            return blue, green, red

        skirt = bool(rng.random() < 0.2)
        return cls(
            height=float(rng.uniform(1.55, 1.92)),
            build=float(rng.uniform(0.88, 1.15)),
            shirt=pick(_SHIRTS),
            trousers=pick(_TROUSERS),
            skin=pick(_SKINS),
            hair=pick(_HAIR),
            shoes=pick(_SHOES),
            long_hair=skirt or bool(rng.random() < 0.25),
            skirt=skirt,
            bag=pick(_SHIRTS) if rng.random() < 0.35 else None,
        )


@dataclass(frozen=True)
class Gait:
    """How a person moves; lengths in body heights, angles in radians.

    Attributes:
        stride: Way covered in one cycle of both legs.
        stance: Share of the cycle that a foot stays on the ground.
        lift: How high a foot comes on its way forward.
        arm_swing: How far the arms swing to either side.
        elbow: How far the elbows are bent.
        lean: How far the trunk leans forward.
        bob: How far the hips rise and fall.
    """

    stride: float
    stance: float
    lift: float
    arm_swing: float
    elbow: float
    lean: float
    bob: float


WALK = Gait(stride=0.74, stance=0.60, lift=0.055, arm_swing=0.45, elbow=0.25, lean=0.03, bob=0.008)
RUN = Gait(stride=1.45, stance=0.35, lift=0.24, arm_swing=0.95, elbow=1.55, lean=0.20, bob=0.035)


def person(look: Look, gait: Gait, place: FloatArray, heading: FloatArray, way: float) -> Body:
    """Returns a person who walks or runs.

    Args:
        look: Build and clothes.
        gait: Walk or run.
        place: Ground point f64[2] (X, Z) under the hips, metres.
        heading: Unit vector f64[2] (X, Z) of the direction of motion.
        way: Metres covered so far: it sets the phase of the legs.
    """
    phase = way / (gait.stride * look.height)
    cycles = phase % 1.0, (phase + 0.5) % 1.0
    return posed(
        look,
        place,
        heading,
        hips=(-0.15 * gait.lean, _HIP + gait.bob * math.cos(4 * math.pi * phase)),
        lean=gait.lean,
        feet=[_foot(gait, cycle) for cycle in cycles],
        swings=[-gait.arm_swing * math.sin(2 * math.pi * (cycle + 0.2)) - 0.05 for cycle in cycles],
        elbow=gait.elbow,
    )


def posed(
    look: Look,
    place: FloatArray,
    heading: FloatArray,
    *,
    hips: Plane,
    lean: float,
    feet: Sequence[Plane | None],
    swings: Sequence[float],
    elbow: float,
) -> Body:
    """Returns a person in a pose; `feet` are the ankles, `swings` the angles of the arms, left and right each.

    A leg whose foot is None is hidden. Lengths are in body heights, angles in radians.
    """
    shapes = Shapes()
    shoulders = hips[0] + _TRUNK * math.sin(lean), hips[1] + _TRUNK * math.cos(lean)
    for side, foot, swing in zip((-1.0, 1.0), feet, swings, strict=True):
        if foot is not None:
            _add_leg(shapes, look, side, hips, foot)
        _add_arm(shapes, look, side, shoulders, swing=swing, elbow=elbow)
    _add_trunk(shapes, look, hips, shoulders)
    return shapes.placed(place, heading, look.height)


def _foot(gait: Gait, cycle: float) -> Plane:
    """Returns the ankle: on the ground it goes back as fast as the body goes on, so that no foot slides."""
    reach = gait.stride * gait.stance
    if cycle < gait.stance:
        return reach * (0.5 - cycle / gait.stance), _ANKLE
    swing = (cycle - gait.stance) / (1 - gait.stance)
    smooth = swing * swing * (3 - 2 * swing)
    return reach * (smooth - 0.5), _ANKLE + gait.lift * math.sin(math.pi * swing) * (1.3 - 0.6 * swing)


def _knee(hip: Plane, ankle: Plane) -> Plane:
    """Returns the knee between hip and ankle, bent forward (where two circles meet)."""
    forward, up = ankle[0] - hip[0], ankle[1] - hip[1]
    reach = math.hypot(forward, up)
    forward, up = forward / reach, up / reach
    reach = min(reach, _THIGH + _SHIN - 1e-4)
    along = (reach**2 + _THIGH**2 - _SHIN**2) / (2 * reach)
    bend = math.sqrt(max(_THIGH**2 - along**2, 0.0))
    return hip[0] + along * forward - bend * up, hip[1] + along * up + bend * forward


def _add_leg(shapes: Shapes, look: Look, side: float, hips: Plane, ankle: Plane) -> None:
    knee, wide, build = _knee(hips, ankle), 0.055 * side, look.build
    shin = look.skin if look.skirt else look.trousers
    shapes.limb((*hips, wide), (*knee, wide), (0.058 * build, 0.042 * build), look.trousers)
    shapes.limb((*knee, wide), (*ankle, wide), (0.039 * build, 0.027 * build), shin)
    heel, toe = (ankle[0] - 0.02, ankle[1] - 0.015, wide), (ankle[0] + 0.085, ankle[1] - 0.022, wide)
    shapes.limb(heel, toe, 0.021, look.shoes)


def _add_arm(shapes: Shapes, look: Look, side: float, shoulders: Plane, *, swing: float, elbow: float) -> None:
    wide, build = 0.118 * side * look.build, look.build
    joint = shoulders[0] + 0.17 * math.sin(swing), shoulders[1] - 0.17 * math.cos(swing)
    hand = joint[0] + 0.16 * math.sin(swing + elbow), joint[1] - 0.16 * math.cos(swing + elbow)
    shapes.limb((*shoulders, wide), (*joint, wide), (0.036 * build, 0.030 * build), look.shirt)
    shapes.limb((*joint, wide), (*hand, 0.92 * wide), (0.026 * build, 0.020 * build), look.skin)


def _add_trunk(shapes: Shapes, look: Look, hips: Plane, shoulders: Plane) -> None:
    build = look.build
    top = (shoulders[0], shoulders[1] - 0.012)
    for side in (-0.052, 0.052, 0.0):
        shapes.limb((*top, 1.35 * side), (*hips, side), (0.052 * build, 0.056 * build), look.shirt)
    if look.skirt:
        for side in (-0.045, 0.045):
            hem = (hips[0], hips[1] - 0.24, 1.3 * side)
            shapes.limb((*hips, 0.8 * side), hem, (0.06 * build, 0.075 * build), look.trousers)
    if look.bag is not None:
        strap = (shoulders[0] - 0.075, shoulders[1] - 0.05, 0.0)
        shapes.limb(strap, (strap[0], strap[1] - 0.13, 0.0), 0.062, look.bag)
    _add_head(shapes, look, hips, shoulders)


def _add_head(shapes: Shapes, look: Look, hips: Plane, shoulders: Plane) -> None:
    lean = (shoulders[0] - hips[0]) / _TRUNK
    neck = (shoulders[0] + 0.05 * lean, shoulders[1] + 0.05, 0.0)
    head = (shoulders[0] + 0.08 * lean, shoulders[1] + 0.115, 0.0)
    shapes.limb((*shoulders, 0.0), neck, 0.030, look.skin)
    shapes.limb((head[0], head[1] - 0.015, 0.0), head, 0.056, look.skin)
    back = (head[0] - 0.018, head[1] + 0.022, 0.0)
    shapes.limb(back, (back[0] - 0.012, back[1] - (0.09 if look.long_hair else 0.02), 0.0), 0.052, look.hair)
