"""`pixelfast train`: learn from normal footage."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from pixelfast.cli.options import Sources, Threads, one_or_all


def train(
    source: Sources,
    *,
    out: Annotated[Path, typer.Option(metavar="FOLDER", help="Model folder to write.", show_default=False)],
    method: Annotated[
        Literal["reconstruction", "motion"], typer.Option(help="What to learn: how frames look, or how things move.")
    ] = "reconstruction",
    recipe: Annotated[
        Literal["default", "source", "plain"],
        typer.Option(
            help="How to learn it: the one that learns, exactly the source method's, or, for motion alone, nothing: "
            "the plain norm of the flow."
        ),
    ] = "default",
    epochs: Annotated[
        int | None, typer.Option(min=1, metavar="N", help="Epochs.", show_default="the recipe's own")
    ] = None,
    seed: Annotated[int, typer.Option(metavar="N", help="Seed of everything random.")] = 0,
    precision: Annotated[
        Literal["bf16", "fp32"] | None, typer.Option(help="Arithmetic.", show_default="the faster one here")
    ] = None,
    batch: Annotated[
        int | None, typer.Option(min=1, metavar="N", help="Windows (or flows) a step.", show_default="a fast one")
    ] = None,
    width: Annotated[
        float | None,
        typer.Option(
            metavar="SHARE",
            help="Channels of the autoencoder, of the source's 64 to 512: half of them is a quarter of the work.",
            show_default="the recipe's own: default 0.5, source 1",
        ),
    ] = None,
    flow: Annotated[
        Literal["dis", "raft"], typer.Option(help="Optical flow of the motion method: DIS, or RAFT-Large (far slower).")
    ] = "dis",
    flow_preset: Annotated[Literal["ultrafast", "fast", "medium"], typer.Option(help="Quality of DIS.")] = "medium",
    raft_weights: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="RAFT-Large's state dict.", show_default="torchvision's own download"),
    ] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Carry on a training that was stopped.")] = False,
    threads: Threads = None,
) -> None:
    """Learn what is normal from footage without anything unusual."""
    from pixelfast import api
    from pixelfast.cli.console import print_result
    from pixelfast.cli.model_facts import describe
    from pixelfast.cli.progress import shown_progress

    with shown_progress() as progress:
        model = api.train(
            one_or_all(source), out, method=method, recipe=recipe, epochs=epochs, seed=seed, precision=precision,
            batch=batch, width=width, resume=resume, flow=flow, flow_preset=flow_preset, raft_weights=raft_weights,
            threads=threads, progress=progress,
        )  # fmt: skip
    print_result(describe(model))
