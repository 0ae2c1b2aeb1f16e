"""RAFT-Large as one graph, frames in as bytes and flow on a grid of 64x64 out, and its weights on disk."""

from copy import deepcopy
from pathlib import Path
from typing import Final

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval
from torchvision.models.optical_flow import RAFT, raft_large  # type: ignore[import-untyped]
from torchvision.models.optical_flow._utils import make_coords_grid, upsample_flow  # type: ignore[import-untyped]

from pixelfast.errors import ModelError
from pixelfast.flow.raft_memory import SHRINKAGE, padded_size
from pixelfast.geometry import FLOW_SIZE
from pixelfast.training.weights import filled, read_weights, save_weights

UPDATES: Final = 12
"""Refinements of the flow (torchvision's default, and METHOD's)."""

_NETWORK: Final = "raft-large"

_BILINEAR: Final = 0
_ZEROS: Final = 0
"""PyTorch's numbers for `F.grid_sample`'s "bilinear" and "zeros"."""


class RaftGraph(nn.Module):
    """`frames` u8[N,H,W,3] to `flow` f32[N-1,2,64,64]: of each pair of neighbours, in pixels of the 64-grid a frame.

    Computes what torchvision's own `forward` does pair by pair, with these differences: a frame's features are
    computed once for both its pairs, only the last refinement is brought to full size, and scaling, padding and the
    resizing by area are inside, so that a frame crosses the bus once, as bytes.

    Args:
        raft: the network; its own modules are used, nothing is copied.
        height: H, pixels of the frames, at least 1.
        width: W, pixels of the frames, at least 1.
        updates: refinements of the flow, at least 1.
        dtype: of the convolutions' weights and what they give, in a copy of the network where it is not float32. At any
            dtype, normalisation over an image, the correlations and their sampling, the flow that is added up, and
            bringing it to full size and to the grid stay float32.

    Raises:
        ModelError: a size or `updates` is below 1.
    """

    grid: Tensor
    rows: Tensor
    columns: Tensor
    scale: Tensor

    def __init__(
        self, raft: RAFT, height: int, width: int, updates: int = UPDATES, dtype: torch.dtype = torch.float32
    ) -> None:
        super().__init__()
        if min(height, width, updates) < 1:
            raise ModelError(f"height, width and updates must be at least 1: {height}, {width}, {updates}")
        self.raft = raft.eval() if dtype == torch.float32 else _reduced(raft, dtype)
        self.dtype = dtype
        self.height, self.width, self.updates = height, width, updates
        padded_height, padded_width = padded_size(height, width)
        # RAFT's authors' padding for all but KITTI: half of it on each side, the odd pixel below and to the right.
        self.left, self.top = (padded_width - width) // 2, (padded_height - height) // 2
        self.right, self.bottom = padded_width - width - self.left, padded_height - height - self.top
        grid = make_coords_grid(1, padded_height // SHRINKAGE, padded_width // SHRINKAGE)
        self.register_buffer("grid", grid, persistent=False)  # [1, 2, Hp/8, Wp/8]: x, y of each feature
        self.register_buffer("rows", torch.from_numpy(area_weights(height, FLOW_SIZE)), persistent=False)
        self.register_buffer("columns", torch.from_numpy(area_weights(width, FLOW_SIZE)).T, persistent=False)
        scale = torch.tensor([FLOW_SIZE / width, FLOW_SIZE / height]).view(1, 2, 1, 1)
        self.register_buffer("scale", scale, persistent=False)
        self.correlation = Correlation(raft.corr_block.num_levels, raft.corr_block.radius)

    def forward(self, frames: Tensor) -> Tensor:
        """Flow from each frame to the next one."""
        return self.on_grid(self.full_flow(frames))

    def full_flow(self, frames: Tensor) -> Tensor:
        """`frames` u8[N,H,W,3] to the flow f32[N-1,2,H,W] at full size, in pixels of the frames."""
        images = self._images(frames)  # [N, 3, Hp, Wp]
        features = self.raft.feature_encoder(images.to(self.dtype)).float()  # [N, 256, Hp/8, Wp/8]
        state, context = self._context(images[:-1])
        flow, state = self._refined(features, state, context)
        full: Tensor = upsample_flow(flow, self.raft.mask_predictor(state).float())  # [N-1, 2, Hp, Wp]
        return full[:, :, self.top : self.top + self.height, self.left : self.left + self.width]

    def on_grid(self, flow: Tensor) -> Tensor:
        """Flow f32[P,2,H,W] in pixels of the frames to f32[P,2,64,64] in pixels of the grid, resized by area."""
        return (self.rows @ flow @ self.columns) * self.scale

    def _images(self, frames: Tensor) -> Tensor:
        """Frames scaled to [-1, 1] and padded by their border pixels."""
        # Cast first: TensorRT permutes no bytes.
        images = frames.float().permute(0, 3, 1, 2) / 127.5 - 1
        padding = [self.left, self.right, self.top, self.bottom]
        return F.pad(images, padding, mode="replicate") if any(padding) else images

    def _context(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """The hidden state to start from and the context that every update sees, each [N-1,128,Hp/8,Wp/8]."""
        encoded = self.raft.context_encoder(images.to(self.dtype))
        hidden = self.raft.update_block.hidden_state_size
        return torch.tanh(encoded[:, :hidden]), torch.relu(encoded[:, hidden:])

    def _refined(self, features: Tensor, state: Tensor, context: Tensor) -> tuple[Tensor, Tensor]:
        """Flow f32[N-1,2,Hp/8,Wp/8] in pixels of the feature maps, and the hidden state, after all updates."""
        pyramid = self.correlation.pyramid(features)
        targets = self.grid.expand(state.shape[0], -1, -1, -1)
        for _ in range(self.updates):
            found = self.correlation(pyramid, targets)  # [N-1, 324, Hp/8, Wp/8]
            flow = (targets - self.grid).to(self.dtype)
            state, change = self.raft.update_block(state, context, found.to(self.dtype), flow)
            targets = targets + change.float()
        return targets - self.grid, state


class Correlation(nn.Module):
    """How alike the features of a frame are to those of the next one, and looking that up (RAFT, section 3.2).

    Unlike torchvision's it makes no tensor on the host, which would keep a CUDA graph from being captured. Each level
    of the pyramid is half as fine as the one before; the radius of the neighbourhood is in features of a level.
    """

    offsets: Tensor

    def __init__(self, levels: int, radius: int) -> None:
        super().__init__()
        self.levels = levels
        steps = torch.arange(-radius, radius + 1, dtype=torch.float32)
        # f32[1, 1, (2r+1)**2, 2]: x, y of each neighbour, column by column, as the weights have learnt them.
        self.register_buffer("offsets", torch.cartesian_prod(steps, steps)[None, None], persistent=False)

    def pyramid(self, features: Tensor) -> list[Tensor]:
        """Of f32[N,C,h,w] of successive frames: at level l a map f32[(N-1)*h*w,1,h/2**l,w/2**l] for every feature.

        Their dot products with all features of the next frame, divided by the square root of C, and averages of those.
        """
        _, channels, height, width = features.shape
        vectors = features.flatten(2)  # [N, C, h * w]
        alike = (vectors[:-1] / channels**0.5).transpose(1, 2) @ vectors[1:]  # [N-1, h * w, h * w]
        levels = [alike.reshape(-1, 1, height, width)]
        for _ in range(self.levels - 1):
            levels.append(F.avg_pool2d(levels[-1], 2))
        return levels

    def forward(self, pyramid: list[Tensor], targets: Tensor) -> Tensor:
        """The maps around `targets` f32[N-1,2,h,w], x and y in features: f32[N-1,levels*(2r+1)**2,h,w]."""
        pairs, _, height, width = targets.shape
        centres = targets.permute(0, 2, 3, 1).reshape(-1, 1, 1, 2)  # [(N-1) * h * w, 1, 1, 2]
        found = [_sampled(maps, centres / 2**level + self.offsets) for level, maps in enumerate(pyramid)]
        return torch.cat(found, dim=3).view(pairs, height, width, -1).permute(0, 3, 1, 2)


def _sampled(maps: Tensor, points: Tensor) -> Tensor:
    """`maps` f32[M,1,h,w] at `points` f32[M,1,K,2], x and y in their pixels, by bilinear interpolation: f32[M,1,1,K].

    By PyTorch's own kernel, which `F.grid_sample` runs on a CPU. On a GPU that takes cuDNN's, no faster, which fails
    from 65,536 maps on (pytorch issue 88380): 19 pairs at 640x360.
    """
    height, width = maps.shape[2:]
    across, down = 2 * points[..., 0] / (width - 1) - 1, 2 * points[..., 1] / (height - 1) - 1
    places = torch.stack([across, down], dim=-1)  # [M, 1, K, 2], -1 to 1 from the first pixel's centre to the last's
    return torch.grid_sampler_2d(maps, places, _BILINEAR, _ZEROS, align_corners=True)


class FloatNorm(nn.Module):
    """A normalisation of [N,C,H,W] of any dtype, computed in float32."""

    def __init__(self, norm: nn.Module) -> None:
        super().__init__()
        self.norm = norm.float()

    def forward(self, features: Tensor) -> Tensor:
        """The normalised features, of the dtype that they came in."""
        normalised: Tensor = self.norm(features.float())
        return normalised.to(features.dtype)


def _reduced(raft: RAFT, dtype: torch.dtype) -> RAFT:
    """A copy in evaluation mode whose convolutions are of `dtype`.

    Batch normalisation, a fixed scale and shift then, is folded into the convolution before it while both are float32:
    the variances it was trained with may lie beyond what half can hold.
    """
    reduced = deepcopy(raft).eval()
    for block in [one for one in reduced.modules() if isinstance(one, nn.Sequential)]:
        convolution, norm, *_ = (*block.children(), None, None)
        if isinstance(convolution, nn.Conv2d) and isinstance(norm, nn.BatchNorm2d):
            block[0], block[1] = fuse_conv_bn_eval(convolution, norm), nn.Identity()
    reduced.to(dtype)
    for block in list(reduced.modules()):
        for name, norm in block.named_children():
            if isinstance(norm, nn.InstanceNorm2d):
                setattr(block, name, FloatNorm(norm))
    return reduced


def area_weights(source: int, target: int) -> NDArray[np.float32]:
    """The matrix f32[target,source] that resizes `source` samples to `target` samples by area; every row sums to 1.

    A sample of the target is the mean of the source over the stretch it covers, where a sample of the source that it
    covers in part counts in part: OpenCV's INTER_AREA. With fewer samples in the source than in the target, the same
    formula blends the two neighbours where an edge falls into a target sample and copies elsewhere; that is also what
    INTER_AREA does, unless a picture shrinks along its other axis (OpenCV then interpolates along both).

    Raises:
        ValueError: a size is below 1.
    """
    if min(source, target) < 1:
        raise ValueError(f"sizes must be at least 1: {source} to {target}")
    # In whole units of 1/(source * target) of the length, so that no rounding makes a sliver of a neighbour count.
    begins = np.arange(target)[:, None] * source
    cells = np.arange(source)[None, :] * target
    overlap = np.minimum(begins + source, cells + target) - np.maximum(begins, cells)
    weights: NDArray[np.float32] = (overlap.clip(0) / source).astype(np.float32)
    return weights


def save_raft(network: nn.Module, path: Path, *, height: int, width: int, updates: int) -> None:
    """Writes the weights of RAFT-Large, with the size in pixels of the frames and the updates in the header."""
    save_weights(network, path, _NETWORK, {"height": height, "width": width, "updates": updates})


def load_raft(path: Path) -> tuple[RAFT, int, int, int]:
    """The network of a file that `save_raft` wrote, in evaluation mode; height and width of its frames, its updates.

    Raises:
        ModelError: the file is not there, damaged, or holds something else.
    """
    header, tensors = read_weights(path, _NETWORK)
    sizes = [header.get(name) for name in ("height", "width", "updates")]
    if not all(isinstance(size, int) and size > 0 for size in sizes):
        raise ModelError(f"{path} does not say for what frames its weights are: train or convert it again")
    height, width, updates = (int(str(size)) for size in sizes)
    return filled(raft_large(weights=None), tensors, path), height, width, updates
