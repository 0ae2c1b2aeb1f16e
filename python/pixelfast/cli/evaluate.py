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
            help="An Id,Label CSV; one .npy, .mat or UCSD's .m over all videos; or a folder with labels or masks of "
            "each (the forms stand below).",
            show_default=False,
        ),
    ],
    *,
    parts: Annotated[
        Path | None,
        typer.Option(metavar="FOLDER", help="The parts of these scores, scored with --maps.", show_default=False),
    ] = None,
    masks: Annotated[
        Path | None,
        typer.Option(
            metavar="FOLDER",
            help="Abnormal pixels, for RBDC and TBDC: VIDEO/*.png or .bmp (white), VIDEO.npy, VIDEO.mat or Avenue's "
            "VIDEO_label.mat.",
            show_default=False,
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Compare scores with labels: average precision and AUROC.

    $ pixelfast evaluate scores.parquet labels.csv

    Over all frames, and for every video that has both normal and abnormal ones. With --parts and --masks also whether
    the error maps point at the thing: RBDC and TBDC.

    LABELS over all videos, in natural order: a CSV of Id and Label; a .npy of 0 and 1 a frame; a .mat, as ped2.mat,
    avenue.mat and shanghaitech.mat are passed around (gt, a cell a video: first and last frames as 2xK, from 1), of
    structs with gt_frame, of 0 and 1, or of volumes; UCSD's script UCSDped2.m.

    A folder of LABELS has of each video VIDEO.npy (labels, or masks of frame, row, column), VIDEO.mat (the same, or a
    volume of row, column, frame), Avenue's VIDEO_label.mat, or masks as pictures: VIDEO/*.png or .bmp, also VIDEO_gt/.
    A frame is abnormal where any pixel is. 1, True or 255 is abnormal. A .mat is read by SciPy (pip install scipy), and
    not of MATLAB 7.3.
    """
    found = api.evaluate(scores, labels, parts=parts, masks=masks)
    print_result(json.dumps(found.to_dict(), indent=2) if as_json else _describe(found))


def _describe(found: "Evaluation") -> str:
    text = describe_evaluations({"": found})
    if found.rbdc is None:
        return text
    where = "areas under the share of abnormal regions, and tracks, found at 0 to 1 false positives a frame"
    return f"{text}\n\nRBDC {found.rbdc:.4f}, TBDC {found.tbdc:.4f}: {where}."


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
