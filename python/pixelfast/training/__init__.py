"""Training the networks of both methods. Importing this imports PyTorch; nothing that scores does."""

from pixelfast.training.cache import CachedVideo, FrameCache
from pixelfast.training.convert import convert_weights
from pixelfast.training.export import export_onnx, export_reduced, export_reduced_motion
from pixelfast.training.export_flow import export_raft, export_reduced_raft
from pixelfast.training.flow_cache import FlowCache
from pixelfast.training.motion import MotionReport, train_motion
from pixelfast.training.recipes import RECIPES, AutoencoderRecipe, FlipRecipe, MotionRecipe, Recipe
from pixelfast.training.reconstruction import train_reconstruction
from pixelfast.training.report import TrainingReport

__all__ = [
    "RECIPES",
    "AutoencoderRecipe",
    "CachedVideo",
    "FlipRecipe",
    "FlowCache",
    "FrameCache",
    "MotionRecipe",
    "MotionReport",
    "Recipe",
    "TrainingReport",
    "convert_weights",
    "export_onnx",
    "export_raft",
    "export_reduced",
    "export_reduced_motion",
    "export_reduced_raft",
    "train_motion",
    "train_reconstruction",
]
