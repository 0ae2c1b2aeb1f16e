"""`pixelfast demo`: the whole job on a scene that the project draws by itself."""

from pathlib import Path
from typing import Annotated

import typer

from pixelfast.cli.options import Threads


def demo(
    out: Annotated[Path, typer.Option(metavar="FOLDER", help="Folder for the scene, the model and the scores.")] = Path(
        "demo"
    ),
    seed: Annotated[int, typer.Option(min=0, metavar="N", help="Seed of the scene and of the training.")] = 0,
    threads: Threads = None,
) -> None:
    """Run the whole job on a scene that is drawn for you.

    Draws the scene (once), learns from its normal videos, scores the others, and says how well that went.
    """
    from pixelfast.cli.console import print_result
    from pixelfast.cli.demo_facts import describe
    from pixelfast.cli.progress import shown_progress
    from pixelfast.demo.job import run_demo

    with shown_progress() as progress:
        report = run_demo(out, seed=seed, threads=threads, progress=progress)
    print_result(describe(report))
