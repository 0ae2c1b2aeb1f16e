"""`pixelfast export`: an engine for another machine or another stride."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from pixelfast import api
from pixelfast.cli.console import print_result
from pixelfast.cli.options import Threads
from pixelfast.cli.progress import shown_progress


def export(
    model: Annotated[Path, typer.Argument(metavar="MODEL", help="Model folder.", show_default=False)],
    to: Annotated[Literal["onnx", "plan"], typer.Option(help="Kind of engine: ONNX, or a TensorRT plan.")] = "onnx",
    *,
    precision: Annotated[
        Literal["fp32", "int8", "fp16", "bf16"],
        typer.Option(help="Arithmetic of the engine: int8 of ONNX (CPU), fp16 of plans, bf16 of both."),
    ] = "fp32",
    stride: Annotated[
        int, typer.Option(min=1, metavar="N", help="Frames from window to window: 4 does a quarter of the work.")
    ] = 1,
    compute_capability: Annotated[
        str | None,
        typer.Option(metavar="X.Y", help="Of a plan: the GPU it is for, as 8.6.", show_default="this machine's"),
    ] = None,
    call_sizes: Annotated[
        str | None,
        typer.Option(
            metavar="A,B,C", help="Of a plan: frames a call, at least, best, at most.", show_default="by the GPU"
        ),
    ] = None,
    threads: Threads = None,
    only: Annotated[str | None, typer.Option(hidden=True, help="Refuse models of other methods than this.")] = None,
) -> None:
    """Write a further engine into a model folder.

    $ pixelfast export model/ --precision int8
    """
    _check_method(model, only)
    with shown_progress():
        path = api.export(
            model, to, precision=precision, stride=stride, compute_capability=compute_capability,
            call_sizes=None if call_sizes is None else _parsed(call_sizes), threads=threads,
        )  # fmt: skip
    print_result(f"written {path}")


def _parsed(text: str) -> tuple[int, int, int]:
    from pixelfast.runtime.tensorrt.build import parse_call_sizes

    try:
        return parse_call_sizes(text)
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="--call-sizes") from None


def _check_method(model: Path, only: str | None) -> None:
    from pixelfast.errors import EngineError
    from pixelfast.model import Model

    method = only and Model.load(model, plans=False).manifest.method
    if method != only:
        raise EngineError(f"{model} holds a {method} model, not a {only} model")
