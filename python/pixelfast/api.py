"""What pixelfast does, one function each; the command line has the same names and defaults.

A function imports what it needs when it is called: scoring starts in half a second.
"""

from collections.abc import Callable, Iterable, Sequence
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pixelfast.arguments import checked, path, paths
from pixelfast.options import USUAL_RATE, EngineInput, EngineRange, FlipMode, How, OnError, Pool, Reading
from pixelfast.progress import ProgressCallback

if TYPE_CHECKING:
    from pixelfast.evaluation import Evaluation
    from pixelfast.jobs.clean import CleanReport
    from pixelfast.jobs.learn import Normal
    from pixelfast.jobs.mask import MaskProposal
    from pixelfast.machine.stopwatch import Profile
    from pixelfast.methods.trained import Recipe
    from pixelfast.model import Calibration, Model
    from pixelfast.scores import Scores
    from pixelfast.scores.files import Out
    from pixelfast.sources import Source
    from pixelfast.sources.masking import MaskSpec

StrPath = str | PathLike[str]


def _model_or_path(name: str, value: Any) -> Any:
    from pixelfast.model import Model

    return value if isinstance(value, Model) else path(name, value)


def _scores_or_path(name: str, value: Any) -> Any:
    from pixelfast.scores import Scores

    return value if isinstance(value, Scores) else path(name, value)


@checked()
def train(
    source: "Source",
    out: StrPath,
    *,
    method: str = "density",
    recipe: "str | Recipe" = "default",
    epochs: int | None = None,
    seed: int = 0,
    precision: str | None = None,
    batch: int | None = None,
    resume: bool = False,
    fresh: bool = False,
    orientation: bool = True,
    depth: int | None = None,
    deinterlace: bool = False,
    fps: float | None = None,
    sample_fps: float | None = None,
    mask: "MaskSpec | Sequence[MaskSpec] | None" = None,
    threads: int | None = None,
    progress: ProgressCallback | None = None,
    **options: Any,
) -> "Model":
    """Learns what is normal from footage that shows nothing unusual.

    Frames are decoded once into `<out>.training/`, where a checkpoint is kept after each epoch; the folder is removed
    when the model is written. The last tenth of each video is not trained on: it gives the calibration. Density has no
    epochs: it looks at its footage once, and compares each video with what the others hold. Reconstruction ends with an
    int8 engine for CPUs beside the float32 one, as `export` makes it, where NNCF and OpenVINO are installed.

    Args:
        source: normal footage: video files, folders of frames, folders of either at any depth, or a list of those.
        out: the model folder to write.
        method: "density", "motion" or "reconstruction".
        recipe: "default", or "source" for the method's original, exactly (or a `Recipe` of one's own);
            "plain", of the motion method alone, predicts no motion at all, so that the score is the norm of the flow.
        epochs: passes over the training windows; None leaves it to the recipe.
        seed: of every random choice.
        precision: "fp32" or "bf16"; None takes bf16 where the processor multiplies it itself and the recipe allows it.
        batch: windows a step; None takes a fast one that the recipe allows.
        resume: go on from `<out>.training/` where an earlier training was stopped.
        fresh: throw that training away and begin anew; without either, a checkpoint there is an error.
        orientation: whether pictures are turned as their EXIF or TIFF orientation says.
        depth: the bits that samples of more than 8 bits use, as 12 in a 16-bit file: 8 to 16, or 1 for floating-point
            ones of 0 to 1; None finds it in the footage. The model keeps both, and scoring reads its footage alike.
        deinterlace: whether interlaced video files are made whole, by FFmpeg's bwdif; the model keeps it.
        fps: frames a second of folders of frames, whose files do not tell.
        sample_fps: frames a second to learn from, of footage that has more; None takes all, or the lowest rate where
            videos differ. The model keeps it, and of other footage as many are scored.
        mask: what counts in no method, as a burnt-in clock or a tree: a picture whose white is left out, "x,y,w,h" in
            pixels, or several; the model keeps it.
        threads: None takes the cores that this process may use.
        progress: told of each step.
        options: the method's own. Of reconstruction: `width_share`, the autoencoder's channels as a share of the
            source's 64 to 512, 0.125 to 8: half of them is a quarter of the work in training and scoring; None leaves
            it to the recipe (default 0.5, source 1). Of motion: `flow`, "dis" (OpenCV's, fast; the default) or "raft"
            (RAFT-Large, better and far slower), which scoring uses as well; `flow_preset` of "dis": "ultrafast",
            "fast" or "medium"; `raft_weights` of "raft": the state dict; None lets torchvision download its own. Of
            density: `live`, whether each frame is smoothed with those before it alone, without delay.

    Returns:
        The model that was written.

    Raises:
        SourceError: there is no footage.
        LostFootageError: too much of a video cannot be read.
        ModelError: PyTorch is missing, the footage is too short, or an argument cannot be.
        ArgumentError: an argument is of a wrong type, or there are not so many cores; found out before the work.
        OutputError: `out` cannot be written; found out before the work.

    Examples:
        >>> model = pixelfast.train("normal", "model", method="reconstruction")
        >>> model.manifest.training.videos
        2
    """
    from pixelfast.jobs.train import train_model
    from pixelfast.methods.trained import TrainingRequest
    from pixelfast.sources.masking import mask_specs

    reading = Reading(orientation, depth, deinterlace, fps, sample_fps)
    request = TrainingRequest(
        method,
        recipe,
        epochs,
        seed,
        precision,
        batch,
        resume,
        threads,
        progress,
        options,
        fresh,
        reading,
        mask_specs(mask),
    )
    return train_model(source, out, request)


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
        out: a `.csv` or `.parquet` to write, or several.
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
        shard: "i/n", this machine's share of the videos; merge the parts afterwards.
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
        EngineError: the engine cannot be loaded, does not fit, or fails.
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
        deinterlace, fps, sample_fps, alarm_rate,
    )  # fmt: skip
    line, request = Line(engine, settings, threads), Request(out, parts, shard, maps, progress, profile, events)
    if report is None:
        return run(source, line, request)
    from pixelfast.reporting.job import score_with_report

    return score_with_report(source, line, request, report)


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


