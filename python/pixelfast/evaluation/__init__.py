"""How good scores are: labels, average precision, AUROC."""

from pixelfast.evaluation.evaluate import Evaluation, VideoEvaluation, evaluate
from pixelfast.evaluation.metrics import auroc, average_precision

__all__ = ["Evaluation", "VideoEvaluation", "auroc", "average_precision", "evaluate"]
