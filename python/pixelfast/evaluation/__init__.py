"""How good scores are: labels, average precision, AUROC."""

from pixelfast.evaluation.evaluate import Evaluation, VideoEvaluation, auroc, average_precision, evaluate

__all__ = ["Evaluation", "VideoEvaluation", "auroc", "average_precision", "evaluate"]
