"""Arguments and options that several commands share."""

from pathlib import Path
from typing import Annotated, Any

import typer

from pixelfast import options

Sources = Annotated[
    list[str],
    typer.Argument(
        metavar="SOURCE",
        help="Footage: video files, folders of frames, or folders of either at any depth; several, or a pattern.",
        show_default=False,
    ),
]
Threads = Annotated[int | None, typer.Option(min=1, metavar="N", help="Threads to use.", show_default="every core")]
Outputs = Annotated[
    list[Path] | None,
    typer.Option(
        metavar="FILE", help="File to write: .csv (Id,Predicted) or .parquet (everything). May be given again."
    ),
]
Stride = Annotated[
    int | None,
    typer.Option(min=1, metavar="N", help="Frames from window to window.", show_default="the engine's own"),
]
How = Annotated[options.How, typer.Option(help="How the windows that hold a frame are combined.")]
Smooth = Annotated[
    int | None,
    typer.Option(min=1, metavar="N", help="Frames (odd) of the centred mean.", show_default="the method's own"),
]
FlipMode = Annotated[options.FlipMode, typer.Option(help="Whether to turn frames that stand upside down.")]
OnError = Annotated[
    options.OnError,
    typer.Option(
        help="Frames that cannot be read: use their neighbour's unless much of a video is lost, insist on it, or stop."
    ),
]
Orientation = Annotated[
    bool | None,
    typer.Option(
        "--orientation/--no-orientation", help="Turn pictures as their EXIF or TIFF orientation says.",
        show_default="as trained",
    ),
]  # fmt: skip
_DEPTH: Any = {
    "min": 1, "max": options.MOST_DEPTH, "metavar": "BITS",
    "help": "Bits that pictures of more than 8 bits use: 8 to 16, or 1 for floating-point ones of 0 to 1.",
}  # fmt: skip
Depth = Annotated[int | None, typer.Option(**_DEPTH, show_default="as trained")]
TrainingDepth = Annotated[int | None, typer.Option(**_DEPTH, show_default="found in the footage")]
_FPS: Any = {"min": 0.001, "metavar": "N"}
Fps = Annotated[
    float | None,
    typer.Option(**_FPS, help="Frames a second of folders of frames.", show_default="not known"),
]
SampleFps = Annotated[
    float | None,
    typer.Option(**_FPS, help="Frames a second to take of footage that has more.", show_default="as trained"),
]
TrainingSampleFps = Annotated[
    float | None, typer.Option(**_FPS, help="Frames a second to take of footage that has more.", show_default="all")
]
_DEINTERLACE: Any = ("--deinterlace/--no-deinterlace",)
Deinterlace = Annotated[
    bool | None, typer.Option(*_DEINTERLACE, help="Make interlaced video files whole.", show_default="as trained")
]
TrainingDeinterlace = Annotated[bool, typer.Option(*_DEINTERLACE, help="Make interlaced video files whole.")]
AlarmRate = Annotated[
    str,
    typer.Option(metavar="RATE", help="Events that normal footage may give: 1/hour, 3/day, 1/500frames."),
]
Events = Annotated[
    Path | None,
    typer.Option(metavar="FILE", help="A .csv of the events: when, how high, how rare, why.", show_default=False),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")]
