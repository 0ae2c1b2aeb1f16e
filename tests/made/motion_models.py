"""Small motion models, footage to train and score them with, and what the oracle makes of it."""

from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from safetensors.torch import load_file

import pixelfast
from moving_scene import moved
from oracles import motion as oracle
from pixelfast.methods.motion.facts import MotionFacts
from pixelfast.methods.motion.recipe import RECIPES
from pixelfast.methods.trained import Recipe
from pixelfast.model import Model

Frames = NDArray[np.uint8]

HEIGHT, WIDTH = 72, 96
FILES = ("motion.safetensors", "motion.onnx", "flip.safetensors", "flip.onnx")


def tiny(recipe: str = "default", flip_steps: int = 150) -> Recipe:
    """A recipe that takes seconds: a GRU of 16 units, two epochs of two steps, a classifier that knows the scene."""
    whole = RECIPES[recipe]
    # Without augmentation: the classifier shall know this scene, soon.
    flip = replace(RECIPES["source"].flip, epochs=1, least_steps=flip_steps, batch=16, learning_rate=3e-3)
    return replace(whole, flip=flip, own=replace(whole.own, hidden=16, epochs=2, batch=16))


def train(source: Path, out: Path, **changes: object) -> Model:
    settings = {"method": "motion", "recipe": tiny(), "flow_preset": "ultrafast", "threads": 1, **changes}
    return pixelfast.train(source, out, **settings)  # type: ignore[arg-type]


def walk(count: int, seed: int, height: int = HEIGHT, width: int = WIDTH) -> Frames:
    """A camera that pans over a scene at a speed of its own, a little unsteadily."""
    rng = np.random.default_rng(seed)
    steps = rng.integers(-1, 2, (count, 2)) + np.array([1 + seed % 2, 0])
    return moved(height, width, np.cumsum(steps, axis=0).tolist(), seed=seed)


def plain_flows(frames: Frames) -> NDArray[np.float32]:
    """f32[n-1,2,64,64]: OpenCV pair by pair, an instance each, and the oracle's averages; frames of at most 240."""
    flows = [
        cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_ULTRAFAST).calc(before, after, None)
        for before, after in pairwise(frames)
    ]
    return np.array([oracle.to_grid(flow) for flow in flows], np.float32).reshape(-1, 2, 64, 64)


def plain_raw(model: Model, frames: Frames) -> NDArray[np.float64]:
    """The oracle's raw scores of a video with the weights of `model`."""
    return oracle.raw_scores(plain_network(model), plain_flows(frames), MotionFacts.of(model).scale)


def bridged_raw(model: Model, frames: Frames, bad: list[int]) -> NDArray[np.float64]:
    """The same where the flow between the good frames around bad ones is spread evenly; at the start motion goes on."""
    good = np.setdiff1d(np.arange(len(frames)), bad)
    steps = np.diff(good)
    flows = np.repeat(plain_flows(frames[good]) / steps.reshape(-1, 1, 1, 1), steps, axis=0)
    flows = np.concatenate([np.repeat(flows[:1], good[0], axis=0), flows]).astype(np.float32)
    return oracle.raw_scores(plain_network(model), flows, MotionFacts.of(model).scale)


def plain_network(model: Model) -> oracle.FlowGru:
    network = oracle.FlowGru(16)
    network.load_state_dict(load_file(model.folder / "motion.safetensors"))
    return network.eval()


def with_noise(frames: Frames, indices: list[int], strength: float) -> Frames:
    noisy = frames.astype(np.float64)
    noisy[indices] += np.random.default_rng(0).normal(0, strength, noisy[indices].shape)
    return noisy.round().clip(0, 255).astype(np.uint8)


TRAINING = {"01": walk(40, 1), "02": walk(36, 2)}
