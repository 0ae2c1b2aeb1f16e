"""The product's training loop against the source's plain one: the same loss curve, up to the noise of the draw."""

from pathlib import Path

import numpy as np
import pytest

from footage import DrawnVideo, walking_square
from oracles.plain_training import PlainTraining, given_windows
from pixelfast.training import RECIPES, FrameCache
from pixelfast.training.autoencoder import Plan, train_autoencoder
from pixelfast.training.step import Choice

SIZE, EPOCHS, SEEDS = 32, 4, range(4)
THREADS = 2


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> FrameCache:
    videos = [DrawnVideo(name, walking_square(160, seed, SIZE)) for seed, name in enumerate(("01", "02"))]
    return FrameCache.build(videos, tmp_path_factory.mktemp("cache") / "frames.u8", SIZE, SIZE)


def our_curve(cache: FrameCache, folder: Path, seed: int) -> list[float]:
    """The mean loss of each epoch of recipe `source`."""
    plan = Plan(cache, RECIPES["source"].autoencoder, Choice("fp32", True, 32, THREADS), EPOCHS, seed)
    folder.mkdir()
    return train_autoencoder(plan, folder, resume=False, progress=None)[1].train_losses


def plain_curve(cache: FrameCache, seed: int) -> list[float]:
    training = PlainTraining(seed)  # the same seed gives both networks the same first weights
    windows = given_windows(cache.frames, cache.train_windows(2).tolist())
    return [float(np.mean(training.epoch(windows))) for _ in range(EPOCHS)]
