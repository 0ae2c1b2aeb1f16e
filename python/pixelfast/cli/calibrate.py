"""`pixelfast calibrate`: how high normal footage comes, so that alarms have a rate."""

from pathlib import Path
from typing import Annotated

import typer

from pixelfast import api
from pixelfast.cli.console import facts, print_result
from pixelfast.cli.options import FlipMode, Fps, How, Smooth, Stride, Threads
from pixelfast.cli.progress import shown_progress
from pixelfast.options import USUAL_RATE, Pool


def calibrate(
    engine: Annotated[
        Path, typer.Argument(metavar="ENGINE", help="Model folder, or an engine file in one.", show_default=False)
    ],
    source: Annotated[
        list[str] | None,
        typer.Argument(metavar="NORMAL", help="Normal footage, unseen in training.", show_default="what it held out"),
    ] = None,
    *,
    stride: Stride = None,
    how: How = "mean",
    pool: Annotated[Pool, typer.Option(help="How the cells of a frame are combined.")] = "mean",
    smooth: Smooth = None,
    flip: FlipMode = "auto",
    fps: Fps = None,
    threads: Threads = None,
) -> None:
    """Measure how high normal footage comes by an engine, and keep it.

    $ pixelfast calibrate model/ more-normal/

    Thresholds and alarm rates follow it from then on, for this engine with these settings. The more footage, of other
    hours and days, the rarer the alarms whose rate is counted and not extrapolated.
    """
    from pixelfast.model.events import EventRate
    from pixelfast.scores.words import span

    with shown_progress() as progress:
        found = api.calibrate(
            engine, source or None, stride=stride, how=how, pool=pool, smooth=smooth, flip=flip, fps=fps,
            threads=threads, progress=progress,
        )  # fmt: skip
    assert found.events is not None, "it was measured just now"
    level = found.events.level(EventRate.parse(USUAL_RATE))
    often = "extrapolated" if found.events.is_beyond(level) else "counted"
    length = span(found.frames / found.events.pace)
    rows = [
        ("engine", f"{found.engine}, stride {found.stride}, how={found.how}, pool={found.pool}, smooth={found.smooth}"),
        ("measured", f"{found.frames:,} frames, {length} at {found.events.pace:g} a second"),
        ("threshold", f"raw {level:.6g} at {USUAL_RATE}, {often}"),
    ]
    print_result(facts(rows))
