"""The density method against its recipe the plain way: cells, streams, tails and levels, scores."""

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter1d

from oracles import density as oracle
from pixelfast.methods.density import STREAMS
from pixelfast.methods.density.judging import frame_scores, said_of
from pixelfast.methods.density.learning import Learnt, learn
from pixelfast.methods.density.levels import SPEAKERS
from pixelfast.methods.density.over_time import joined, over_time
from pixelfast.methods.density.recipe import DEFAULT, SOURCE, DensityRecipe
from pixelfast.methods.density.streams import Streams, streams_of
from pixelfast.model.tails import rarity
from street import Frames, cells_of, street


@pytest.fixture(scope="module")
def normal() -> list[Frames]:
    return [street(40, seed) for seed in range(1, 5)]


@pytest.fixture(scope="module")
def plain(normal: list[Frames]) -> oracle.Learnt:
    return oracle.learn([oracle.cells(video) for video in normal])


@pytest.fixture(scope="module")
def learnt(normal: list[Frames]) -> Learnt:
    return learn([cells_of(video) for video in normal], SIDE, SOURCE, 0, 2)


SIDE = 144 / 30
TIMES = SOURCE.times(1.0, live=False)


def close(ours: np.ndarray, theirs: np.ndarray, relative: float = 1e-4) -> None:
    np.testing.assert_allclose(ours, theirs, rtol=relative, atol=relative * np.abs(theirs).max())


def test_cells_are_those_of_the_recipe(normal: list[Frames]) -> None:
    for ours, theirs in zip(cells_of(normal[0]).smoothed(TIMES)[:4], oracle.cells(normal[0]), strict=True):
        close(ours, theirs)


def test_large_frames_have_cells_of_their_own_share_of_the_picture() -> None:
    frames = np.stack([np.kron(frame, np.ones((2, 2), np.uint8)) for frame in street(6, 1)])[:, :150]
    for ours, theirs in zip(cells_of(frames).smoothed(TIMES)[:4], oracle.cells(frames), strict=True):
        close(ours, theirs)


@pytest.mark.parametrize("piece", [1, 7, 64])
def test_pieces_do_not_matter(normal: list[Frames], piece: int) -> None:
    for ours, theirs in zip(cells_of(normal[0], piece), cells_of(normal[0]), strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_what_is_learnt_is_that_of_the_recipe(learnt: Learnt, plain: oracle.Learnt) -> None:
    known = learnt.known
    close(np.array(known.units[:2]), np.array([plain.speed, plain.eps]))
    for ours, theirs in zip(known.exemplars, (plain.directions, plain.looks), strict=False):
        close(ours, theirs)
    rows = plain.usual.shape[0] * plain.usual.shape[1]
    close(known.exemplars.usual, plain.usual.reshape(rows, -1))
    for ours, theirs in zip(STREAMS, "SDAP", strict=True):
        close(known.tails.at[ours], plain.tails[theirs])
    for ours, theirs in zip(SPEAKERS, "SUP", strict=True):
        close(np.array(known.levels[ours]), np.array(plain.levels[theirs]), 1e-3)


@pytest.mark.parametrize("intruder", ["none", "fast", "back", "left"])
def test_streams_and_scores_are_those_of_the_recipe(learnt: Learnt, plain: oracle.Learnt, intruder: str) -> None:
    frames, known = street(70, 9, intruder), learnt.known  # type: ignore[arg-type]
    exemplars = (plain.directions, plain.looks, plain.places, plain.usual)
    theirs, moving = oracle.streams(oracle.cells(frames), plain.speed, plain.eps, exemplars)
    cells = cells_of(frames).smoothed(TIMES)
    ours = Streams(*joined(streams_of([cells], known.units, known.exemplars, 2)))
    for name, plainly in zip(STREAMS, "SDAP", strict=True):
        close(getattr(ours, name), theirs[plainly])
    close(ours.moves, moving)
    said = np.concatenate([some.frames for some in said_of([ours], known.tails, known.units)])
    wanted = oracle.score(oracle.cells(frames), plain)
    np.testing.assert_allclose(
        frame_scores(said, known.levels), np.stack([wanted[name] for name in "SUP"], -1), rtol=1e-3, atol=1e-3
    )


@pytest.mark.parametrize("sigma", [0.25, 3.0, 12.0])
@pytest.mark.parametrize("piece", [1, 5, 100])
def test_smoothing_is_that_of_scipy(sigma: float, piece: int) -> None:
    values = np.random.default_rng(0).standard_normal((90, 3, 2)).astype(np.float32)
    pieces = [(values[at : at + piece], values[at : at + piece]) for at in range(0, len(values), piece)]
    smoothed, waited = joined(over_time(pieces, (sigma, 0)))
    np.testing.assert_allclose(smoothed, gaussian_filter1d(values, sigma, axis=0, mode="nearest"), atol=2e-6)
    np.testing.assert_array_equal(waited, values)


@pytest.mark.parametrize("piece", [1, 5, 100])
def test_live_smoothing_looks_back_alone(piece: int) -> None:
    values = np.random.default_rng(0).standard_normal((50, 2)).astype(np.float32)
    pieces = [(values[at : at + piece],) for at in range(0, len(values), piece)]
    state, wanted = values[0].copy(), []
    for own in values:
        state = state + 0.25 * (own - state)
        wanted.append(state)
    found = list(over_time(pieces, (3,), live=True))
    assert [len(some[0]) for some in found] == [len(some[0]) for some in pieces]
    np.testing.assert_allclose(joined(found)[0], np.stack(wanted), atol=1e-6)


def test_tails_are_linear_between_quantiles_and_beyond() -> None:
    at = np.array([1.0, 2, 3, 4, 5, 6, 7, 8, 10])
    values = np.linspace(0, 30, 300)
    np.testing.assert_allclose(rarity(values.astype(np.float32), at), oracle.tail(values, at), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("recipe", [SOURCE, DEFAULT])
def test_footage_in_which_nothing_moves_is_learnt_from(recipe: DensityRecipe) -> None:
    still = np.repeat(street(1, 3), 30, axis=0) + np.random.default_rng(0).integers(0, 3, (30, 96, 144), np.uint8)
    known = learn([cells_of(still) for _ in range(3)], SIDE, recipe, 0, 2).known
    frames = street(70, 9, "fast")
    streams = streams_of([cells_of(frames).smoothed(known.units.times)], known.units, known.exemplars, 2)
    said = np.concatenate([some.frames for some in said_of(streams, known.tails, known.units)])
    assert np.isfinite(frame_scores(said, known.levels)).all()
    assert frame_scores(said, known.levels).max() > 3