@checked(model=_model_or_path)
def export(
    model: "Model | StrPath",
    to: str = "onnx",
    *,
    precision: str = "fp32",
    stride: int = 1,
    compute_capability: str | None = None,
    call_sizes: tuple[int, int, int] | None = None,
    threads: int | None = None,
) -> Path:
    """Writes an engine into a model's folder: `ae.s4.onnx` for stride 4, a quarter of the work of stride 1.

    An ONNX engine is calibrated on the training footage's held-out frames where these can still be read. A plan is
    for NVIDIA GPUs; it can be built on a machine without one. With it come plans of the model's RAFT and of its flip
    classifier, which stay beside it.

    Args:
        model: a model, or its folder.
        to: "onnx", or "plan" for TensorRT.
        precision: "fp32"; of ONNX also "int8" (convolutions, by NNCF: extra `quantize`) or "bf16", both for CPUs; of
            plans "fp16" (weights and activations; needs PyTorch) or, where TensorRT can, "bf16". Less than fp32 is
            first compared with it on the training footage.
        stride: frames between the starts of windows, 1 to the window.
        compute_capability: of a plan: the GPU that it is for, such as "8.6"; None means the one in this machine.
        call_sizes: of a plan: frames (or flows) a call, at least, best and at most; None takes good ones.
        threads: None takes the cores that this process may use.

    Returns:
        The engine's file.

    Raises:
        ModelError: the model is damaged, PyTorch is missing, the stride cannot be, or half precision changes the ranks
            or RAFT's flow.
        EngineError: this version writes no such engine, or TensorRT is missing or cannot build it.
        OutputError: the folder cannot be written.
        ArgumentError: an argument is of a wrong type.

    Examples:
        >>> pixelfast.export("model", stride=4).name
        'ae.s4.onnx'
    """
    from pixelfast.jobs.export import export_engine
    from pixelfast.machine.threads import usable_threads
    from pixelfast.methods.base import ExportRequest
    from pixelfast.model import Model

    count = usable_threads(threads)
    loaded = model if isinstance(model, Model) else Model.load(model, plans=to != "plan")
    return export_engine(loaded, ExportRequest(to, precision, stride, compute_capability, call_sizes, count))


