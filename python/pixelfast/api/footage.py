"""What is done with footage: scores, corrected frames, masks.

A function imports what it needs when it is called: scoring starts in half a second.
"""

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from pixelfast.api.given import StrPath
from pixelfast.arguments import checked, path, paths
from pixelfast.options import USUAL_RATE, EngineInput, EngineRange, FlipMode, How, OnError, Pool
from pixelfast.progress import ProgressCallback

if TYPE_CHECKING:
    from pixelfast.jobs.clean import CleanReport
    from pixelfast.jobs.dry_run import DryRun
    from pixelfast.jobs.mask import MaskProposal
    from pixelfast.machine.stopwatch import Profile
    from pixelfast.scores import Scores
    from pixelfast.scores.files import Out
    from pixelfast.sources import Source


@checked(out=paths)
def score(
    source: "Source",
    engine: StrPath,
    *,
    out: "Out" = None,
    stride: int | None = None,
    how: How = "mean",
    pool: Pool = "mean",
    smooth: int | None = None,
    flip: FlipMode = "auto",
    on_error: OnError = "repair",
    maps: bool = False,
    parts: StrPath | None = None,
    shard: str | None = None,
    exact: bool = False,
    threads: int | None = None,
    chunk: int = 64,
    engine_input: EngineInput | None = None,
    engine_range: EngineRange | None = None,
    orientation: bool | None = None,
    depth: int | None = None,
    deinterlace: bool | None = None,
    fps: float | None = None,
    sample_fps: float | None = None,
    alarm_rate: str = USUAL_RATE,
    events: StrPath | None = None,
    report: StrPath | None = None,
    progress: ProgressCallback | None = None,
    profile: "Callable[[Profile], object] | None" = None,
) -> "Scores":
    """Gives every frame an anomaly score.

    Args:
        source: footage: video files, folders of frames, folders of either at any depth, or a list of those.
        engine: a model folder, an `.onnx` file (one of ours, or anybody's autoencoder of cuboids), or an
            `ae.safetensors`, which PyTorch runs, on a GPU where it has one.
        out: a `.csv` or `.parquet` to write, or several; they, `parts` and `events` may lie on any file system that
            PyArrow knows (`s3://bucket/scores.parquet`, `gs://`, `file://`).
        stride: frames between the starts of windows; None takes the engine's own (1 for a model folder).
        how: "mean", "max" or "median" over the windows that hold a frame.
        pool: "mean" over the cells of a frame's error map; "worst", the mean of the three worst; or "rare", how rare
            the rarest is (-log10 of a share), by what the same cell showed in held-out normal frames.
        smooth: frames (odd, at most 99,999) of the centred mean within a video; None takes the method's own: 3 for
            reconstruction, 7 for motion.
        flip: "auto" turns upside-down frames where the model's classifier can be trusted, "always" insists, "never"
            leaves all as they are.
        on_error: "repair" replaces unreadable frames by their neighbours, but not where more than a twentieth of a
            video (and more than 5 frames) or more than 50 in a row are lost: such a video is not scored. "insist"
            repairs it all the same, "raise" stops at the first.
        maps: keep each frame's error map in its part (float16, square roots).
        parts: the folder of raw scores, one file a video; a rerun takes what is there. None means `<out>.parts/`, or
            nothing on disk without `out`.
        shard: "i/n", this machine's share of the videos; merge the parts afterwards. Of a model folder all machines
            take the float32 engine then, as with `exact`; name a file for another.
        exact: of a model folder take the float32 engine, not the fastest one of this machine.
        threads: for decoding and for the engine, each; None takes the cores that this process may use.
        chunk: frames to a call of the engine, at most 16,384; the scores do not depend on it.
        engine_input: of an autoencoder of cuboids that is not ours: "nchw" ([B, T, H, W]) or "nhwc" ([B, H, W, T]);
            None goes by its file, and refuses one that seems to be something else.
        engine_range: likewise "0..1", "-1..1" or "0..255", what black and white are to it.
        orientation: whether pictures are turned as their EXIF or TIFF orientation says; None does as the training did.
        depth: the bits that samples of more than 8 bits use, as 12 in a 16-bit file; None takes the training's.
        deinterlace: whether interlaced video files are made whole; None does as the training did.
        fps: frames a second of folders of frames, whose files do not tell.
        sample_fps: frames a second to score of footage that has more; None takes the model's rate. Frames between them
            get scores by interpolation.
        alarm_rate: events that normal footage may give, as "1/hour", "3/day" or "1/500frames": it sets the threshold.
            Beyond what the footage that was held out in training can show, it is extrapolated, and said so.
        events: a `.csv` of the events to write: see `Scores.write_events`.
        report: an `.html` to write as well: see `pixelfast.report`. It keeps error maps, and without `out` and `parts`
            the parts are `<report>.parts/`.
        progress: told as frames are done.
        profile: told at the end where the time went, the stages' threads beside each other.

    Returns:
        One row a frame.

    Raises:
        SourceError: there is no footage, or its layout cannot be understood.
        EngineError: the engine cannot be loaded, does not fit, or fails; or this process was forked while its parent
            was scoring.
        ModelError: the model folder is damaged.
        LostFootageError: a video was not scored, because too much of it cannot be read. All others were, and written;
            their scores are the error's `scores`.
        DecodeError: a frame cannot be read and `on_error="raise"`.
        OutputError: a result cannot be written; found out before the work.
        ArgumentError: an argument cannot be; found out before the work.

    Examples:
        >>> pixelfast.score("new", engine="model", out="scores.parquet")
        Scores(2 videos, 80 frames, reconstruction)
    """
    from pixelfast.jobs.line import Line
    from pixelfast.jobs.score import Request, run
    from pixelfast.methods.settings import Settings

    maps = maps or report is not None
    settings = Settings(
        stride, how, pool, smooth, flip, on_error, chunk, engine_input, engine_range, orientation, depth,
        deinterlace, fps, sample_fps, alarm_rate, exact,
    )  # fmt: skip
    line, request = Line(engine, settings, threads), Request(out, parts, shard, maps, progress, profile, events)
    if report is None:
        return run(source, line, request)
    from pixelfast.reporting.job import score_with_report

    return score_with_report(source, line, request, report)


