"""`pixelfast learn`: what a person calls normal, added to a model."""

from pathlib import Path
from typing import Annotated

import typer

from pixelfast import api
from pixelfast.cli.console import facts, print_result
from pixelfast.cli.options import Sources, Threads
from pixelfast.cli.progress import shown_progress


def learn(
    model: Annotated[Path, typer.Argument(metavar="MODEL", help="Model folder, left as it is.", show_default=False)],
    source: Sources,
    *,
    events: Annotated[
        Path, typer.Option(metavar="FILE", help="Scores of that footage, a .parquet.", show_default=False)
    ],
    normal: Annotated[
        str,
        typer.Option(metavar="N,N", help="Moments that are normal, by their numbers on the page.", show_default=False),
    ],
    out: Annotated[
        Path | None, typer.Option(metavar="FOLDER", help="Model folder to write.", show_default="MODEL-2, MODEL-3, …")
    ] = None,
    threads: Threads = None,
) -> None:
    """Tell a model which moments are normal: false alarms, that are none any more.

    $ pixelfast learn model/ new/ --events scores.parquet --normal 3,7

    The numbers are those of the moments on the page that `report` makes. A density model learns them at once, in a new
    folder; for models of other methods their frames are kept for the next training.
    """
    with shown_progress() as progress:
        made = api.learn(model, source, events, _numbers(normal), out=out, threads=threads, progress=progress)
    print_result(facts([("learnt", f"moments {normal}"), ("written", f"{made.folder}, score with it from now on")]))


def _numbers(text: str) -> list[int]:
    try:
        return [int(number) for number in text.split(",")]
    except ValueError:
        raise typer.BadParameter(f"numbers of moments, as 3,7, not {text!r}", param_hint="--normal") from None
