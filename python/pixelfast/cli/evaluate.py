"""`pixelfast evaluate`: scores against labels."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pixelfast.cli.options import AsJson

if TYPE_CHECKING:
    from pixelfast.evaluation import Evaluation


def evaluate(
    scores: Annotated[
        Path, typer.Argument(metavar="SCORES", help="The .parquet or .csv that scoring wrote.", show_default=False)
    ],
    labels: Annotated[
        Path,
        typer.Argument(
            metavar="LABELS",
            help="An Id,Label CSV; a folder of VIDEO.npy; or one .npy over all frames in order. 1 is abnormal.",
            show_default=False,
        ),
    ],
    as_json: AsJson = False,
) -> None:
    """Compare scores with labels: average precision and AUROC.

    Over all frames, and for every video that has both normal and abnormal ones.
    """
    from pixelfast.cli.console import print_result
    from pixelfast.evaluation import evaluate as evaluate_scores

    found = evaluate_scores(scores, labels)
    print_result(json.dumps(found.to_dict(), indent=2) if as_json else describe(found))


def describe(found: "Evaluation") -> str:
    """The figures as a table: all frames first, then every video."""
    from pixelfast.cli.console import table

    rows: list[tuple[str, int, int, float | None, float | None]]
    rows = [("all", found.frames, found.abnormal, found.ap, found.auroc)]
    rows += [(one.video, one.frames, one.abnormal, one.ap, one.auroc) for one in found.videos]
    header = ("video", "frames", "abnormal", "share", "AP", "AUROC")
    cells = [
        (video, f"{frames:,}", f"{abnormal:,}", f"{abnormal / frames:.1%}", figure(ap), figure(area))
        for video, frames, abnormal, ap, area in rows
    ]
    chance = f"Scores that know nothing would get an AP of about {found.abnormal_share:.3f} and an AUROC of about 0.5."
    return f"{table(header, cells)}\n\n{chance}"


def figure(value: float | None) -> str:
    """Four digits; a dash where a figure means nothing."""
    return "-" if value is None else f"{value:.4f}"
