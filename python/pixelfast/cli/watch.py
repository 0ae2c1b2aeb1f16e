"""`pixelfast watch`: events of a camera as they happen."""

import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from pixelfast.cli.console import aside, print_aside, print_result, spoken_aloud
from pixelfast.cli.options import AlarmRate, Deinterlace, FlipMode, How, Orientation, SampleFps, Smooth, Stride, Threads
from pixelfast.options import USUAL_RATE, Pool

if TYPE_CHECKING:
    from pixelfast.jobs.watching.board import Standing

_SECOND: Final = 1.0


def watch(
    source: Annotated[
        str,
        typer.Argument(
            metavar="SOURCE", help="rtsp://… or http://…, a camera of this machine (0), or a video file.",
            show_default=False,
        ),
    ],
    *,
    model: Annotated[Path, typer.Option(metavar="PATH", help="Model folder, or an engine file.", show_default=False)],
    alarm_rate: AlarmRate = USUAL_RATE,
    threshold: Annotated[
        float | None,
        typer.Option(metavar="X", help="Instead: smoothed raw score above which is an event.", show_default=False),
    ] = None,
    save_events: Annotated[
        Path | None, typer.Option(metavar="FOLDER", help="Save each event there: clip, picture, JSON.")
    ] = None,
    on_event: Annotated[
        str | None, typer.Option(metavar="CMD", help="Run a command for each event, which gets its JSON on stdin.")
    ] = None,
    page: Annotated[
        int | None,
        typer.Option(min=0, max=65_535, metavar="PORT", help="Show the last events at http://127.0.0.1:PORT/."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print each event as a JSON object on a line.")] = False,
    keep_trying: Annotated[
        bool, typer.Option("--keep-trying", help="Try the first connection, too, again and again.")
    ] = False,
    stride: Stride = None,
    how: How = "mean",
    pool: Annotated[
        Pool, typer.Option(help="A frame's error: the mean of its cells, of the worst three, or the rarest.")
    ] = "mean",
    smooth: Smooth = None,
    flip: FlipMode = "auto",
    threads: Threads = None,
    chunk: Annotated[
        int, typer.Option(min=1, metavar="N", help="Frames to a call of the engine: the fewer, the sooner.")
    ] = 16,
    orientation: Orientation = None,
    deinterlace: Deinterlace = None,
    sample_fps: SampleFps = None,
) -> None:  # fmt: skip
    """Watch a camera and print each event as it happens.

    $ pixelfast watch rtsp://camera/stream --model model/ --page 8000

    $ pixelfast watch 0 --model model/ --save-events events/

    A lost connection is made again; frames that are too many are dropped and counted. Ctrl-C ends it: exit code 0.
    """
    from pixelfast.jobs import watch as job

    with spoken_aloud(aside()):
        watching = job.watch(
            source, model, alarm_rate=alarm_rate, threshold=threshold, save_events=save_events, on_event=on_event,
            page=page, keep_trying=keep_trying, stride=stride, how=how, pool=pool, smooth=smooth, flip=flip,
            threads=threads, chunk=chunk, orientation=orientation, deinterlace=deinterlace, sample_fps=sample_fps,
        )  # fmt: skip
        with watching, _ended_by_signals(watching.stop):
            for event in watching:
                print_result(event.json() if as_json else event.line())
    print_aside(_summary(watching.standing()), "watched")


def _summary(standing: "Standing") -> str:
    from pixelfast.progress import duration

    parts = [
        f"{standing.frames:,} frames of {standing.video} in {duration(standing.seconds)}",
        "1 event" if standing.events == 1 else f"{standing.events:,} events",
        f"{standing.dropped:,} frames dropped",
        *([f"{standing.reconnects:,} times connected again"] if standing.live else []),
    ]
    return "; ".join(parts)


@contextmanager
def _ended_by_signals(stop: Callable[[], None]) -> Iterator[None]:
    """Ctrl-C and SIGTERM end the watching gently while the block runs; another one, a second later, at once."""
    before: dict[signal.Signals, Any] = {}
    first: list[float] = []  # when it came: some send it to a process and to its group

    def gently(*_: object) -> None:
        first.append(time.monotonic())
        if first[-1] - first[0] > _SECOND:
            raise KeyboardInterrupt
        stop()

    try:
        for number in (signal.SIGINT, signal.SIGTERM):
            if signal.getsignal(number) != signal.SIG_IGN:
                before[number] = signal.signal(number, gently)
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
