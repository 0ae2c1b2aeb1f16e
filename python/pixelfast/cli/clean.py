"""`pixelfast clean`: footage with its upside-down frames turned."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pixelfast.cli.options import FlipMode, OnError, Sources, Threads, one_or_all

if TYPE_CHECKING:
    from pixelfast.jobs.clean import CleanReport


def clean(
    source: Sources,
    *,
    model: Annotated[
        Path, typer.Option(metavar="FOLDER", help="Model folder with a flip classifier.", show_default=False)
    ],
    out: Annotated[
        Path, typer.Option(metavar="FOLDER", help="Folder to write the corrected footage to.", show_default=False)
    ],
    flip: FlipMode = "auto",
    on_error: OnError = "repair",
    threads: Threads = None,
) -> None:
    """Write footage again, its upside-down frames turned.

    Files that need no change are linked or copied byte for byte.
    """
    from pixelfast import api
    from pixelfast.cli.console import print_result
    from pixelfast.cli.progress import shown_progress

    with shown_progress() as progress:
        report = api.clean(
            one_or_all(source), model, out, flip=flip, on_error=on_error, threads=threads, progress=progress
        )
    print_result(describe(report))


def describe(report: "CleanReport") -> str:
    """What was turned, replaced, left, and where it lies."""
    from pixelfast.cli.console import facts
    from pixelfast.cli.score_facts import times

    counts = ("unchanged", "turned", "reencoded", "replaced", "left")
    return facts(
        [
            ("cleaned", f"{report.frames:,} frames of {report.videos:,} videos"),
            ("frames", ", ".join(f"{getattr(report, name):,} {name}" for name in counts)),
            ("refused", ", ".join(report.refused) or "no video"),
            ("time", times(report.phases)),
            ("written", str(report.out)),
        ]
    )
