"""The flip classifier: it learns, stays right in other light and noise, and is the same for the same seed."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from footage import DrawnVideo, walking_square
from pixelfast.flip.network import FlipClassifier, FlipGraph
from pixelfast.flip.recipe import DEFAULT, SOURCE
from pixelfast.flip.strangers import Strangers, draw_scenes
from pixelfast.flip.training import augment, train_flip_classifier
from pixelfast.progress import Progress
from pixelfast.training.cache import FrameCache


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> FrameCache:
    videos = [DrawnVideo("01", walking_square(60))]
    return FrameCache.build(videos, tmp_path_factory.mktemp("cache") / "frames.u8", threads=1)


@torch.no_grad()
def flip_probabilities(network: FlipClassifier, frames: NDArray[np.uint8]) -> NDArray[np.float32]:
    return FlipGraph(network)(torch.from_numpy(frames.copy())).numpy()


def right(network: FlipClassifier, frames: NDArray[np.uint8]) -> float:
    """Share of frames that are judged rightly, each upright and flipped."""
    upright = flip_probabilities(network, frames) < 0.5
    flipped = flip_probabilities(network, frames[:, ::-1]) > 0.5
    return float(np.concatenate([upright, flipped]).mean())


def test_classifier_learns_and_stays_right_in_other_light_and_noise(cache: FrameCache) -> None:
    recipe = replace(DEFAULT, epochs=1, least_steps=120, batch=32)
    told: list[Progress] = []
    network, accuracy = train_flip_classifier(cache, recipe, seed=0, threads=1, progress=told.append)
    assert (accuracy.held_out, accuracy.frames, accuracy.steps) == (1.0, 16, 120)
    assert accuracy.augmented is not None
    assert accuracy.augmented > 0.9
    rng = np.random.default_rng(0)
    frames = walking_square(30, seed=4).astype(np.float64)
    for changed in (frames, 0.6 * frames, 1.25 * frames, frames + 0.3 * 255 * rng.standard_normal(frames.shape)):
        assert right(network, changed.clip(0, 255).astype(np.uint8)) == 1.0
    assert [step.done for step in told] == list(range(1, 121))
    assert told[-1].note.startswith("loss 0.")


def test_steps_are_epochs_but_no_fewer_than_the_least(cache: FrameCache) -> None:
    # 44 training frames, each twice: 88 samples, 6 batches of 16 an epoch.
    for recipe, steps in ((replace(SOURCE, epochs=2, batch=16), 12), (replace(SOURCE, epochs=1, least_steps=9), 9)):
        _, accuracy = train_flip_classifier(cache, recipe, seed=0, threads=1)
        assert (accuracy.steps, accuracy.augmented) == (steps, None)


def test_many_frames_are_thinned_evenly(tmp_path: Path) -> None:
    drawn = np.arange(200, dtype=np.uint8)[:, None, None].repeat(16, 1).repeat(16, 2)
    cache = FrameCache.build([DrawnVideo("01", drawn)], tmp_path / "frames.u8", 16, 16)
    _, accuracy = train_flip_classifier(cache, replace(SOURCE, frames=30, epochs=1, batch=60), seed=0, threads=1)
    assert accuracy.steps == 1


def test_same_seed_gives_the_same_classifier(cache: FrameCache) -> None:
    recipe = replace(DEFAULT, epochs=1, least_steps=3, batch=16)  # with strangers
    first, again, other = (
        train_flip_classifier(cache, recipe, seed=seed, threads=2)[0].state_dict() for seed in (3, 3, 4)
    )
    assert all(torch.equal(first[name], again[name]) for name in first)
    assert not any(torch.equal(first[name], other[name]) for name in first)


def test_unmeasured_accuracy_is_none(tmp_path: Path) -> None:
    cache = FrameCache.build([DrawnVideo("01", walking_square(20))], tmp_path / "frames.u8", threads=1)
    _, accuracy = train_flip_classifier(
        cache, replace(DEFAULT, epochs=1, least_steps=1, strangers=0.0), seed=0, threads=1
    )
    assert (accuracy.held_out, accuracy.augmented, accuracy.frames) == (None, None, 0)


def test_no_frames_have_no_probabilities(cache: FrameCache) -> None:
    network, _ = train_flip_classifier(cache, replace(SOURCE, epochs=1), seed=0, threads=1)
    assert flip_probabilities(network, np.empty((0, 128, 128), np.uint8)).shape == (0,)


# Strangers


def test_a_scene_that_is_not_known_is_not_turned(cache: FrameCache) -> None:
    # The square's scene on its side, and drawn ones that were not trained on: upright, whichever way they lie.
    foreign = np.concatenate([walking_square(20).transpose(0, 2, 1), draw_scenes(60, 128, seed=99)])
    both_ways = np.concatenate([foreign, foreign[:, ::-1]])
    recipe = replace(DEFAULT, epochs=1, least_steps=250, batch=32)
    turned = []
    for strangers in (0.0, DEFAULT.strangers):
        network, _ = train_flip_classifier(cache, replace(recipe, strangers=strangers), seed=0, threads=1)
        assert right(network, walking_square(30, seed=4)) == 1.0
        turned.append((flip_probabilities(network, both_ways) > 0.5).mean())
    assert turned[0] > 0.2
    assert turned[1] < 0.12


def test_strangers_are_half_drawn_half_frames_on_their_side() -> None:
    frames = torch.arange(64 * 64).reshape(1, 64, 64).remainder(251).to(torch.uint8)
    strangers = Strangers(frames, seed=0)
    pictures = strangers.draw(41, torch.Generator().manual_seed(0))
    assert pictures.shape == (41, 64, 64)
    on_their_side = frames[0].T.float() / 255
    turned = [torch.equal(picture, on_their_side.flip(0)) for picture in pictures[20:]]
    assert all(
        torch.equal(picture, on_their_side) for picture, flip in zip(pictures[20:], turned, strict=True) if not flip
    )
    assert 4 < sum(turned) < 17


def test_drawn_scenes_differ_and_depend_on_the_seed_alone() -> None:
    scenes = draw_scenes(30, 64, seed=1)
    assert (scenes.shape, scenes.dtype) == ((30, 64, 64), np.uint8)
    assert len(np.unique(scenes.reshape(30, -1), axis=0)) == 30
    assert scenes.std(axis=(1, 2)).min() > 2
    np.testing.assert_array_equal(scenes, draw_scenes(30, 64, seed=1))
    assert not np.array_equal(scenes, draw_scenes(30, 64, seed=2))


# Augmentation


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 2**31))
def test_augmented_frames_stay_in_range(seed: int) -> None:
    draws = torch.Generator().manual_seed(seed)
    frames = torch.rand(8, 32, 32, generator=draws)
    changed = augment(frames, DEFAULT, draws)
    assert changed.shape == frames.shape
    assert 0 <= changed.min() <= changed.max() <= 1
    assert not torch.equal(changed, frames)


def test_sources_frames_are_not_changed() -> None:
    frames = torch.rand(2, 8, 8)
    assert augment(frames, SOURCE, torch.Generator()) is frames


def test_each_change_does_what_its_number_says() -> None:
    still = replace(DEFAULT, gain=(1, 1), contrast=(1, 1), gamma=(1, 1), vignette_probability=0, noise_probability=0)
    frames = torch.rand(200, 16, 16, generator=torch.Generator().manual_seed(1)) * 0.4 + 0.3

    def changed(**numbers: object) -> torch.Tensor:
        return augment(frames, replace(still, **numbers), torch.Generator().manual_seed(0))

    torch.testing.assert_close(changed(), frames)
    torch.testing.assert_close(changed(gain=(0.5, 0.5)), frames / 2)
    torch.testing.assert_close(changed(gamma=(2.0, 2.0)), frames**2)
    flat = changed(contrast=(0.0, 0.0))
    torch.testing.assert_close(flat, frames.mean(dim=(1, 2), keepdim=True).expand_as(frames))
    darker = changed(vignette=1.0, vignette_probability=1.0) / frames
    assert darker[:, 7:9, 7:9].min() > 0.99
    torch.testing.assert_close(darker[:, 0, 0], darker[:, -1, -1])
    assert 0.3 < darker[:, 0, 0].mean() < 0.7
    noise = (changed(noise_sigma=0.1, noise_probability=0.5) - frames).std(dim=(1, 2))
    assert 0.35 < (noise > 0).float().mean() < 0.65
    assert 0.09 < noise.max() < 0.11
