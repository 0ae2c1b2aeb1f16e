"""The flip classifier, which says whether a frame is upside down, and its weights on disk."""

from pathlib import Path
from typing import Final

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from pixelfast.training.weights import filled, read_weights, save_weights

FLIPPED: Final = 1
"""The class of a vertically flipped frame; 0 is upright (METHOD, "Flip classifier")."""

_NETWORK: Final = "flip-classifier"


class FlipClassifier(nn.Module):
    """Three strided convolutions 1-16-32-64, global average, linear to two classes (METHOD, "Flip classifier").

    Parameter names are the source's (`net.0.weight` to `net.8.bias`).
    """

    def __init__(self) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        for before, after in ((1, 16), (16, 32), (32, 64)):
            layers += [nn.Conv2d(before, after, 3, stride=2, padding=1), nn.ReLU()]
        self.net = nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(64, 2))

    def forward(self, frames: Tensor) -> Tensor:
        """f32[B,1,64,64] in [0, 1] to logits f32[B,2]: upright, flipped."""
        logits: Tensor = self.net(frames)
        return logits

    def flip_probability(self, frames: Tensor) -> Tensor:
        """f32[B,1,64,64] to the probability of being flipped, f32[B]."""
        return torch.softmax(self(frames), dim=1)[:, FLIPPED]


def halve(frames: Tensor) -> Tensor:
    """f32[B,128,128] to f32[B,1,64,64]: the mean of each 2x2 pixels.

    The nearest equal of METHOD's own resize to 64x64 that the autoencoder's frames allow: no second decode.
    """
    return F.avg_pool2d(frames[:, None], 2)


class FlipGraph(nn.Module):
    """`frames` u8[N,128,128] to `flip_probability` f32[N]."""

    def __init__(self, network: FlipClassifier) -> None:
        super().__init__()
        self.network = network.eval()

    def forward(self, frames: Tensor) -> Tensor:
        """Probability that each frame is upside down."""
        return self.network.flip_probability(halve(frames.float() / 255))


def save_flip_classifier(network: FlipClassifier, path: Path, *, recipe: str) -> None:
    """Writes the weights of a flip classifier."""
    save_weights(network, path, _NETWORK, {"recipe": recipe})


def load_flip_classifier(path: Path) -> FlipClassifier:
    """The network of a file that `save_flip_classifier` wrote, in evaluation mode.

    Raises:
        ModelError: the file is not there, damaged, or holds something else.
    """
    return filled(FlipClassifier(), read_weights(path, _NETWORK)[1], path)