@checked(weights=paths)
def convert(
    weights: StrPath | Iterable[StrPath],
    out: StrPath,
    *,
    frame_size: tuple[int, int] | None = None,
    raft_weights: StrPath | None = None,
) -> "Model":
    """Makes a model from weights that the source method's own training wrote.

    Args:
        weights: `.pth` or `.safetensors` files (state dicts, as they are or as checkpoints wrap them), or a folder of
            them: the autoencoder or the motion GRU, and the flip classifier if any.
        out: the model folder to write.
        frame_size: of a motion GRU: height and width in pixels of the frames that its flow was computed on.
        raft_weights: of a motion GRU: RAFT-Large's state dict; None lets torchvision download its own.

    Raises:
        ModelError: PyTorch is missing, or a file holds something else.
        OutputError: `out` cannot be written.
        ArgumentError: an argument is of a wrong type.

    Examples:
        >>> model = pixelfast.convert("autoencoder.pth", "converted")
        >>> model.engine().name
        'ae.onnx'
    """
    from pixelfast.jobs.convert import convert_model
    from pixelfast.methods.base import ConvertRequest

    raft = None if raft_weights is None else Path(raft_weights)
    return convert_model(weights, out, ConvertRequest(frame_size, raft))


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
def calibrate(
    engine: StrPath,
    source: "Source | None" = None,
    *,
    stride: int | None = None,
    how: How = "mean",
    pool: Pool = "mean",
    smooth: int | None = None,
    flip: FlipMode = "auto",
    fps: float | None = None,
    threads: int | None = None,
    progress: ProgressCallback | None = None,
) -> "Calibration":
    """Measures how high normal footage comes by an engine and settings, and keeps it in the model.

    Thresholds, alarm rates and tails follow it from then on, for this engine with these settings. Training does so by
    what it held out; more footage, of other hours and days, makes rare alarms certain that otherwise are extrapolated.

    Args:
        engine: a model folder, or an engine file in one (a stride, int8, a plan, PyTorch's weights).
        source: normal footage that the training did not see; None takes what the training held out, where it is still
            there.
        stride: as in `score`, and so is what follows.
        how: over the windows that hold a frame.
        pool: over the cells of a frame.
        smooth: frames (odd) of the centred mean.
        flip: what is done about upside-down frames.
        fps: frames a second of folders of frames.
        threads: for decoding and for the engine, each.
        progress: told as frames are done.

    Returns:
        What was measured; one of the same engine and settings is replaced.

    Raises:
        EngineError: the engine cannot be loaded, does not fit, fails, or belongs to no model.
        ModelError: the model folder is damaged, or there is no footage that its training did not learn from.
        SourceError: there is no footage.
        LostFootageError: too much of a video cannot be read.
        OutputError: the model folder cannot be written.
        ArgumentError: an argument cannot be.

    Examples:
        >>> pixelfast.calibrate("model", "normal", smooth=9).frames
        96
        >>> pixelfast.score("new", engine="model", smooth=9).threshold > 0
        True
    """
    from pixelfast.jobs.calibrate import measure_calibration
    from pixelfast.methods.settings import Settings

    settings = Settings(stride=stride, how=how, pool=pool, smooth=smooth, flip=flip, fps=fps)
    return measure_calibration(engine, source, settings, threads=threads, progress=progress)


@checked(model=_model_or_path, events=_scores_or_path)
def learn(
    model: "Model | StrPath",
    source: "Source",
    events: "Scores | StrPath",
    normal: "Normal",
    *,
    out: StrPath | None = None,
    threads: int | None = None,
    progress: ProgressCallback | None = None,
) -> "Model":
    """Adds what a person calls normal to a model, as a new model folder; the old one stays as it is.

    A density model learns the moments at once: what moved and stood there and how fast becomes known, at its place, and
    its calibration counts them. Models of other methods learn by training alone: the frames are kept in
    `<out>.normal/`, and the command of the next training is said.

    Args:
        model: the model folder.
        source: the footage that was scored.
        events: its scores, or the `.parquet` that they were written to.
        normal: the moments that are normal: numbers, as the page of `report` shows them, or events of the scores.
        out: the folder to write; None takes the model's name with the next number, `model-2`.
        threads: None takes the cores that this process may use.
        progress: told as moments are learnt.

    Returns:
        The new model.

    Raises:
        ArgumentError: there is no such moment.
        SourceError, UnknownVideoError: the source, or the scores, have no such video.
        ScoresError: the file of scores cannot be read.
        ModelError: the model folder is damaged.
        OutputError: `out` cannot be written.

    Examples:
        >>> scores = pixelfast.score("new", engine="model")
        >>> pixelfast.learn("model", "new", scores, normal=1, out="wiser").manifest.method
        'reconstruction'
    """
    from pixelfast.jobs.learn import learn_normal
    from pixelfast.model import Model

    known = model if isinstance(model, Model) else Model.load(model)
    return learn_normal(known, source, events, normal, out, threads=threads, progress=progress)


