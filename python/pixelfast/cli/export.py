"""`pixelfast export`: an engine for another machine or another stride."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from pixelfast.cli.options import Threads


def export(
    model: Annotated[Path, typer.Argument(metavar="MODEL", help="Model folder.", show_default=False)],
    to: Annotated[Literal["onnx"], typer.Option(help="Kind of engine.")] = "onnx",
    precision: Annotated[Literal["fp32"], typer.Option(help="Arithmetic of the engine.")] = "fp32",
    stride: Annotated[
        int, typer.Option(min=1, metavar="N", help="Frames from window to window: 4 does a quarter of the work.")
    ] = 1,
    threads: Threads = None,
) -> None:
    """Write a further engine into a model folder."""
    from pixelfast import api
    from pixelfast.cli.console import print_result
    from pixelfast.cli.progress import shown_progress

    with shown_progress():
        path = api.export(model, to, precision=precision, stride=stride, threads=threads)
    print_result(f"written {path}")
