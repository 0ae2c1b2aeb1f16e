"""Footage in colour and scores of it, for tests of the page; no engine computes them."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from made_scores import make_scores
from pixelfast.scores import Scores
from pixelfast.scores.why import Why
from pixelfast.sources import Chunk

THRESHOLD = 5.0
EVIL = "<script>alert(1)</script>"


def coloured(video: int, frame: int, height: int = 36, width: int = 64) -> NDArray[np.uint8]:
    """u8[height,width,3]: red tells the video, green the frame, and the upper half is bluer than the lower."""
    picture = np.zeros((height, width, 3), np.uint8)
    picture[..., 0], picture[..., 1] = (20 + 40 * video) % 250, 20 + 3 * frame % 210
    picture[: height // 2, :, 2] = 200
    return picture


def write_footage(folder: Path, names: list[str], frames: int, flipped: frozenset[int] = frozenset()) -> Path:
    """Writes `<name>/frame_0001.jpg`, …; those in `flipped` upside down."""
    for video, name in enumerate(names):
        (folder / name).mkdir(parents=True)
        for frame in range(1, frames + 1):
            picture = coloured(video, frame)
            picture = picture[::-1] if frame in flipped else picture
            Image.fromarray(picture).save(folder / name / f"frame_{frame:04d}.jpg", quality=95)
    return folder


def scores_of(names: list[str], frames: int, bumps: dict[str, dict[int, float]], **changes: Any) -> Scores:
    """Scores that are 1 but where `bumps` says otherwise, of frames from 1, with a threshold, tails and reasons."""
    total = frames * len(names)
    raw = np.ones(total, np.float32)
    for name, some in bumps.items():
        for frame, value in some.items():
            raw[names.index(name) * frames + frame - 1] = value
    none = np.zeros(total, np.bool_)
    why = Why.of(
        np.full(total, 5, np.int32), np.zeros(total, np.int8), ["moves as nothing does here"] * total, (3, 4), ("way",)
    )
    own = {
        "frame": np.tile(np.arange(1, frames + 1), len(names)), "raw": raw, "score": raw.astype(np.float64),
        "rank": (np.argsort(np.argsort(raw, kind="stable")) + 1) / total, "flipped": none, "repaired": none,
        "noisy": none, "smooth": 1, "threshold": THRESHOLD, "tail": np.where(raw > 4, 0.001, 1.0), "why": why,
        "method": "density",
    }  # fmt: skip
    return make_scores(dict.fromkeys(names, frames), **{**own, **changes})


class ForwardVideo:
    """A video that can be read forward only, counts what was read, and knows no length."""

    length = None

    def __init__(self, name: str, frames: int, lost: frozenset[int] = frozenset()) -> None:
        self.name, self.frames, self.lost, self.read = name, frames, lost, 0

    def chunks(
        self, height: int | None, width: int | None, color: str = "grey", chunk: int = 64, threads: int | None = None
    ) -> Iterator[Chunk]:
        assert (height, width, color) == (36, 64, "rgb")
        for first in range(1, self.frames + 1, chunk):
            ids = np.arange(first, min(first + chunk, self.frames + 1))
            self.read += len(ids)
            status = np.where(np.isin(ids, list(self.lost)), 2, 0).astype(np.uint8)
            yield Chunk(ids, np.stack([coloured(0, int(frame)) for frame in ids]), status)

    def describe(self, index: int) -> str:
        return f"{self.name} frame {index + 1}"

    def explain(self, index: int) -> str:
        return "is readable"

    def fingerprint(self) -> bytes:
        return b""

    def size(self) -> tuple[int, int]:
        return 36, 64


NAMES = ["cam1", "cam2", f"deep/{EVIL.replace('/', '|')}"]
FRAMES = 60
BUMPS = {"cam1": {20: 9.0, 21: 8.0}, "cam2": {10: 20.0, 11: 15.0, 12: 14.0}, NAMES[2]: {50: 7.0}}
"""Footage of three videos, one of them named like a script, and what stands out in it."""
