"""Scores in words."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from pixelfast.cli.console import facts, table

if TYPE_CHECKING:
    from pixelfast.scores import Scores


def describe(scores: "Scores", out: Sequence[Path]) -> str:
    """What was scored, what stands out, how long it took, and where it lies."""
    mended = [(name, int(column.sum())) for name, column in
              (("flipped", scores.flipped), ("repaired", scores.repaired), ("noisy", scores.noisy))]  # fmt: skip
    rows = [
        ("scored", f"{len(scores):,} frames of {len(scores.videos):,} videos"),
        ("frames", ", ".join(f"{count:,} {name}" for name, count in mended)),
        ("time", ", ".join(f"{phase} {seconds:.1f} s" for phase, seconds in scores.phases.items()) or "-"),
        *(("written", str(path)) for path in out),
    ]
    top = [(row.video, str(row.frame), f"{row.rank:.4f}", f"{row.raw:.6f}") for row in scores.top(5)]
    return f"{facts(rows)}\n\n{table(('most unusual', 'frame', 'rank', 'raw'), top)}"
