"""`pixelfast score`: an anomaly score for every frame."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pixelfast import api
from pixelfast.cli.console import facts, print_result, table
from pixelfast.cli.options import (
    AlarmRate,
    Deinterlace,
    Depth,
    Events,
    FlipMode,
    Fps,
    How,
    OnError,
    Orientation,
    Outputs,
    SampleFps,
    Smooth,
    Sources,
    Stride,
    Threads,
)
from pixelfast.cli.progress import shown_progress
from pixelfast.errors import LostFootageError
from pixelfast.files.places import place
from pixelfast.options import USUAL_RATE, EngineInput, EngineRange, Pool

if TYPE_CHECKING:
    from pixelfast.machine.stopwatch import Profile, ProfileRow
    from pixelfast.scores import Scores


def score(
    source: Sources,
    engine: Annotated[
        Path,
        typer.Option(metavar="PATH", help="Model folder, or an engine file (.onnx, .safetensors).", show_default=False),
    ],
    *,
    out: Outputs = None,
    stride: Stride = None,
    how: How = "mean",
    pool: Annotated[
        Pool,
        typer.Option(
            help="A frame's error: the mean of its cells, of the worst three, or the rarest by what it usually shows."
        ),
    ] = "mean",
    smooth: Smooth = None,
    flip: FlipMode = "auto",
    on_error: OnError = "repair",
    maps: Annotated[bool, typer.Option("--maps", help="Keep the error maps in the parts.")] = False,
    parts: Annotated[
        Path | None,
        typer.Option(
            metavar="FOLDER", help="Folder for finished videos; a rerun skips them.", show_default="OUT.parts/"
        ),
    ] = None,
    shard: Annotated[
        str | None, typer.Option(metavar="I/N", help="Score only share i of n, as 2/8; put together with `merge`.")
    ] = None,
    exact: Annotated[
        bool, typer.Option("--exact", help="Of a folder, the float32 engine, not the fastest here; so with --shard.")
    ] = False,
    threads: Threads = None,
    chunk: Annotated[int, typer.Option(min=1, metavar="N", help="Frames to a call of the engine.")] = 64,
    engine_input: Annotated[
        EngineInput | None,
        typer.Option(help="Axes of somebody else's autoencoder: T before H and W, or last.", show_default="its own"),
    ] = None,
    engine_range: Annotated[
        EngineRange | None, typer.Option(help="Its values of black and white.", show_default="its own")
    ] = None,
    orientation: Orientation = None,
    depth: Depth = None,
    deinterlace: Deinterlace = None,
    fps: Fps = None,
    sample_fps: SampleFps = None,
    alarm_rate: AlarmRate = USUAL_RATE,
    events: Events = None,
    report: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="A page to look at, .html: as `report` makes it.", show_default=False),
    ] = None,
    profile: Annotated[bool, typer.Option("--profile", help="Say where the time went, stage by stage.")] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say frames, bytes and hours, by a short measurement; write nothing.")
    ] = False,
) -> None:
    """Give every frame of some footage an anomaly score.

    $ pixelfast score new/ --engine model/ --out scores.parquet

    A model folder turns upside-down frames and knows a threshold; a lone engine file does neither, and says so.
    """
    if dry_run:
        with shown_progress():
            found = api.dry_run(
                source, engine, stride=stride, how=how, pool=pool, smooth=smooth, flip=flip, on_error=on_error,
                threads=threads, chunk=chunk, engine_input=engine_input, engine_range=engine_range,
                orientation=orientation, depth=depth, deinterlace=deinterlace, fps=fps, sample_fps=sample_fps,
                alarm_rate=alarm_rate, shard=shard, exact=exact,
            )  # fmt: skip
        print_result(facts(found.rows()))
        return
    profiles: list[Profile] = []
    written = [*(out or []), *(path for path in (events, report) if path is not None)]
    try:
        with shown_progress() as progress:
            scores = api.score(
                source, engine, out=out, stride=stride, how=how, pool=pool, smooth=smooth, flip=flip, on_error=on_error,
                maps=maps, parts=parts, shard=shard, exact=exact, threads=threads, chunk=chunk,
                engine_input=engine_input, engine_range=engine_range, orientation=orientation, depth=depth,
                deinterlace=deinterlace, fps=fps, sample_fps=sample_fps, alarm_rate=alarm_rate, events=events,
                report=report, progress=progress, profile=profiles.append,
            )  # fmt: skip
    except LostFootageError as error:
        if error.scores is not None:
            print_result(describe_scores(error.scores, written))
        raise
    print_result(describe_scores(scores, written))
    if profile:
        print_result(f"\n{_describe_profile(profiles[0])}")


def describe_scores(scores: "Scores", out: Sequence[Path]) -> str:
    """What was scored, what stands out, how long it took, and where it lies."""
    from pixelfast.scores.moments import top_moments

    marks = {name: getattr(scores, name) for name in ("flipped", "repaired", "noisy", "frozen")}
    rows = [
        ("scored", f"{len(scores):,} frames of {len(scores.videos):,} videos"),
        ("frames", ", ".join(f"{int(marked.sum()):,} {name}" for name, marked in marks.items())),
        ("threshold", _threshold(scores)),
        *([("reused", f"{scores.reused:,} videos, scored before, by their parts")] if scores.reused else []),
        ("time", times(scores.phases)),
        *(("written", str(place(path))) for path in out),
    ]
    header, top = ("most unusual", "frame", "rank", "score"), top_moments(scores, 5)
    lines = [(row.video, str(row.frame), f"{row.rank:.4f}", f"{row.score:.4f}") for row in top]
    text = f"{facts(rows)}\n\n{table(header, lines)}"
    if (why := scores.why) is None:
        return text
    told = [
        (f"{row.video} {row.frame}", "" if row.cell is None else why.place(row.cell), f"{row.stream}: {row.reason}")
        for row in top
    ]
    return f"{text}\n\n{facts([(first, f'{place}, {said}') for first, place, said in told])}"


def _threshold(scores: "Scores") -> str:
    """The threshold in the units of raw, what it was set for, and the longest runs above it."""
    from pixelfast.scores.showing import threshold_words

    if scores.threshold is None:
        return "none: no calibration for this engine and these settings"
    events = scores.events()
    longest = sorted(events, key=lambda event: event.start - event.end)[:3]
    named = ", ".join(f"{event.video} frames {event.start} to {event.end}" for event in longest)
    how = f"raw {scores.threshold:.6g}{threshold_words(scores)}"
    return f"{how}, {len(events):,} events above it" + (f" (the longest: {named})" if named else "")


def times(phases: Mapping[str, float]) -> str:
    """How long each phase took that took any time worth naming."""
    return ", ".join(f"{phase} {seconds:.1f} s" for phase, seconds in phases.items() if seconds >= 0.05) or "no time"


def _describe_profile(profile: "Profile") -> str:
    """Where the time went: a line a phase, then what bounded the run."""
    rows = [_profile_row(row) for row in profile.rows if row.seconds >= 0.0005]
    whole = [
        ("wall time", f"{profile.total:.2f} s, {profile.explained:.0%} of it explained by the phases"),
        ("bound by", profile.bound()),
        ("cores", f"{profile.cores:.2f} of {profile.threads} busy on average"),
    ]
    return f"{table(('phase', 'stage', 'seconds', 'share', 'MB', 'MB/s'), rows)}\n\n{facts(whole)}"


def _profile_row(row: "ProfileRow") -> tuple[str, ...]:
    megabytes = row.nbytes / 1e6
    moved = (f"{megabytes:.1f}", f"{megabytes / row.seconds:.0f}") if row.nbytes else ("", "")
    return (row.name, row.stage or "-", f"{row.seconds:.2f}", f"{row.share:.0%}", *moved)
