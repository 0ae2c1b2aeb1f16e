"""Footage for tests, drawn in memory: a scene with an up and a down, and a square that walks through it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from pixelfast.sources import UNREADABLE, Chunk


def walking_square(count: int, seed: int = 0, size: int = 128) -> NDArray[np.uint8]:
    """u8[count,size,size]: bright above, dark below, some noise, and a square on its way."""
    rng = np.random.default_rng(seed)
    frames = np.repeat(np.linspace(200, 60, size)[:, None], size, axis=1)[None].repeat(count, axis=0)
    frames = frames + 4 * rng.standard_normal(frames.shape)
    for index in range(count):
        left = (7 * seed + 3 * index) % (size - size // 8)
        frames[index, size // 2 : size // 2 + size // 8, left : left + size // 8] = 20
    return frames.clip(0, 255).round().astype(np.uint8)


@dataclass(frozen=True, eq=False)
class DrawnVideo:
    """A video that holds its frames; those in `unreadable` come as zeros with that status, as a decoder gives them."""

    name: str
    drawn: NDArray[np.uint8]
    unreadable: Sequence[int] = ()
    length_known: bool = True

    @property
    def length(self) -> int | None:
        return len(self.drawn) if self.length_known else None

    def chunks(
        self,
        height: int | None,
        width: int | None,
        color: Literal["grey", "rgb"] = "grey",
        chunk: int = 64,
        threads: int | None = None,
    ) -> Iterator[Chunk]:
        assert (height, width, color) == (*self.drawn.shape[1:], "grey")
        for first in range(0, len(self.drawn), chunk):
            frames = self.drawn[first : first + chunk].copy()
            ids = np.arange(first, first + len(frames))
            status = np.where(np.isin(ids, self.unreadable), UNREADABLE, 0).astype(np.uint8)
            frames[status == UNREADABLE] = 0
            yield Chunk(ids, frames, status)

    def describe(self, index: int) -> str:
        return f"{self.name}/frame_{index:04d}.png"

    def explain(self, index: int) -> str:
        return "is empty (0 bytes)" if index in self.unreadable else "is readable"

    def fingerprint(self) -> bytes:
        return self.drawn.tobytes()[:32]

    def size(self) -> tuple[int, int]:
        return self.drawn.shape[1], self.drawn.shape[2]
