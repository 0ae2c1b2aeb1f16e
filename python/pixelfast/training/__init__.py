"""Training the reconstruction method's networks. Importing this imports PyTorch; nothing that scores does."""

from pixelfast.training.cache import CachedVideo, FrameCache
from pixelfast.training.convert import convert_weights
from pixelfast.training.export import export_onnx
from pixelfast.training.recipes import RECIPES, AutoencoderRecipe, FlipRecipe, Recipe
from pixelfast.training.reconstruction import train_reconstruction
from pixelfast.training.report import TrainingReport

__all__ = [
    "RECIPES",
    "AutoencoderRecipe",
    "CachedVideo",
    "FlipRecipe",
    "FrameCache",
    "Recipe",
    "TrainingReport",
    "convert_weights",
    "export_onnx",
    "train_reconstruction",
]
