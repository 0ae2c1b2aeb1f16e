"""A trained model on disk."""

from pixelfast.model.calibration import Calibration
from pixelfast.model.folder import Model
from pixelfast.model.manifest import FileFacts, Flip, Manifest, PlanFacts, Training

__all__ = ["Calibration", "FileFacts", "Flip", "Manifest", "Model", "PlanFacts", "Training"]
