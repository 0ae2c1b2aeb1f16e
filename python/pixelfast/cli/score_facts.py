"""Scores in words."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from pixelfast.cli.console import facts, table
from pixelfast.scores.table import top_moments

if TYPE_CHECKING:
    from pixelfast.scores import Scores


def describe(scores: "Scores", out: Sequence[Path]) -> str:
    """What was scored, what stands out, how long it took, and where it lies."""
    mended = [(name, int(column.sum())) for name, column in
              (("flipped", scores.flipped), ("repaired", scores.repaired), ("noisy", scores.noisy))]  # fmt: skip
    rows = [
        ("scored", f"{len(scores):,} frames of {len(scores.videos):,} videos"),
        ("frames", ", ".join(f"{count:,} {name}" for name, count in mended)),
        ("time", times(scores.phases)),
        *(("written", str(path)) for path in out),
    ]
    top = [(row.video, str(row.frame), f"{row.rank:.4f}", f"{row.raw:.6f}") for row in top_moments(scores, 5)]
    return f"{facts(rows)}\n\n{table(('most unusual', 'frame', 'rank', 'raw'), top)}"


def times(phases: Mapping[str, float]) -> str:
    """How long each phase took that took any time worth naming."""
    return ", ".join(f"{phase} {seconds:.1f} s" for phase, seconds in phases.items() if seconds >= 0.05) or "no time"
