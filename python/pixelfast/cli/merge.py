"""`pixelfast merge`: what several machines scored becomes one table."""

from pathlib import Path
from typing import Annotated

import typer

from pixelfast.cli.options import Outputs, one_or_many


def merge(
    parts: Annotated[
        list[Path], typer.Argument(metavar="PARTS", help="Folders of parts, as `score` wrote them.", show_default=False)
    ],
    out: Outputs = None,
) -> None:
    """Put what several machines scored into one table."""
    from pixelfast import api
    from pixelfast.cli.console import print_result
    from pixelfast.cli.progress import shown_progress
    from pixelfast.cli.score_facts import describe

    with shown_progress():
        scores = api.merge(parts[0] if len(parts) == 1 else parts, one_or_many(out))
    print_result(describe(scores, out or []))