@checked()
def dry_run(
    source: "Source",
    engine: StrPath,
    *,
    stride: int | None = None,
    how: How = "mean",
    pool: Pool = "mean",
    smooth: int | None = None,
    flip: FlipMode = "auto",
    on_error: OnError = "repair",
    threads: int | None = None,
    chunk: int = 64,
    engine_input: EngineInput | None = None,
    engine_range: EngineRange | None = None,
    orientation: bool | None = None,
    depth: int | None = None,
    deinterlace: bool | None = None,
    fps: float | None = None,
    sample_fps: float | None = None,
    alarm_rate: str = USUAL_RATE,
    shard: str | None = None,
    exact: bool = False,
) -> "DryRun":
    """Says what `score` would have to do with some footage, and how long it would take, and writes nothing.

    Frames and bytes are counted; the rate is that of this engine on the beginning of the longest video, on this
    machine, which is scored for some seconds to find out.

    Args:
        source: as in `score`, and so is all that follows.
        engine: a model folder or an engine file.
        stride: frames between the starts of windows.
        how: over the windows that hold a frame.
        pool: over the cells of a frame.
        smooth: frames (odd) of the centred mean.
        flip: what is done about upside-down frames.
        on_error: what is done about unreadable frames.
        threads: for decoding and for the engine, each; those of a worker, where a cluster shall do the work.
        chunk: frames to a call of the engine.
        engine_input: of somebody else's autoencoder.
        engine_range: likewise.
        orientation: whether pictures are turned as they say.
        depth: the bits that deep samples use.
        deinterlace: whether interlaced files are made whole.
        fps: frames a second of folders of frames.
        sample_fps: frames a second to score of footage that has more.
        alarm_rate: at which normal footage may give events.
        shard: the share of the videos that is counted.
        exact: of a model folder the float32 engine.

    Raises:
        SourceError, EngineError, ModelError, LostFootageError, ArgumentError: as in `score`.

    Examples:
        >>> found = pixelfast.dry_run("new", engine="model")
        >>> found.frames, 0 < found.hours() < 1
        (80, True)
    """
    from pixelfast.jobs.dry_run import look_ahead
    from pixelfast.jobs.line import Line
    from pixelfast.methods.settings import Settings

    settings = Settings(
        stride, how, pool, smooth, flip, on_error, chunk, engine_input, engine_range, orientation, depth,
        deinterlace, fps, sample_fps, alarm_rate, exact,
    )  # fmt: skip
    return look_ahead(source, Line(engine, settings, threads), shard)