@checked(masks=path)
def evaluate(
    scores: "Scores | StrPath", labels: StrPath, *, parts: StrPath | None = None, masks: StrPath | None = None
) -> "Evaluation":
    """Compares scores with labels: average precision and AUROC, over all frames and for each video.

    With masks, also where the error maps point: RBDC and TBDC, the detection criteria by region and by track of Street
    Scene (Ramachandra and Jones, 2020).

    Args:
        scores: scores, or the `.parquet` or `.csv` that they were written to.
        labels: what data sets publish. Over all videos, in natural order: an `Id,Label` CSV (in UTF-8 or UTF-16); a
            `.npy` of one label a frame; a `.mat` (needs SciPy; version 7 or older): `gt` with a cell a video of [2, K]
            first and last frames or of 0 and 1, structs whose `gt_frame` lists frames, a vector or a volume; UCSD's
            `.m`. Frames count from 1 there. Or a folder with, of each video, `<video>.npy` (labels, or masks
            [N, H, W]), `<video>.mat` (the same as above, or a volume [H, W, N]), `<video>_label.mat` of Avenue, or
            masks as pictures (`<video>/*.png` or `.bmp`, also in `<video>_gt/`): a frame is abnormal where any pixel
            is. Labels are 0 and 1, True and False, or 0 and 255.
        parts: the folder of parts of these scores, with their error maps (`score(..., maps=True)`); goes with `masks`.
        masks: a folder of the abnormal pixels: of each video a folder of one PNG or BMP a frame (`<video>/*.png` in
            natural order, white where abnormal; or `<video>_gt/`), a `<video>.npy` of [N, H, W], a `<video>.mat` with a
            volume [H, W, N], or a `<video>_label.mat` as Avenue publishes them (both need SciPy). A video without an
            abnormal label may be missing.

    Raises:
        ScoresError: a file cannot be read, or labels, parts, masks and scores do not fit.
        ArgumentError: an argument is of a wrong type, or only one of `parts` and `masks` is given.

    Examples:
        >>> found = pixelfast.evaluate("scores.parquet", "labels.csv")
        >>> found.frames, found.rbdc
        (80, None)
    """
    from pixelfast.jobs.evaluate import evaluate_run

    return evaluate_run(scores, labels, parts, masks)


@checked()
def report(
    scores: "Scores | StrPath",
    source: "Source",
    out: StrPath,
    *,
    labels: StrPath | None = None,
    parts: StrPath | None = None,
    moments: int = 50,
    title: str | None = None,
    threads: int | None = None,
    progress: ProgressCallback | None = None,
) -> Path:
    """Writes the page that a person looks at: one HTML file that holds all it shows, and needs no network.

    It lists the runs of frames above the threshold, the highest first (without a threshold, or where nothing is above
    it, the frames that stand out most), each with pictures, how rare it is, why and where; and draws a timeline a
    video. Needs the extra `report` (Plotly and Jinja2).

    Args:
        scores: scores, or the `.parquet` that they were written to.
        source: the footage that was scored, for the pictures; what it lacks is said in the page.
        out: the `.html` to write.
        labels: as in `evaluate`; on the timelines, with a precision-recall and an ROC curve.
        parts: the folder of parts of these scores, whose error maps (`score(..., maps=True)`) are laid over the
            pictures; None takes `<scores>.parts/` where it is there.
        moments: how many are listed, at most, up to 500; each takes about 0.2 MB of the page.
        title: of the page; None says "Unusual moments".
        threads: that decode pictures; None takes the cores that this process may use.
        progress: told as moments get their pictures.

    Returns:
        The file that was written.

    Raises:
        ScoresError: scores or labels cannot be read, or are not of the same frames.
        OutputError: `out` cannot be written, or Plotly or Jinja2 is missing.
        ArgumentError: an argument is of a wrong type.

    Examples:
        >>> pixelfast.report("scores.parquet", "new", "report.html", labels="labels.csv").name
        'report.html'
    """
    from pixelfast.reporting.job import Wanted, write_report

    return write_report(scores, source, out, Wanted(labels, parts, moments, title, threads, progress))
