"""pixelfast finds the unusual moments in video: it learns from normal footage and scores every frame.

The public names; all but the errors are imported when they are first used, so that `import pixelfast` costs nothing.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from pixelfast.errors import (
    ArgumentError,
    DecodeError,
    EngineError,
    LostFootageError,
    ModelError,
    OutputError,
    PixelfastError,
    ScoresError,
    SourceError,
    UnknownVideoError,
)

if TYPE_CHECKING:
    from pixelfast.api import (
        calibrate,
        clean,
        convert,
        dry_run,
        evaluate,
        export,
        learn,
        merge,
        propose_mask,
        report,
        score,
        train,
    )
    from pixelfast.evaluation import Evaluation
    from pixelfast.jobs.clean import CleanReport
    from pixelfast.jobs.dry_run import DryRun
    from pixelfast.jobs.mask import MaskProposal
    from pixelfast.jobs.raw_scores import RawScores
    from pixelfast.jobs.scorer import Scorer
    from pixelfast.jobs.watch import Watch, watch
    from pixelfast.jobs.watching.board import Standing
    from pixelfast.jobs.watching.events import WatchEvent
    from pixelfast.model import Calibration, Model
    from pixelfast.progress import Progress
    from pixelfast.scores import Scores
    from pixelfast.sources import open_source

    __version__: str

__all__ = [
    "ArgumentError",
    "Calibration",
    "CleanReport",
    "DecodeError",
    "DryRun",
    "EngineError",
    "Evaluation",
    "LostFootageError",
    "MaskProposal",
    "Model",
    "ModelError",
    "OutputError",
    "PixelfastError",
    "Progress",
    "RawScores",
    "Scorer",
    "Scores",
    "ScoresError",
    "SourceError",
    "Standing",
    "UnknownVideoError",
    "Watch",
    "WatchEvent",
    "__version__",
    "calibrate",
    "clean",
    "convert",
    "dry_run",
    "evaluate",
    "export",
    "learn",
    "merge",
    "open_source",
    "propose_mask",
    "report",
    "score",
    "train",
    "watch",
]

_HOMES = {
    "pixelfast.api": (
        "calibrate",
        "clean",
        "convert",
        "dry_run",
        "evaluate",
        "export",
        "learn",
        "merge",
        "propose_mask",
        "report",
        "score",
        "train",
    ),
    "pixelfast.evaluation": ("Evaluation",),
    "pixelfast.model": ("Calibration", "Model"),
    "pixelfast.jobs.clean": ("CleanReport",),
    "pixelfast.jobs.dry_run": ("DryRun",),
    "pixelfast.jobs.mask": ("MaskProposal",),
    "pixelfast.jobs.raw_scores": ("RawScores",),
    "pixelfast.jobs.scorer": ("Scorer",),
    "pixelfast.jobs.watch": ("Watch", "watch"),
    "pixelfast.jobs.watching.board": ("Standing",),
    "pixelfast.jobs.watching.events": ("WatchEvent",),
    "pixelfast.progress": ("Progress",),
    "pixelfast.scores": ("Scores",),
    "pixelfast.sources": ("open_source",),
}
_HOME = {name: home for home, names in _HOMES.items() for name in names}


def __getattr__(name: str) -> Any:
    if name == "__version__":
        from importlib.metadata import version

        return version("pixelfast")
    if name == "ray":
        return import_module("pixelfast.ray")
    if name not in _HOME:
        raise AttributeError(f"module 'pixelfast' has no attribute {name!r}")
    return getattr(import_module(_HOME[name]), name)


def __dir__() -> list[str]:
    return sorted(__all__)