@checked(parts=paths, out=paths)
def merge(
    parts: StrPath | Iterable[StrPath],
    out: "Out" = None,
    *,
    alarm_rate: str = USUAL_RATE,
    events: StrPath | None = None,
) -> "Scores":
    """Puts the parts of several runs (shares of one source) together.

    Args:
        parts: the folder of parts, or several; or part files, which may be of several sources as each is named.
        out: as in `score`.
        alarm_rate: as in `score`.
        events: as in `score`.

    Raises:
        ScoresError: there are no parts, one is damaged, or they come from different engines, settings or sources.
        OutputError: a result cannot be written.
        ArgumentError: an argument is of a wrong type.

    Examples:
        >>> for shard in ("1/2", "2/2"):
        ...     share = pixelfast.score("new", "model/ae.onnx", parts="parts", shard=shard)
        >>> pixelfast.merge("parts")
        Scores(2 videos, 80 frames, reconstruction)
    """
    from pixelfast.jobs.merge import merge_parts

    return merge_parts(parts, out, alarm_rate=alarm_rate, events=events)


@checked()
def clean(
    source: "Source",
    model: StrPath,
    out: StrPath,
    *,
    flip: FlipMode = "auto",
    on_error: OnError = "repair",
    orientation: bool | None = None,
    depth: int | None = None,
    copy: bool = False,
    threads: int | None = None,
    progress: ProgressCallback | None = None,
) -> "CleanReport":
    """Writes the corrected frames under the same names: upside-down ones turned, unreadable ones replaced.

    Files that need no change are hard-linked where the file system allows it, else copied byte for byte; what is
    written into a linked file is written into the source as well. JPEG files are turned without loss where their size
    allows it.

    Args:
        source: folders of frames.
        model: a model folder with a flip classifier.
        out: the folder to write, apart from the source; it appears whole or not at all.
        flip: as in `score`.
        on_error: as in `score`.
        orientation: as in `score`.
        depth: as in `score`.
        copy: copy files instead of linking them.
        threads: as in `score`.
        progress: told as frames are done.

    Returns:
        What was done, counted.

    Raises:
        SourceError: there is no footage.
        ModelError: the model folder is damaged.
        OutputError: `out` is taken, lies in the source, or cannot be written.
        LostFootageError: too much of a video cannot be read.
        DecodeError: a frame cannot be read and `on_error="raise"`.
        ArgumentError: an argument cannot be.

    Examples:
        >>> pixelfast.clean("new", "model", "upright").frames
        80
    """
    from pixelfast.jobs.clean import correct
    from pixelfast.methods.settings import Settings

    settings = Settings(flip=flip, on_error=on_error, orientation=orientation, depth=depth)
    return correct(source, model, out, settings, copy=copy, threads=threads, progress=progress)


@checked(preview=path)
def propose_mask(
    source: "Source", out: StrPath, *, preview: StrPath | None = None, fps: float | None = None
) -> "MaskProposal":
    """Proposes what of the picture `train(mask=...)` should leave out, by the first minute of a video.

    Text that changes every second (a burnt-in clock) and what stands beside it, and what moves in most frames
    throughout (a tree, a flag, water).

    Args:
        source: the video.
        out: a `.png` to write, white where something is to be left out, of the footage's size.
        preview: a frame with the mask over it, to look at; None means `<out>.preview.png`.
        fps: frames a second of a folder of frames; without it a clock is looked for at the usual rates.

    Raises:
        SourceError: there is no footage, or less than two frames.
        OutputError: a file cannot be written.

    Examples:
        >>> pixelfast.propose_mask("new/01", "mask.png").clock
        0.0
    """
    from pixelfast.jobs.mask import propose

    return propose(source, Path(out), None if preview is None else Path(preview), fps)
