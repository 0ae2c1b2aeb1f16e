"""`pixelfast merge`: what several machines scored becomes one table."""

from pathlib import Path
from typing import Annotated

import typer

from pixelfast import api
from pixelfast.cli.console import print_result
from pixelfast.cli.options import AlarmRate, Events, Outputs
from pixelfast.cli.progress import shown_progress
from pixelfast.cli.score import describe_scores
from pixelfast.options import USUAL_RATE


def merge(
    parts: Annotated[
        list[Path],
        typer.Argument(
            metavar="PARTS",
            help="Folders of parts of one source, as `score` wrote them, or part files.",
            show_default=False,
        ),
    ],
    out: Outputs = None,
    *,
    alarm_rate: AlarmRate = USUAL_RATE,
    events: Events = None,
) -> None:
    """Put what several machines scored into one table.

    $ pixelfast merge scores.parquet.parts/ --out scores.csv
    """
    with shown_progress():
        scores = api.merge(parts, out, alarm_rate=alarm_rate, events=events)
    print_result(describe_scores(scores, [*(out or []), *([] if events is None else [events])]))
