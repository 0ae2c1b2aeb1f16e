"""Types of the Rust extension. Functions release the GIL, answer Ctrl-C and give the same bits for any `threads`."""

from collections.abc import Sequence
from os import PathLike
from typing import Any, Literal, final

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "Exemplars",
    "OverlapAggregator",
    "PictureReader",
    "assemble_cuboids",
    "build_info",
    "count_pictures",
    "cuboid_errors",
    "decode_frames",
    "explain_frame",
    "farthest_first",
    "fingerprint_files",
    "flip_jpeg",
    "frame_size",
    "laid_upright",
    "look_blocks",
    "motion_blocks",
    "noise_sigma",
    "normalise",
    "place_distances",
    "pool",
    "rank",
    "resize_frames",
    "resize_planes",
    "sample_ranges",
    "smooth",
]

def decode_frames(
    paths: Sequence[str | PathLike[str]],
    height: int | None = None,
    width: int | None = None,
    color: Literal["grey", "rgb"] = "grey",
    threads: int | None = None,
    out: NDArray[np.uint8] | None = None,
    harmless: list[int] | None = None,
    orientation: bool = True,
    depth: int | None = None,
    turned: list[int] | None = None,
    digests: list[bytes] | None = None,
) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]: ...
def explain_frame(path: str | PathLike[str]) -> str | None: ...
def frame_size(path: str | PathLike[str], orientation: bool = True) -> tuple[int, int]: ...
def sample_ranges(
    paths: Sequence[str | PathLike[str]], threads: int | None = None
) -> list[tuple[float, int, int, bool] | None]: ...
def count_pictures(paths: Sequence[str | PathLike[str]], threads: int | None = None) -> list[int]: ...
def resize_frames(
    frames: NDArray[np.uint8], height: int, width: int, threads: int | None = None
) -> NDArray[np.uint8]: ...
def resize_planes(
    planes: Sequence[NDArray[np.uint8]],
    line: int,
    size: tuple[int, int],
    height: int,
    width: int,
    color: Literal["grey", "rgb"] = "grey",
    *,
    bits: int = 8,
    limited: bool = False,
    orientation: int = 1,
    threads: int | None = None,
) -> NDArray[np.uint8]: ...
def flip_jpeg(data: bytes, quality: int = 95, orientation: bool = True) -> tuple[bytes, bool]: ...
def laid_upright(data: bytes) -> tuple[int, bytes]: ...
def fingerprint_files(paths: Sequence[str | PathLike[str]], threads: int | None = None) -> bytes: ...
def build_info() -> dict[str, str]: ...
def assemble_cuboids(
    frames: NDArray[np.uint8],
    starts: NDArray[np.int64],
    out: NDArray[np.float32],
    *,
    clean: NDArray[np.float32] | None = None,
    samples: NDArray[np.int64] | None = None,
    seed: int = 0,
    noise_probability: float = 0.0,
    noise_amplitude: float = 0.15,
    flip_probability: float = 0.0,
    flip: Literal["frame", "cuboid"] = "frame",
    threads: int | None = None,
) -> None: ...
def cuboid_errors(
    cuboids: NDArray[np.float32],
    reconstruction: NDArray[np.float32],
    grid: int = 8,
    threads: int | None = None,
) -> NDArray[np.float32]: ...
def noise_sigma(frames: NDArray[np.uint8], threads: int | None = None) -> NDArray[np.float32]: ...

@final
class PictureReader:
    def __new__(cls, path: str | PathLike[str]) -> PictureReader: ...
    @property
    def length(self) -> int: ...
    @property
    def seconds(self) -> list[float] | None: ...
    def sizes(self, orientation: bool = True) -> list[tuple[int, int] | None]: ...
    def next(
        self,
        count: int,
        height: int,
        width: int,
        color: Literal["grey", "rgb"] = "grey",
        threads: int | None = None,
        orientation: bool = True,
        depth: int | None = None,
    ) -> tuple[NDArray[np.uint8], NDArray[np.uint8], dict[int, str]]: ...

@final
class OverlapAggregator:
    def __new__(
        cls, window: int, stride: int = 1, how: Literal["mean", "max", "median"] = "mean"
    ) -> OverlapAggregator: ...
    def push(self, window_errors: NDArray[np.float32]) -> NDArray[np.float32]: ...
    def finish(
        self, anchored: NDArray[np.float32] | None = None, n_frames: int | None = None
    ) -> NDArray[np.float32]: ...

def pool(
    maps: NDArray[np.float32], how: Literal["mean", "worst"] = "mean", threads: int | None = None
) -> NDArray[np.float32]: ...
def normalise(
    raw: NDArray[np.floating[Any]], percentile: float | None = 99.99, threads: int | None = None
) -> NDArray[np.float64]: ...
def smooth(
    values: NDArray[np.floating[Any]], lengths: NDArray[np.int64], size: int, threads: int | None = None
) -> NDArray[np.float64]: ...
def rank(values: NDArray[np.floating[Any]], threads: int | None = None) -> NDArray[np.float64]: ...
def motion_blocks(
    flow: NDArray[np.float32], rows: int, columns: int, threads: int | None = None
) -> NDArray[np.float32]: ...
def look_blocks(
    frames: NDArray[np.uint8], rows: int, columns: int, threads: int | None = None
) -> NDArray[np.float32]: ...

@final
class Exemplars:
    def __new__(cls, points: NDArray[np.float32]) -> Exemplars: ...
    def nearest(self, queries: NDArray[np.float32], threads: int | None = None) -> NDArray[np.float32]: ...
    def __len__(self) -> int: ...

def place_distances(
    looks: NDArray[np.float32], exemplars: NDArray[np.float32], threads: int | None = None
) -> NDArray[np.float32]: ...
def farthest_first(points: NDArray[np.float32], count: int, threads: int | None = None) -> NDArray[np.float32]: ...
