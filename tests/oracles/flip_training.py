"""The source's training of its flip classifier: each frame once upright and once flipped, Adam, cross-entropy."""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from oracles.networks import FlipClassifier


def train_flip_classifier(frames: NDArray[np.float32], steps: int, seed: int) -> FlipClassifier:
    """Trains on upright frames.

    Args:
        frames: f32[N,64,64] in [0, 1], all upright.
        steps: Batches of 64 to learn from.
        seed: Of the weights and the batches.
    """
    torch.manual_seed(seed)
    classifier = FlipClassifier()
    generator = torch.Generator().manual_seed(seed)
    inputs = torch.from_numpy(np.concatenate([frames, frames[:, ::-1]])).unsqueeze(1)  # [2N,1,64,64]
    labels = torch.arange(2).repeat_interleave(len(frames))
    optimizer = torch.optim.Adam(classifier.parameters(), lr=1e-3)
    for _ in range(steps):
        batch = torch.randint(len(inputs), (64,), generator=generator)
        optimizer.zero_grad()
        nn.functional.cross_entropy(classifier(inputs[batch]), labels[batch]).backward()
        optimizer.step()
    return classifier.eval()
