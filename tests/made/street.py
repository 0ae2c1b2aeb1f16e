"""A drawn street for tests of the density method: textured people who all walk to the right, and who does not."""

from dataclasses import replace
from typing import Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from pixelfast.cleaning.cleaned import Cleaned
from pixelfast.flip import recipe as flip
from pixelfast.machine.stopwatch import Stopwatch
from pixelfast.methods.density import METHOD
from pixelfast.methods.density.cells import Cells, CellStream
from pixelfast.methods.density.over_time import joined

QUICK = replace(METHOD.recipes["default"], flip=replace(flip.DEFAULT, epochs=1, least_steps=1))
"""Trains the flip classifier hardly at all, which no test of this method needs."""

Frames = NDArray[np.uint8]
Intruder = Literal["none", "fast", "back", "left"]

HEIGHT, WIDTH = 96, 144
USUAL = 1.5
"""Pixels a frame."""
START, STOP = 30, 60
"""The frames in which an intruder is there."""


def street(frames: int, seed: int, intruder: Intruder = "none") -> Frames:
    """u8[n, 96, 144]: people walk to the right; from `START` to `STOP` one runs, walks back, or left a thing behind."""
    rng, ground = np.random.default_rng(seed), _texture(0, HEIGHT, WIDTH + 2, 30) + 110
    people = [(rng.uniform(0, WIDTH), rng.uniform(30, 70), rng.uniform(0.8, 1.2), index) for index in range(4)]
    drawn = []
    for frame in range(frames):
        picture = ground[:, :WIDTH].copy()
        for start, foot, pace, index in people:
            _put(
                picture, (start + USUAL * pace * frame) % (WIDTH + 20) - 20, foot, _texture(10 + index, 20, 9, 60) + 90
            )
        if START <= frame < STOP and intruder != "none":
            since = frame - START
            across = {"fast": 4.0 * since, "back": WIDTH - 20 - USUAL * since, "left": 70.0}[intruder]
            size = (12, 14) if intruder == "left" else (20, 9)
            _put(picture, across, 12.0 if intruder == "left" else 50.0, _texture(99, *size, 60) + 130)
        drawn.append(picture + rng.normal(0, 1.5, picture.shape))
    return np.stack(drawn).round().clip(0, 255).astype(np.uint8)


def _texture(seed: int, height: int, width: int, depth: float) -> NDArray[np.float64]:
    noise = np.random.default_rng(seed).standard_normal((height, width))
    blurred = cv2.GaussianBlur(noise, (0, 0), 1.2)
    return depth * blurred / max(blurred.std(), 1e-6) / 2


def _put(picture: NDArray[np.float64], across: float, down: float, thing: NDArray[np.float64]) -> None:
    """Draws a thing at a place between pixels, as far as it is in the picture."""
    height, width = thing.shape
    moved = np.float64([[1, 0, across], [0, 1, down]])
    size = (picture.shape[1], picture.shape[0])
    drawn = cv2.warpAffine(thing, moved, size, flags=cv2.INTER_LINEAR)
    covers = cv2.warpAffine(np.ones((height, width)), moved, size, flags=cv2.INTER_LINEAR)
    picture *= 1 - covers
    picture += drawn


def cells_of(frames: Frames, piece: int = 16, usable: np.ndarray | None = None) -> Cells:
    """The cells of a video as scoring gets them: a few frames at a time, their motion not smoothed."""
    usable = np.ones(len(frames), np.bool_) if usable is None else usable
    cleaned = [Cleaned(frames[at : at + piece], usable[at : at + piece]) for at in range(0, len(frames), piece)]
    return Cells(*joined(CellStream(2, Stopwatch()).run(cleaned)))
