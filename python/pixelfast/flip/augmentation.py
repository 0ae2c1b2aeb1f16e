"""Changes of light and noise that a flip classifier must not mind."""

import math

import torch
from torch import Tensor

from pixelfast.flip.recipe import FlipRecipe


def augment(frames: Tensor, recipe: FlipRecipe, draws: torch.Generator) -> Tensor:
    """Each frame of f32[B,H,W] in [0, 1] in another light and with other noise, clipped to [0, 1] as a camera does.

    A recipe without `gain` gives the frames back as they are.
    """
    if recipe.gain is None:
        return frames
    count = len(frames)
    mean = frames.mean(dim=(1, 2), keepdim=True)
    contrasted = (frames - mean) * _uniform(*recipe.contrast, count, draws) + mean
    curved = contrasted.clamp(0, 1) ** _log_uniform(*recipe.gamma, count, draws)
    vignette = _uniform(0, recipe.vignette, count, draws) * _some(recipe.vignette_probability, count, draws)
    darkened = curved * (1 - vignette * _squared_radius(*frames.shape[1:]))
    lit = (darkened * _log_uniform(*recipe.gain, count, draws)).clamp(0, 1)
    sigma = _uniform(0, recipe.noise_sigma, count, draws) * _some(recipe.noise_probability, count, draws)
    return (lit + sigma * torch.randn(frames.shape, generator=draws)).clamp(0, 1)


def _squared_radius(height: int, width: int) -> Tensor:
    """f32[H,W]: squared distance from the middle, 1 in the corners."""
    rows = torch.linspace(-1, 1, height)[:, None]
    columns = torch.linspace(-1, 1, width)[None, :]
    return (rows**2 + columns**2) / 2


def _uniform(low: float, high: float, count: int, draws: torch.Generator) -> Tensor:
    """f32[count,1,1] between `low` and `high`."""
    return low + (high - low) * torch.rand(count, 1, 1, generator=draws)


def _log_uniform(low: float, high: float, count: int, draws: torch.Generator) -> Tensor:
    return torch.exp(_uniform(math.log(low), math.log(high), count, draws))


def _some(probability: float, count: int, draws: torch.Generator) -> Tensor:
    """f32[count,1,1]: 1 with this probability, else 0."""
    return (torch.rand(count, 1, 1, generator=draws) < probability).float()
