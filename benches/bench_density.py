"""The density method's measures of blocks and its searches, against NumPy and OpenCV made as fast as they go."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

import pixelfast
from pixelfast import _core
from pixelfast.methods.registry import find_method

THREADS = 2
FRAMES, HEIGHT, WIDTH, ROWS, COLUMNS = 64, 240, 360, 20, 30
EXEMPLARS, QUERIES, DIMS = 3_000, 20_000, 34
CACHED = 512  # queries a product: its 6 MB stay in the cache
Floats = NDArray[np.float32]
Size = Callable[[int, int], int]


@pytest.mark.versus("density_blocks", peer="NumPy and OpenCV")
def test_blocks(contest, size: Size) -> None:
    """Motion and look of 20x30 blocks, 360x240."""
    count = size(FRAMES, FRAMES // 4)
    rng = np.random.default_rng(0)
    frames = rng.integers(0, 256, (count, HEIGHT, WIDTH), np.uint8)
    flow = np.stack([cv2.GaussianBlur(own, (0, 0), 3) for own in rng.normal(0, 4, (count, HEIGHT, WIDTH, 2))])
    flow = flow.astype(np.float32)
    cv2.setNumThreads(THREADS)
    contest(
        ours=lambda: (
            _core.motion_blocks(flow, ROWS, COLUMNS, THREADS),
            _core.look_blocks(frames, ROWS, COLUMNS, THREADS),
        ),
        plain=lambda: [(plain_motion(own), plain_look(frame)) for own, frame in zip(flow, frames, strict=True)],
        rounds=3,
        items=count,
        unit="frames",
    )


@pytest.mark.versus("density_search", peer="a BLAS distance matrix")
def test_search(contest, size: Size) -> None:
    """The nearest of 3,000 exemplars, 34 coordinates, queries as a video has them: clusters that drift."""
    search(contest, *drifting(size(QUERIES, QUERIES // 4)))


@pytest.mark.versus("density_search_directions", peer="a BLAS distance matrix")
def test_search_of_directions(contest, size: Size) -> None:
    """The nearest of 3,000 exemplars, 10 coordinates: the same drift, seen along 10 of the 34."""
    exemplars, queries = drifting(size(QUERIES, QUERIES // 4))
    search(contest, exemplars[:, :10].copy(), queries[:, :10].copy())


@pytest.mark.versus("density_search_uniform", peer="a BLAS distance matrix")
def test_search_of_uniform_points(contest, size: Size) -> None:
    """The same with points that have no order at all: the worst there is."""
    rng, count = np.random.default_rng(0), size(QUERIES, QUERIES // 4)
    search(contest, rng.random((EXEMPLARS, DIMS), np.float32), rng.random((count, DIMS), np.float32))


@pytest.mark.versus("density_places", peer="NumPy", gated=False)
def test_place_distances(contest) -> None:
    """The nearest of 64 exemplars at each of 551 places, 32 coordinates, 64 frames."""
    rng = np.random.default_rng(0)
    looks, exemplars = rng.random((64, 551, 32), np.float32), rng.random((551, 64, 32), np.float32)
    by_place, turned = np.ascontiguousarray(looks.transpose(1, 0, 2)), -2 * exemplars.transpose(0, 2, 1)
    norms = (exemplars**2).sum(-1)[:, None]
    contest(
        ours=lambda: _core.place_distances(looks, exemplars, THREADS),
        plain=lambda: np.sqrt(np.maximum(0, (by_place @ turned + norms).min(-1) + (by_place**2).sum(-1))),
    )


@pytest.mark.versus("density_score", peer="the motion method")
def test_score(contest, frames: list[Path], tmp_path: Path) -> None:
    """Frame files of 360x240 to scores; the other side is the motion method with DIS medium and no GRU."""
    footage = tmp_path / "footage" / "01"
    footage.mkdir(parents=True)
    for path in frames:
        small = cv2.resize(cv2.imread(str(path)), (WIDTH, HEIGHT), interpolation=cv2.INTER_AREA)
        cv2.imwrite(str(footage / path.name), small)
    models = {}
    for method, recipe in (("density", "default"), ("motion", "plain")):
        whole = find_method(method).recipes[recipe]
        short = replace(whole, flip=replace(whole.flip, epochs=1, least_steps=1))
        models[method] = tmp_path / method
        pixelfast.train(footage, models[method], method=method, recipe=short, threads=THREADS)

    def score(method: str) -> pixelfast.Scores:
        return pixelfast.score(footage, models[method], flip="always", threads=THREADS)

    contest(
        ours=lambda: score("density"),
        plain=lambda: score("motion"),
        warmup_rounds=0,
        items=len(frames),
        unit="frames",
    )


def search(contest, exemplars: Floats, queries: Floats) -> None:
    known = _core.Exemplars(exemplars)
    contest(
        ours=lambda: known.nearest(queries, THREADS),
        plain=lambda: nearest_by_matrix(queries, exemplars),
        rounds=3,
        items=len(queries),
        unit="queries",
    )


def drifting(count: int) -> tuple[Floats, Floats]:
    """Exemplars and queries [., 34]: 40 things, each with a look of 6 degrees of freedom that changes slowly."""
    rng = np.random.default_rng(0)
    basis, middles = rng.normal(0, 1, (6, DIMS)), rng.normal(0, 0.3, (40, DIMS))

    def looks(thing: NDArray[np.int64], state: NDArray[np.float64]) -> Floats:
        found = middles[thing] + 0.1 * state @ basis + rng.normal(0, 0.03, (len(thing), DIMS))
        return found.astype(np.float32)

    exemplars = looks(rng.integers(0, 40, EXEMPLARS), rng.normal(0, 1, (EXEMPLARS, 6)))
    steps = rng.normal(0, 0.1, (count, 6)).cumsum(0)
    return exemplars, looks(np.arange(count) // 50 % 40, 2 * np.sin(steps))


def nearest_by_matrix(queries: Floats, exemplars: Floats) -> Floats:
    """By |q|^2 - 2 q e + |e|^2, as many queries at a time as the cache holds."""
    turned, norms = np.ascontiguousarray(-2 * exemplars.T), (exemplars**2).sum(-1)
    found = np.empty(len(queries), np.float32)
    for at in range(0, len(queries), CACHED):
        own = queries[at : at + CACHED]
        squares = own @ turned
        squares += norms
        found[at : at + CACHED] = squares.min(-1) + (own**2).sum(-1)
    return np.sqrt(np.maximum(0, found))


def plain_motion(flow: Floats) -> Floats:
    """The recipe in float32: the axes' squares, each for the end at which it counts."""
    flow = cv2.resize(flow, (WIDTH // 2, HEIGHT // 2), interpolation=cv2.INTER_AREA)
    x, y = flow[..., 0], flow[..., 1]
    norm = cv2.magnitude(x, y)
    share = 1 / np.maximum(norm, np.float32(1e-12))
    slant = np.float32(np.sqrt(0.5))
    maps = []
    for along in (x, slant * (x + y), y, slant * (y - x)):
        square = along * along * share
        ahead = np.where(along > 0, square, np.float32(0))
        maps += [ahead, square - ahead]
    return np.stack([blocks(part) for part in (*maps, norm, (norm > 0.25).astype(np.float32))], -1)


def blocks(part: Floats) -> Floats:
    return cv2.resize(part, (COLUMNS, ROWS), interpolation=cv2.INTER_AREA)


def plain_look(frame: NDArray[np.uint8]) -> Floats:
    """The recipe in float32, filters and polar coordinates by OpenCV."""
    smooth = cv2.GaussianBlur(frame.astype(np.float32), (0, 0), 1)
    padded = cv2.copyMakeBorder(smooth, 1, 1, 1, 1, cv2.BORDER_REPLICATE)
    x = (padded[1:-1, 2:] - padded[1:-1, :-2]) * np.float32(0.5)
    y = (padded[2:, 1:-1] - padded[:-2, 1:-1]) * np.float32(0.5)
    magnitude, angle = cv2.cartToPolar(x, y)
    place = angle * np.float32(8 / np.pi)
    low = place.astype(np.int32)
    upper = (place - low) * magnitude
    lower = magnitude - upper
    low &= 7
    above = (low + 1) & 7
    zero = np.float32(0)
    return np.stack([blocks(np.where(low == k, lower, zero) + np.where(above == k, upper, zero)) for k in range(8)], -1)
