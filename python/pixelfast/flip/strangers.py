"""Pictures of other scenes: a flip classifier must turn nothing that it does not know.

Shown one scene only, a classifier is as sure about a foreign one as about its own, in either orientation: it turned
whole videos of it upside down. Pictures that are no part of the scene, labelled upright whichever way they lie, teach
it that flipped is what its own scene looks like upside down, and nothing else (outlier exposure: Hendrycks, Mazeika
and Dietterich 2019).
"""

from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from pixelfast.flip.network import FLIPPED

DRAWN_SCENES: Final = 400
"""How many scenes are drawn for a training; augmentation and turning make each another one each time."""

_LEAVES: Final = (5, 60)
_LEAF_RADIUS: Final = (0.02, 0.5)  # of the picture's size
_SLOPE: Final = 0.8  # grey levels (of 1) over the picture
_TEXTURE: Final = 0.1


class Strangers:
    """Draws pictures of other scenes: half of them made up, half the scene's own `frames` u8[N,S,S] on their side."""

    def __init__(self, frames: Tensor, seed: int) -> None:
        self._frames = frames
        # The classifier sees means of 2x2 pixels: drawn at that size they cost a quarter.
        drawn = draw_scenes(DRAWN_SCENES, frames.shape[-1] // 2, seed)
        self._drawn = torch.from_numpy(drawn.repeat(2, axis=1).repeat(2, axis=2))

    def draw(self, count: int, draws: torch.Generator) -> Tensor:
        """f32[count,S,S] in [0, 1], half of them upside down."""
        made_up = count // 2
        pictures = torch.cat(
            [_some_of(self._drawn, made_up, draws), _some_of(self._frames, count - made_up, draws).transpose(1, 2)]
        )
        turned = torch.randint(2, (count, 1, 1), generator=draws) == FLIPPED
        return torch.where(turned, pictures.flip(1), pictures).float() / 255


def draw_scenes(count: int, size: int, seed: int) -> NDArray[np.uint8]:
    """u8[count,size,size]: overlapping boxes and ellipses, shaded and textured.

    Such "dead leaves" have much of the statistics of photographs (Lee, Mumford and Huang 2001).
    """
    rng = np.random.default_rng(seed)
    scenes = np.empty((count, size, size), np.uint8)
    for index in range(count):
        picture = _leaves(size, rng) + rng.uniform(0, _TEXTURE) * _texture(size, rng)
        scenes[index] = np.round(255 * _spread(picture, rng))
    return scenes


def _some_of(pictures: Tensor, count: int, draws: torch.Generator) -> Tensor:
    return pictures[torch.randint(len(pictures), (count,), generator=draws)]


def _leaves(size: int, rng: np.random.Generator) -> NDArray[np.float64]:
    rows, columns = np.mgrid[0:size, 0:size].astype(np.float64)
    picture = _shade(rows, columns, size, rng)
    for _ in range(rng.integers(*_LEAVES)):
        radius = np.exp(rng.uniform(*np.log(_LEAF_RADIUS))) * size
        stretch = np.exp(rng.uniform(-1, 1))
        down = np.abs(rows - rng.uniform(0, size)) / (radius * stretch)
        across = np.abs(columns - rng.uniform(0, size)) / (radius / stretch)
        inside = np.maximum(down, across) < 1 if rng.random() < 0.5 else down**2 + across**2 < 1
        picture[inside] = _shade(rows[inside], columns[inside], size, rng)
    return picture


def _shade(
    rows: NDArray[np.float64], columns: NDArray[np.float64], size: int, rng: np.random.Generator
) -> NDArray[np.float64]:
    """A grey level with a slope, at these places."""
    if not rows.size:
        return rows
    down, across = rng.standard_normal(2) * _SLOPE / size
    shade: NDArray[np.float64] = rng.random() + down * (rows - rows.mean()) + across * (columns - columns.mean())
    return shade


def _texture(size: int, rng: np.random.Generator) -> NDArray[np.float64]:
    """Noise whose spectrum falls as photographs' do, with a standard deviation of 1."""
    down, across = np.fft.fftfreq(size)[:, None], np.fft.rfftfreq(size)[None, :]
    falling = (np.hypot(down, across) + 1 / size) ** -rng.uniform(0.5, 1.5)
    texture: NDArray[np.float64] = np.fft.irfft2(
        np.fft.rfft2(rng.standard_normal((size, size))) * falling, (size, size)
    )
    texture /= texture.std()
    return texture


def _spread(picture: NDArray[np.float64], rng: np.random.Generator) -> NDArray[np.float64]:
    """The picture over a random part of the range, clipped to [0, 1]."""
    low, high = np.percentile(picture, (2, 98))
    bottom, top = np.sort(rng.random(2))
    spread: NDArray[np.float64] = (picture - low) / (high - low + 1e-6) * max(0.3, top - bottom) + bottom
    return spread.clip(0, 1)
