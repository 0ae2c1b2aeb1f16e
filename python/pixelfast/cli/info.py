"""`pixelfast info`: what a model folder holds."""

import json
from pathlib import Path
from typing import Annotated

import typer

from pixelfast.cli.options import AsJson


def info(
    model: Annotated[Path, typer.Argument(metavar="MODEL", help="Model folder.", show_default=False)],
    as_json: AsJson = False,
) -> None:
    """Say what a model folder holds, and check its files."""
    from pixelfast.cli.console import print_result
    from pixelfast.cli.model_facts import describe
    from pixelfast.model import Model

    found = Model.load(model)
    print_result(json.dumps(found.manifest.plain(), indent=2) if as_json else describe(found))
