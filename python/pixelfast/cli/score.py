"""`pixelfast score`: an anomaly score for every frame."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from pixelfast.cli.options import FlipMode, OnError, Outputs, Sources, Threads, one_or_all, one_or_many

if TYPE_CHECKING:
    from pixelfast.machine.stopwatch import Profile as RunProfile

Engine = Annotated[
    Path,
    typer.Option(metavar="PATH", help="Model folder, or an engine file (.onnx, .safetensors).", show_default=False),
]
Stride = Annotated[
    int | None,
    typer.Option(min=1, metavar="N", help="Frames from window to window.", show_default="the engine's own"),
]
How = Annotated[Literal["mean", "max", "median"], typer.Option(help="How the windows that hold a frame are combined.")]
Pool = Annotated[
    Literal["mean", "worst"], typer.Option(help="A frame's error: the mean of its cells, or of the worst three.")
]
Smooth = Annotated[
    int | None,
    typer.Option(min=1, metavar="N", help="Frames (odd) of the centred mean.", show_default="the method's own"),
]
Maps = Annotated[bool, typer.Option("--maps", help="Keep the error maps in the parts.")]
Parts = Annotated[
    Path | None,
    typer.Option(metavar="FOLDER", help="Folder for finished videos; a rerun skips them.", show_default="OUT.parts/"),
]
Shard = Annotated[
    str | None,
    typer.Option(metavar="I/N", help="Score only share i of n, as 2/8; put together with `merge`."),
]
Profile = Annotated[bool, typer.Option("--profile", help="Say where the time went, stage by stage.")]
Chunk = Annotated[int, typer.Option(min=1, metavar="N", help="Frames to a call of the engine.")]


def score(
    source: Sources,
    engine: Engine,
    *,
    out: Outputs = None,
    stride: Stride = None,
    how: How = "mean",
    pool: Pool = "mean",
    smooth: Smooth = None,
    flip: FlipMode = "auto",
    on_error: OnError = "repair",
    maps: Maps = False,
    parts: Parts = None,
    shard: Shard = None,
    threads: Threads = None,
    chunk: Chunk = 64,
    profile: Profile = False,
) -> None:
    """Give every frame of some footage an anomaly score.

    A model folder turns upside-down frames and knows a threshold; a lone engine file does neither, and says so.
    """
    from pixelfast import api
    from pixelfast.cli.console import print_result
    from pixelfast.cli.profile_facts import describe_profile
    from pixelfast.cli.progress import shown_progress
    from pixelfast.cli.score_facts import describe

    profiles: list[RunProfile] = []
    with shown_progress() as progress:
        scores = api.score(
            one_or_all(source), engine, out=one_or_many(out), stride=stride, how=how, pool=pool, smooth=smooth,
            flip=flip, on_error=on_error, maps=maps, parts=parts, shard=shard, threads=threads, chunk=chunk,
            progress=progress, profile=profiles.append,
        )  # fmt: skip
    print_result(describe(scores, out or []))
    if profile:
        print_result(f"\n{describe_profile(profiles[0])}")
