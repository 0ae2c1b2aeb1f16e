"""`pixelfast convert`: weights that the source method's own training wrote."""

import re
from pathlib import Path
from typing import Annotated

import typer

from pixelfast import api
from pixelfast.cli.console import print_result
from pixelfast.cli.info import describe_model
from pixelfast.cli.progress import shown_progress


def convert(
    weights: Annotated[
        list[Path],
        typer.Argument(
            metavar="WEIGHTS",
            help="State dicts (.pth, .safetensors): autoencoder or motion GRU, flip classifier; or a folder.",
        ),
    ],
    out: Annotated[Path, typer.Option(metavar="FOLDER", help="Model folder to write.", show_default=False)],
    frame_size: Annotated[
        str | None, typer.Option(metavar="WxH", help="Of a motion GRU: the size of its frames.", show_default=False)
    ] = None,
    raft_weights: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="Of a motion GRU: RAFT-Large's state dict.", show_default="torchvision's own download"
        ),
    ] = None,
) -> None:
    """Bring in weights that the source method's own training wrote.

    $ pixelfast convert autoencoder.pth --out model/

    State dicts of the autoencoder or the motion GRU, and of the flip classifier; nothing is unpickled.
    """
    size = None if frame_size is None else _size(frame_size)
    with shown_progress():
        model = api.convert(weights, out, frame_size=size, raft_weights=raft_weights)
    print_result(describe_model(model))


def _size(text: str) -> tuple[int, int]:
    """Height and width from `640x360`."""
    match = re.fullmatch(r"([0-9]+)x([0-9]+)", text)
    if match is None:
        raise typer.BadParameter("give width and height in pixels, like 640x360", param_hint="--frame-size")
    return int(match[2]), int(match[1])
