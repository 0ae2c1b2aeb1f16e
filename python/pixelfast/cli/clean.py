"""`pixelfast clean`: footage with its upside-down frames turned."""

from pathlib import Path
from typing import Annotated

import typer

from pixelfast import api
from pixelfast.cli.console import facts, print_result
from pixelfast.cli.options import Depth, FlipMode, OnError, Orientation, Sources, Threads
from pixelfast.cli.progress import shown_progress
from pixelfast.cli.score import times


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
    orientation: Orientation = None,
    depth: Depth = None,
    copy: Annotated[bool, typer.Option("--copy", help="Copy unchanged files instead of linking them.")] = False,
    threads: Threads = None,
) -> None:
    """Write footage again, its upside-down frames turned.

    $ pixelfast clean new/ --model model/ --out upright/

    Files that need no change are hard links to the source's where the file system allows it, else copies.
    """
    footage = source[0] if len(source) == 1 else source
    with shown_progress() as progress:
        report = api.clean(
            footage, model, out, flip=flip, on_error=on_error, orientation=orientation, depth=depth, copy=copy,
            threads=threads, progress=progress,
        )  # fmt: skip
    counts = ("unchanged", "turned", "reencoded", "replaced", "left")
    links = f"{report.linked:,} files are the source's own: to write into them, copy with --copy"
    rows = [
        ("cleaned", f"{report.frames:,} frames of {report.videos:,} videos"),
        ("frames", ", ".join(f"{getattr(report, name):,} {name}" for name in counts)),
        *([("links", links)] if report.linked else []),
        ("refused", ", ".join(report.refused) or "no video"),
        ("time", times(report.phases)),
        ("written", str(report.out)),
    ]
    print_result(facts(rows))
