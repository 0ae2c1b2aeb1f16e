"""`pixelfast report`: the page that a person looks at."""

from pathlib import Path
from typing import Annotated

import typer

from pixelfast import api
from pixelfast.arguments import MOST_MOMENTS
from pixelfast.cli.console import facts, print_result
from pixelfast.cli.options import Threads
from pixelfast.cli.progress import shown_progress


def report(
    scores: Annotated[
        Path, typer.Argument(metavar="SCORES", help="The .parquet that scoring wrote.", show_default=False)
    ],
    source: Annotated[
        list[str],
        typer.Option(
            metavar="SOURCE", help="The footage that was scored, for the pictures. May be given again.",
            show_default=False,
        ),
    ],
    out: Annotated[Path, typer.Option(metavar="FILE", help="The page to write, .html.", show_default=False)],
    *,
    labels: Annotated[
        Path | None,
        typer.Option(
            metavar="LABELS", help="Labels as `evaluate` takes them: on the timelines, and two curves.",
            show_default=False,
        ),
    ] = None,
    parts: Annotated[
        Path | None,
        typer.Option(
            metavar="FOLDER", help="The parts of these scores, scored with --maps: where in the picture.",
            show_default="SCORES.parts/",
        ),
    ] = None,
    moments: Annotated[int, typer.Option(min=1, max=MOST_MOMENTS, metavar="N", help="Moments to list, at most.")] = 50,
    title: Annotated[
        str | None, typer.Option(metavar="TEXT", help="Title of the page.", show_default="Unusual moments")
    ] = None,
    threads: Threads = None,
) -> None:  # fmt: skip
    """Write a page to look at: the unusual moments, with pictures and reasons.

    $ pixelfast report scores.parquet --source new/ --out report.html

    The file holds all it shows: open it in any browser, offline, or send it to somebody.
    """
    with shown_progress() as progress:
        page = api.report(
            scores, source, out, labels=labels, parts=parts, moments=moments, title=title, threads=threads,
            progress=progress,
        )  # fmt: skip
    print_result(facts([("written", f"{page} ({page.stat().st_size / 1e6:.1f} MB)")]))
