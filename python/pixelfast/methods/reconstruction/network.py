"""The temporal autoencoder: 16 frames in as channels, the same 16 frames out; and its weights on disk."""

from itertools import pairwise
from pathlib import Path
from typing import Any, Final, get_args

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_weights

from pixelfast.errors import ModelError
from pixelfast.geometry import FRAME_SIZE, GRID, SOURCE_CHANNELS, WINDOW
from pixelfast.methods.reconstruction.recipe import Normalisation
from pixelfast.training.weights import WIDEST, filled, read_weights, save_weights

NORMALISATIONS: Final[tuple[str, ...]] = get_args(Normalisation)

_KERNEL: Final = 4
_STRIDE: Final = 2
_PADDING: Final = 1


class TemporalAutoencoder(nn.Module):
    """Four strided convolutions down, four transposed ones back (METHOD, "Temporal autoencoder").

    With the defaults it is the source's network, parameter names included: 5.5 M weights, 0.94 GMAC a window.

    Args:
        channels: those after the first convolution; each further one doubles them.
        normalisation: "batch" puts batch normalisation between each convolution and its ReLU (not after the last).
    """

    def __init__(self, channels: int = SOURCE_CHANNELS, normalisation: Normalisation = "none") -> None:
        super().__init__()
        self.channels = channels
        self.normalisation: Normalisation = normalisation
        sizes = [WINDOW, channels, 2 * channels, 4 * channels, 8 * channels]
        self.encoder = _stack(nn.Conv2d, sizes, normalisation, bare_last=False)
        self.decoder = _stack(nn.ConvTranspose2d, sizes[::-1], normalisation, bare_last=True)

    def forward(self, cuboids: Tensor) -> Tensor:
        """f32[B,16,H,W] in [0, 1] to their reconstruction f32[B,16,H,W]; H and W multiples of 16."""
        code = self.encoder(cuboids)  # [B, 8 * channels, H / 16, W / 16]
        # In float32 under autocast too: bfloat16 near 1 has steps of 1/256, more than the error that is measured.
        return torch.sigmoid(self.decoder(code).float())  # [B, 16, H, W]


def fold(network: TemporalAutoencoder) -> TemporalAutoencoder:
    """The same function without normalisation layers: each one folded into the convolution before it.

    Holds for evaluation mode, where batch normalisation is a fixed scale and shift.
    """
    folded = TemporalAutoencoder(network.channels, "none")
    for name in ("encoder", "decoder"):
        _fold_stack(getattr(network, name), getattr(folded, name))
    return folded.eval()


def _stack(
    layer: type[nn.Conv2d] | type[nn.ConvTranspose2d],
    channels: list[int],
    normalisation: Normalisation,
    *,
    bare_last: bool,
) -> nn.Sequential:
    layers: list[nn.Module] = []
    for step, (before, after) in enumerate(pairwise(channels)):
        bare = bare_last and step == len(channels) - 2
        normalised = normalisation == "batch" and not bare
        layers.append(layer(before, after, _KERNEL, _STRIDE, _PADDING, bias=not normalised))
        layers += [nn.BatchNorm2d(after)] if normalised else []
        layers += [] if bare else [nn.ReLU(inplace=True)]  # a copy less of each activation
    return nn.Sequential(*layers)


@torch.no_grad()
def _fold_stack(stack: nn.Sequential, into: nn.Sequential) -> None:
    plain = [layer for layer in into if isinstance(layer, nn.Conv2d | nn.ConvTranspose2d)]
    layers = list(stack)
    convolutions = [i for i, layer in enumerate(layers) if isinstance(layer, nn.Conv2d | nn.ConvTranspose2d)]
    for target, index in zip(plain, convolutions, strict=True):
        following = layers[index + 1] if index + 1 < len(layers) else None
        weight, bias = _folded_weights(layers[index], following)
        target.weight.copy_(weight)
        assert target.bias is not None  # the plain network has a bias everywhere
        target.bias.copy_(bias)


def _folded_weights(convolution: nn.Module, following: nn.Module | None) -> tuple[Tensor, Tensor]:
    assert isinstance(convolution, nn.Conv2d | nn.ConvTranspose2d)
    if not isinstance(following, nn.BatchNorm2d):
        assert convolution.bias is not None
        return convolution.weight, convolution.bias
    assert following.running_mean is not None
    assert following.running_var is not None
    return fuse_conv_bn_weights(
        convolution.weight,
        convolution.bias,
        following.running_mean,
        following.running_var,
        following.eps,
        following.weight,
        following.bias,
        transpose=isinstance(convolution, nn.ConvTranspose2d),
    )


class ReconstructionGraph(nn.Module):
    """`frames` u8[N,128,128] to `window_errors` f32[(N-16)//stride+1,16,8,8].

    Unfolding, scaling and the reduction to cells are inside, so that a frame reaches the engine once, as a byte.

    Args:
        network: the autoencoder; its normalisation is folded.
        stride: frames between the starts of windows.
        dtype: of the weights and activations; scaling, sigmoid and the error stay float32 at any.
    """

    def __init__(self, network: TemporalAutoencoder, stride: int = 1, dtype: torch.dtype = torch.float32) -> None:
        super().__init__()
        self.network = fold(network).to(dtype)
        self.stride = stride
        self.dtype = dtype

    def forward(self, frames: Tensor) -> Tensor:
        """Mean squared error of each cell of each frame in each window."""
        # Cast first: TensorRT slices no bytes.
        windows = (frames.float() / 255).unfold(0, WINDOW, self.stride)  # [W, H, W, T]
        cuboids = windows.permute(0, 3, 1, 2)  # [W, T, H, W]
        difference = self.network(cuboids.to(self.dtype)) - cuboids
        return F.avg_pool2d(difference * difference, FRAME_SIZE // GRID)  # [W, T, G, G]


def save_autoencoder(network: TemporalAutoencoder, path: Path, *, recipe: str, trained_with: dict[str, Any]) -> None:
    """Writes the weights, with the network's channels and normalisation, the recipe and the choice in the header."""
    facts = {"width": network.channels, "normalisation": network.normalisation, "recipe": recipe}
    save_weights(network, path, "autoencoder", {**facts, "trained_with": trained_with})


def load_autoencoder(path: Path) -> TemporalAutoencoder:
    """The network of a file that `save_autoencoder` wrote, in evaluation mode.

    Raises:
        ModelError: the file is not there, damaged, or holds something else.
    """
    header, tensors = read_weights(path, "autoencoder")
    channels, normalisation = header.get("width"), header.get("normalisation")
    if not isinstance(channels, int) or not 0 < channels <= WIDEST or normalisation not in NORMALISATIONS:
        raise ModelError(f"{path} does not say what network its weights are for: train or convert it again")
    network = TemporalAutoencoder(channels, "batch" if normalisation == "batch" else "none")
    return filled(network, tensors, path)
