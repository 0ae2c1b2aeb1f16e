"""What the motion method makes of a camera that stops, and of frames that a frame-rate conversion doubled."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

import pixelfast
from footage import DrawnVideo
from frame_files import write_video
from moving_scene import moved
from pixelfast.methods.motion.recipe import RECIPES
from pixelfast.model import Model

MadeOnce = Callable[[str, Callable[[Path], object]], Path]


def pan(count: int, seed: int) -> NDArray[np.uint8]:
    """A camera that pans by one to three pixels a frame."""
    steps = np.random.default_rng(seed).integers(1, 4, count)
    return moved(72, 96, [(int(right), 0) for right in np.cumsum(steps)], seed=seed)


@pytest.fixture(scope="module")
def model(made_once: MadeOnce) -> Model:
    def make(folder: Path) -> None:
        for seed in range(2):
            write_video(folder / "normal" / str(seed), pan(60, seed))
        whole = RECIPES["plain"]
        recipe = replace(whole, flip=replace(RECIPES["source"].flip, epochs=1, least_steps=1, batch=16))
        pixelfast.train(
            folder / "normal", folder / "model", method="motion", recipe=recipe, flow_preset="ultrafast", threads=1
        )

    return Model.load(made_once("still-motion", make) / "model")


def test_a_frozen_stretch_is_in_the_middle_and_leads_to_no_alarm(model: Model) -> None:
    live = pan(160, 5)
    frozen = np.concatenate([live[:60], live[59:60].repeat(40, axis=0), live[100:]])  # goes on elsewhere
    scores = pixelfast.score([DrawnVideo("1", frozen)], model.folder, flip="never")  # type: ignore[list-item]
    assert np.flatnonzero(scores.frozen).tolist() == list(range(59, 100))
    others = scores.raw[~scores.frozen]
    assert set(scores.raw[scores.frozen].tolist()) == {float(np.median(others))}
    inside = scores.score[62:97]  # where smoothing reaches no other frame
    assert inside.min() > np.quantile(scores.score[~scores.frozen], 0.4)
    assert scores.raw[100] <= others.max()
    alike = pixelfast.score([DrawnVideo("1", live)], model.folder, flip="never")  # type: ignore[list-item]
    np.testing.assert_array_equal(scores.raw[:59], alike.raw[:59])
    np.testing.assert_array_equal(scores.raw[101:], alike.raw[101:])
    assert scores.raw[100] < 1.01 * alike.raw.max()


def test_footage_that_is_frozen_throughout_is_as_usual_as_held_out_frames(model: Model) -> None:
    still = np.zeros((40, 72, 96), np.uint8)
    scores = pixelfast.score([DrawnVideo("1", still)], model.folder, flip="never")  # type: ignore[list-item]
    assert scores.tail is not None
    np.testing.assert_allclose(scores.tail, 0.5, atol=0.02)


def test_flow_is_taken_across_doubled_frames(model: Model) -> None:
    live = pan(60, 7)
    every = np.repeat(live, 2, axis=0)
    fourth = np.insert(live, np.arange(3, 60, 3), live[2:59:3], axis=0)  # 3 frames become 4
    for frames in (every, fourth):
        scores = pixelfast.score([DrawnVideo("1", frames)], model.folder, flip="never")  # type: ignore[list-item]
        one = pixelfast.score([DrawnVideo("1", live)], model.folder, flip="never")  # type: ignore[list-item]
        assert not scores.frozen.any()
        assert scores.raw.min() > 0.45 * one.raw.min()
        assert scores.raw.max() <= one.raw.max() * 1.0001
