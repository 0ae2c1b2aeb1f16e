"""The source's two networks, module for module, so that their state dicts carry the source's names."""

import math

import torch
from torch import Tensor, nn

WINDOW = 16  # frames of a cuboid, the autoencoder's channels
AE_SIZE = 128  # side of the autoencoder's frames, pixels
FLIP_SIZE = 64  # side of the flip classifier's frames, pixels


class FlipClassifier(nn.Module):
    """Upright (class 0) or upside down (class 1): f32[B,1,64,64] in [0, 1] to logits f32[B,2]."""

    def __init__(self) -> None:
        super().__init__()
        self.net = nn.Sequential(
            nn.Conv2d(1, 16, 3, stride=2, padding=1),
            nn.ReLU(),
            nn.Conv2d(16, 32, 3, stride=2, padding=1),
            nn.ReLU(),
            nn.Conv2d(32, 64, 3, stride=2, padding=1),
            nn.ReLU(),
            nn.AdaptiveAvgPool2d(1),
            nn.Flatten(),
            nn.Linear(64, 2),
        )

    def forward(self, frames: Tensor) -> Tensor:
        return self.net(frames)


class TemporalAutoencoder(nn.Module):
    """A cuboid's reconstruction: f32[B,16,128,128] in [0, 1] to the same shape, frames as channels.

    The source's width is 64; tests of how it learns take less.
    """

    def __init__(self, width: int = 64) -> None:
        super().__init__()
        self.encoder = nn.Sequential(
            nn.Conv2d(WINDOW, width, 4, stride=2, padding=1),
            nn.ReLU(),
            nn.Conv2d(width, 2 * width, 4, stride=2, padding=1),
            nn.ReLU(),
            nn.Conv2d(2 * width, 4 * width, 4, stride=2, padding=1),
            nn.ReLU(),
            nn.Conv2d(4 * width, 8 * width, 4, stride=2, padding=1),
            nn.ReLU(),
        )
        self.decoder = nn.Sequential(
            nn.ConvTranspose2d(8 * width, 4 * width, 4, stride=2, padding=1),
            nn.ReLU(),
            nn.ConvTranspose2d(4 * width, 2 * width, 4, stride=2, padding=1),
            nn.ReLU(),
            nn.ConvTranspose2d(2 * width, width, 4, stride=2, padding=1),
            nn.ReLU(),
            nn.ConvTranspose2d(width, WINDOW, 4, stride=2, padding=1),
            nn.Sigmoid(),
        )

    def forward(self, cuboids: Tensor) -> Tensor:
        return self.decoder(self.encoder(cuboids))


def seeded_autoencoder(seed: int) -> TemporalAutoencoder:
    """An autoencoder with random weights whose output depends strongly on every frame of its input.

    PyTorch's own initialisation shrinks the signal layer by layer until the sigmoid gives 0.5 everywhere: frames in
    the wrong order would go unnoticed. Weights drawn so that each layer keeps its input's variance (He et al. 2015)
    have no such blind spot.
    """
    autoencoder = TemporalAutoencoder()
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for layer in autoencoder.modules():
            if isinstance(layer, nn.Conv2d | nn.ConvTranspose2d):
                # A transposed convolution of kernel 4 and stride 2 adds 2 x 2 taps to a pixel, not 4 x 4.
                taps = 16 if isinstance(layer, nn.Conv2d) else 4
                layer.weight.normal_(0.0, math.sqrt(2.0 / (layer.in_channels * taps)), generator=generator)
                layer.bias.normal_(0.0, 0.1, generator=generator)
    return autoencoder.eval()
