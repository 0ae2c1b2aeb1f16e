"""`pixelfast evaluate`: scores against labels."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pixelfast import api
from pixelfast.cli.console import print_result, table
from pixelfast.cli.options import AsJson

if TYPE_CHECKING:
    from pixelfast.evaluation import Evaluation, VideoEvaluation


def evaluate(
    scores: Annotated[
        Path, typer.Argument(metavar="SCORES", help="The .parquet or .csv that scoring wrote.", show_default=False)
    ],
    labels: Annotated[
        Path,
        typer.Argument(
            metavar="LABELS",
            help="An Id,Label CSV; a folder of VIDEO.npy; or one .npy over all frames in order. 1, True or 255 is "
            "abnormal.",
            show_default=False,
        ),
    ],
    as_json: AsJson = False,
) -> None:
    """Compare scores with labels: average precision and AUROC.

    Over all frames, and for every video that has both normal and abnormal ones.
    """
    found = api.evaluate(scores, labels)
    print_result(json.dumps(found.to_dict(), indent=2) if as_json else describe_evaluations({"": found}))


def describe_evaluations(found: "Mapping[str, Evaluation]") -> str:
    """AP and AUROC of each side by side: all frames first, then every video; and what knowing nothing would get.

    Args:
        found: evaluations of the same frames, by what their columns are called.
    """
    header = ["video", "frames", "abnormal", "share"]
    for name in found:
        header += [f"{name} AP".strip(), "AUROC"]
    first, *_ = evaluations = list(found.values())
    by_video = zip(*(one.videos for one in evaluations), strict=True)
    rows = [_row("all", evaluations), *(_row(group[0].video, group) for group in by_video)]
    chance = f"Scores that know nothing would get an AP of about {first.abnormal_share:.3f} and an AUROC of about 0.5."
    return f"{table(header, rows)}\n\n{chance}"


def _row(name: str, group: "Sequence[Evaluation | VideoEvaluation]") -> tuple[str, ...]:
    frames, abnormal = group[0].frames, group[0].abnormal
    figures = ["-" if value is None else f"{value:.4f}" for one in group for value in (one.ap, one.auroc)]
    return (name, f"{frames:,}", f"{abnormal:,}", f"{abnormal / frames:.1%}", *figures)
