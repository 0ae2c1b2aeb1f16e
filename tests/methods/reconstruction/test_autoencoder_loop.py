"""The autoencoder's loop: batches, schedule, stopping, and the same bits again."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from footage import DrawnVideo, walking_square
from pixelfast.errors import ModelError
from pixelfast.methods.reconstruction.batches import CuboidBatches, plain_cuboids
from pixelfast.methods.reconstruction.loop import (
    AutoencoderTraining,
    held_out_windows,
    learning_rate,
    new_optimiser,
    planned_epochs,
    train_autoencoder,
    train_step,
    windows_loss,
)
from pixelfast.methods.reconstruction.network import TemporalAutoencoder
from pixelfast.methods.reconstruction.recipe import RECIPES, AutoencoderRecipe
from pixelfast.methods.reconstruction.training import mean_image_errors
from pixelfast.options import TrainingPrecision
from pixelfast.progress import Progress
from pixelfast.training.cache import FrameCache
from pixelfast.training.checkpoint import Checkpoint
from pixelfast.training.speed import Choice


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> FrameCache:
    videos = [DrawnVideo(name, walking_square(44, seed, size=32)) for seed, name in enumerate(("01", "02"))]
    return FrameCache.build(videos, tmp_path_factory.mktemp("cache") / "frames.u8", 32, 32)


def tiny(recipe: str = "default", **changes: object) -> AutoencoderRecipe:
    small = replace(RECIPES[recipe].own, channels=4, window_stride=2, least_steps=None, learning_rate=1e-2)
    return replace(small, **changes)  # type: ignore[arg-type]


def fit(
    cache: FrameCache,
    folder: Path,
    recipe: AutoencoderRecipe,
    *,
    epochs: int = 3,
    seed: int = 0,
    precision: TrainingPrecision = "fp32",
    threads: int = 1,
    piece: int | None = None,
    resume: bool = False,
    progress: Callable[[Progress], None] | None = None,
) -> tuple[TemporalAutoencoder, Checkpoint]:
    folder.mkdir(exist_ok=True)
    plan = AutoencoderTraining(cache, recipe, Choice(precision, True, 4, threads, piece), epochs, seed)
    return train_autoencoder(plan, folder, resume=resume, progress=progress)


def same(first: TemporalAutoencoder, second: TemporalAutoencoder) -> bool:
    pairs = zip(first.state_dict().values(), second.state_dict().values(), strict=True)
    return all(torch.equal(one, other) for one, other in pairs)


class StoppedError(Exception):
    """What the tests stop a training with."""


def stop_at(step: int) -> Callable[[Progress], None]:
    def progress(told: Progress) -> None:
        if told.done == step:
            raise StoppedError

    return progress


# Batches


def test_an_epoch_shows_every_window_once_in_another_order(cache: FrameCache) -> None:
    recipe = tiny(noise_probability=0.0, flip_probability=0.0)
    starts = cache.train_windows(2)
    batches = CuboidBatches(cache.frames, starts, recipe, 4, seed=7)
    expected = {(cache.frames[start : start + 16] / np.float32(255)).tobytes() for start in starts}
    orders = []
    for epoch in range(2):
        # Copied at once: a batch is overwritten two batches later.
        shown = [cuboid.tobytes() for batch in batches.epoch(epoch) for cuboid in batch.cuboids.numpy().copy()]
        assert len(shown) == len(starts) == 14
        assert set(shown) == expected
        orders.append(shown)
    assert orders[0] != orders[1]
    assert len(batches) == 4


def test_default_asks_for_the_cuboid_without_noise_and_source_for_what_it_was_given(cache: FrameCache) -> None:
    noisy = {"noise_probability": 1.0, "flip_probability": 0.5}
    given_, asked = _first_batch(cache, tiny("default", flip="cuboid", **noisy))
    assert 0.06 < np.abs(given_ - asked).mean() < 0.09  # the mean of |uniform in ±0.15| is 0.075
    upright = [(cache.frames[start : start + 16] / np.float32(255)) for start in cache.train_windows(2)]
    either = {one.tobytes() for cuboid in upright for one in (cuboid, cuboid[:, ::-1])}
    assert all(cuboid.tobytes() in either for cuboid in asked)
    given_, asked = _first_batch(cache, tiny("source", **noisy))
    np.testing.assert_array_equal(given_, asked)
    assert not {cuboid.tobytes() for cuboid in asked} & either


def _first_batch(cache: FrameCache, recipe: AutoencoderRecipe) -> tuple[np.ndarray, np.ndarray]:
    batches = CuboidBatches(cache.frames, cache.train_windows(2), recipe, 4, seed=0)
    batch = next(iter(batches.epoch(0)))
    return batch.cuboids.numpy().copy(), batch.target.numpy().copy()


def test_a_failure_ahead_of_the_step_is_not_lost(cache: FrameCache) -> None:
    batches = CuboidBatches(cache.frames, np.array([0, len(cache.frames) - 3]), tiny(), 1, seed=0)
    with pytest.raises((ValueError, IndexError), match="start"):
        list(batches.epoch(0))


# Marks


@pytest.mark.parametrize("flip_probability", [0.0, 0.2])
def test_mean_image_errors_are_what_numpy_says(cache: FrameCache, flip_probability: float) -> None:
    starts = held_out_windows(cache)
    upright, blended = mean_image_errors(cache, starts, flip_probability)
    train = cache.frames[cache.train_frame_ids()] / 255.0
    shown = cache.frames[starts[:, None] + np.arange(16)] / 255.0
    mean = train.mean(axis=0)
    assert upright == pytest.approx(((shown - mean) ** 2).mean())
    blend = (1 - flip_probability) * mean + flip_probability * mean[::-1]
    mix = (1 - flip_probability) * (shown - blend) ** 2 + flip_probability * (shown[:, :, ::-1] - blend) ** 2
    assert blended == pytest.approx(mix.mean())


def test_held_out_loss_is_the_mean_squared_error_of_held_out_windows(cache: FrameCache) -> None:
    network = TemporalAutoencoder(4, "batch").eval()
    starts = cache.held_out_windows()
    cuboids = torch.from_numpy(cache.frames[starts[:, None] + np.arange(16)] / np.float32(255))
    for flipped in (False, True):
        shown = cuboids.flip(2) if flipped else cuboids
        expected = torch.nn.functional.mse_loss(network(shown), shown).item()
        found = windows_loss(network, cache.frames, starts, Choice("fp32", True, 3, 1), flipped=flipped)
        assert found == pytest.approx(expected, rel=1e-5)
    np.testing.assert_array_equal(torch.cat(list(plain_cuboids(cache.frames, starts, 3))).numpy(), cuboids.numpy())


# A step


@pytest.mark.parametrize("piece", [1, 3, 8, 9])
def test_a_batch_in_pieces_has_the_gradient_of_the_whole(piece: int) -> None:
    torch.manual_seed(0)
    network = TemporalAutoencoder(4)
    cuboids, target = torch.rand(2, 8, 16, 32, 32)
    outcomes = []
    for size in (None, piece):
        # A rate of zero: the weights stay, the gradients can be read afterwards.
        loss = train_step(
            network, new_optimiser(network, 0.0), cuboids, target, Choice("fp32", True, 8, 1, size)
        ).item()
        gradients = torch.cat([parameter.grad.flatten() for parameter in network.parameters()])
        outcomes.append((loss, gradients.clone()))
    (loss, gradients), (loss_of_pieces, gradients_of_pieces) = outcomes
    assert loss == pytest.approx(torch.nn.functional.mse_loss(network(cuboids), target).item(), rel=1e-6)
    assert loss_of_pieces == pytest.approx(loss, rel=1e-6)
    assert gradients.abs().max() > 1e-4
    torch.testing.assert_close(gradients_of_pieces, gradients, rtol=1e-3, atol=1e-8)


# Schedule


def test_learning_rate_rises_then_falls_like_torchs_cosine() -> None:
    recipe = tiny(learning_rate=2.0, warmup=0.2, schedule="cosine")
    rates = [learning_rate(recipe, step, 50) for step in range(50)]
    np.testing.assert_allclose(rates[:10], np.linspace(0.2, 2.0, 10))
    optimiser = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=2.0)
    cosine = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, 40)
    for rate in rates[10:]:
        assert rate == pytest.approx(cosine.get_last_lr()[0])
        optimiser.step()
        cosine.step()


@given(st.integers(1, 200), st.floats(0, 1), st.sampled_from(["cosine", "constant"]))
def test_learning_rate_is_never_negative_nor_above_its_highest(steps: int, warmup: float, schedule: str) -> None:
    recipe = tiny(warmup=warmup, schedule=schedule)
    rates = [learning_rate(recipe, step, steps) for step in range(steps)]
    assert all(0 <= rate <= recipe.learning_rate for rate in rates)
    assert rates[0] > 0


def test_source_learning_rate_is_constant() -> None:
    assert {learning_rate(RECIPES["source"].own, step, 7) for step in range(7)} == {1e-3}


def test_epochs_show_enough_cuboids() -> None:
    recipe = replace(RECIPES["default"].own, epochs=4, least_steps=1000, epoch_windows=2000)
    planned = [planned_epochs(recipe, windows, 4, None) for windows in (1, 100, 401, 999, 1000, 9000)]
    assert planned == [1000, 40, 10, 4, 4, 4]
    assert planned_epochs(recipe, 9000, 16, None) == 8
    assert planned_epochs(recipe, 100, 4, 7) == 7
    assert planned_epochs(RECIPES["source"].own, 100, 32, None) == 40


def test_an_epoch_of_long_footage_shows_some_windows_others_each_time(cache: FrameCache) -> None:
    recipe = tiny(noise_probability=0.0, flip_probability=0.0, epoch_windows=5)
    batches = CuboidBatches(cache.frames, cache.train_windows(2), recipe, 4, seed=7)
    shown = [
        {cuboid.tobytes() for batch in batches.epoch(epoch) for cuboid in batch.cuboids.numpy().copy()}
        for epoch in range(12)
    ]
    assert len(batches) == 2
    assert {len(some) for some in shown} == {5}
    assert len(set().union(*shown)) == 14


def test_best_epoch_is_kept(cache: FrameCache, tmp_path: Path) -> None:
    # The learning rate rises until it does harm: the last epoch is worse than an earlier one.
    wild = tiny(learning_rate=0.3, schedule="constant", warmup=1.0, normalisation="none")
    kept, history = fit(cache, tmp_path / "kept", replace(wild, keep_best=True), epochs=6)
    last, same_history = fit(cache, tmp_path / "last", replace(wild, keep_best=False), epochs=6)
    assert history.held_out_losses == same_history.held_out_losses
    assert 1 <= history.best_epoch < 6
    losses = [
        windows_loss(network, cache.frames, held_out_windows(cache), Choice("fp32", True, 4, 1), flipped=False)
        for network in (kept, last)
    ]
    assert losses == pytest.approx([min(history.held_out_losses), history.held_out_losses[-1]], rel=1e-5)


def test_training_stops_when_held_out_frames_gain_nothing(cache: FrameCache, tmp_path: Path) -> None:
    idle = tiny(learning_rate=0.0, normalisation="none", patience=2)
    _, history = fit(cache, tmp_path, idle, epochs=9)
    assert (history.epochs, history.best_epoch) == (3, 1)
    _, history = fit(cache, tmp_path, replace(idle, least_steps=25), epochs=9)  # 4 steps an epoch
    assert (history.epochs, history.best_epoch) == (7, 1)


# The same again


@pytest.mark.parametrize("recipe", ["default", "source"])
@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_same_seed_gives_the_same_weights(
    cache: FrameCache, tmp_path: Path, recipe: str, precision: TrainingPrecision
) -> None:
    first, history = fit(cache, tmp_path, tiny(recipe), precision=precision, threads=2)
    second, again = fit(cache, tmp_path, tiny(recipe), precision=precision, threads=2)
    other, _ = fit(cache, tmp_path, tiny(recipe), precision=precision, threads=2, seed=1)
    assert same(first, second)
    assert not same(first, other)
    assert history.train_losses == again.train_losses


@pytest.mark.parametrize("recipe", ["default", "source"])
@pytest.mark.parametrize("step", [2, 4, 6, 12])  # in the first epoch, at its end, in the second, at the very end
def test_resumed_training_gives_the_same_weights(cache: FrameCache, tmp_path: Path, recipe: str, step: int) -> None:
    whole, history = fit(cache, tmp_path / "whole", tiny(recipe))
    with pytest.raises(StoppedError):
        fit(cache, tmp_path / "parts", tiny(recipe), progress=stop_at(step))
    parts, resumed = fit(cache, tmp_path / "parts", tiny(recipe), resume=True)
    assert same(whole, parts)
    assert resumed.train_losses == history.train_losses
    assert resumed.held_out_losses == history.held_out_losses
    assert resumed.best_epoch == history.best_epoch


def test_pieces_give_the_same_weights_again_and_are_part_of_the_settings(cache: FrameCache, tmp_path: Path) -> None:
    first, _ = fit(cache, tmp_path / "first", tiny("source"), threads=2, piece=3)
    second, _ = fit(cache, tmp_path / "second", tiny("source"), threads=2, piece=3)
    assert same(first, second)
    with pytest.raises(ModelError, match="piece 3, now None"):
        fit(cache, tmp_path / "first", tiny("source"), threads=2, resume=True)


def test_finished_training_is_not_done_again(cache: FrameCache, tmp_path: Path) -> None:
    whole, _ = fit(cache, tmp_path, tiny())
    again, history = fit(cache, tmp_path, tiny(), resume=True, progress=stop_at(1))
    assert same(whole, again)
    assert history.epochs == 3


def test_source_training_can_be_made_longer(cache: FrameCache, tmp_path: Path) -> None:
    whole, _ = fit(cache, tmp_path / "whole", tiny("source"), epochs=3)
    fit(cache, tmp_path / "longer", tiny("source"), epochs=1)
    longer, _ = fit(cache, tmp_path / "longer", tiny("source"), epochs=3, resume=True)
    assert same(whole, longer)
