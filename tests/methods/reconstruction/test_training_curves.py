"""The product's training loop against the source's plain one: the same loss curve, up to the noise of the draw."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from scipy import stats

from footage import DrawnVideo, walking_square
from oracles.plain_training import PlainTraining, given_windows
from pixelfast.methods.reconstruction.loop import AutoencoderTraining, train_autoencoder
from pixelfast.methods.reconstruction.recipe import RECIPES, AutoencoderRecipe
from pixelfast.options import TrainingPrecision
from pixelfast.training.cache import FrameCache
from pixelfast.training.speed import Choice

SOURCE = replace(RECIPES["source"].own, channels=8)  # an eighth of its width: what a loop does is the same
SIZE = 32  # of the frames
FRAMES = 158  # of a video: 142 are trained on, which makes 64 windows
EPOCHS, SEEDS = 8, range(4)
CHANCE = 1e-3  # that equal loops fail, were the seeds drawn anew


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> FrameCache:
    videos = [DrawnVideo(name, walking_square(FRAMES, seed, SIZE)) for seed, name in enumerate(("01", "02"))]
    return FrameCache.build(videos, tmp_path_factory.mktemp("cache") / "frames.u8", SIZE, SIZE)


@pytest.fixture(scope="module")
def plain(cache: FrameCache) -> NDArray[np.float64]:
    """f64[seeds, epochs]: mean losses of the source's loop."""
    torch.set_num_threads(1)
    windows = given_windows(cache.frames, cache.train_windows(2).tolist())
    trainings = [PlainTraining(seed, SOURCE.channels) for seed in SEEDS]
    return np.array([[np.mean(training.epoch(windows)) for _ in range(EPOCHS)] for training in trainings])


def ours(cache: FrameCache, folder: Path, recipe: AutoencoderRecipe, choice: Choice) -> NDArray[np.float64]:
    """f64[seeds, epochs]: mean losses of the product's; a seed gives both loops the same first weights."""
    curves = []
    for seed in SEEDS:
        (folder / str(seed)).mkdir()
        plan = AutoencoderTraining(cache, recipe, choice, EPOCHS, seed)
        curves.append(train_autoencoder(plan, folder / str(seed), resume=False, progress=None)[1].train_losses)
    return np.array(curves)


def surprise(ours: NDArray[np.float64], plain: NDArray[np.float64]) -> NDArray[np.float64]:
    """f64[epochs]: how far the mean losses differ, as a share of what chance may do to any of the epochs.

    Both loops draw orders, noise and flips on their own: the difference of their means over n seeds has a standard
    error that their spreads over the seeds estimate, and Student's t with 2n - 2 degrees of freedom says how many of
    them chance reaches. The epochs share the probability.
    """
    n = len(SEEDS)
    error = np.sqrt((plain.var(axis=0, ddof=1) + ours.var(axis=0, ddof=1)) / n)
    most = stats.t.ppf(1 - CHANCE / (2 * EPOCHS), 2 * n - 2) * error
    print(f"plain {plain.mean(axis=0).round(5)}\nours  {ours.mean(axis=0).round(5)}\nmay differ by {most.round(5)}")
    return np.abs(ours.mean(axis=0) - plain.mean(axis=0)) / most


@pytest.mark.parametrize(
    ("precision", "piece"), [("fp32", None), ("fp32", 8), pytest.param("bf16", 8, marks=pytest.mark.long)]
)
def test_loss_curves_are_the_sources_within_noise(
    cache: FrameCache, tmp_path: Path, plain: NDArray[np.float64], precision: TrainingPrecision, piece: int | None
) -> None:
    found = ours(cache, tmp_path, SOURCE, Choice(precision, True, 32, 1, piece))
    assert found[:, -1].mean() < 0.95 * found[:, 0].mean()  # it learns, so that there is a curve to compare
    assert surprise(found, plain).max() < 1


@pytest.mark.parametrize(
    "wrong",
    [
        {"learning_rate": 4e-3},
        {"noise_amplitude": 0.25},
        {"target": "clean"},
    ],
    ids=str,
)
def test_another_recipe_has_another_curve(
    cache: FrameCache, tmp_path: Path, plain: NDArray[np.float64], wrong: dict[str, object]
) -> None:
    found = ours(cache, tmp_path, replace(SOURCE, **wrong), Choice("fp32", True, 32, 1))  # type: ignore[arg-type]
    assert surprise(found, plain).max() > 1
