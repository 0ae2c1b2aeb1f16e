"""`pixelfast convert`: weights that the source method's own training wrote."""

from pathlib import Path
from typing import Annotated

import typer


def convert(
    weights: Annotated[
        list[Path],
        typer.Argument(
            metavar="WEIGHTS", help="State dicts (.pth), or a folder of them: the autoencoder, the flip classifier."
        ),
    ],
    out: Annotated[Path, typer.Option(metavar="FOLDER", help="Model folder to write.", show_default=False)],
) -> None:
    """Bring in weights that the source method's own training wrote.

    State dicts of the autoencoder and the flip classifier; nothing is unpickled.
    """
    from pixelfast import api
    from pixelfast.cli.console import print_result
    from pixelfast.cli.model_facts import describe
    from pixelfast.cli.progress import shown_progress

    with shown_progress():
        model = api.convert(weights[0] if len(weights) == 1 else weights, out)
    print_result(describe(model))
