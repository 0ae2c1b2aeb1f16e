"""Arguments and options that several commands share."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Literal

import typer

Sources = Annotated[
    list[str],
    typer.Argument(
        metavar="SOURCE",
        help="Footage: a folder of video folders with images, one video folder, or several of those (or a pattern).",
        show_default=False,
    ),
]
Threads = Annotated[int | None, typer.Option(min=1, metavar="N", help="Threads to use.", show_default="every core")]
Outputs = Annotated[
    list[Path] | None,
    typer.Option(
        metavar="FILE", help="File to write: .csv (Id,Predicted) or .parquet (everything). May be given again."
    ),
]
FlipMode = Annotated[
    Literal["auto", "always", "never"], typer.Option(help="Whether to turn frames that stand upside down.")
]
OnError = Annotated[
    Literal["repair", "raise"], typer.Option(help="Frames that cannot be read: use their neighbour's, or stop.")
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")]


def one_or_all(paths: Sequence[str]) -> str | list[str]:
    """A single source by itself, several as a list."""
    return paths[0] if len(paths) == 1 else list(paths)


def one_or_many(paths: Sequence[Path] | None) -> Path | list[Path] | None:
    """What `out=` takes: nothing, one path or a list."""
    if not paths:
        return None
    return paths[0] if len(paths) == 1 else list(paths)
