"""What pixelfast does, one function each; the command line has the same names and defaults.

A function imports what it needs when it is called: scoring starts in half a second.
"""

from collections.abc import Callable, Iterable
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pixelfast.arguments import checked, path, paths
from pixelfast.options import EngineInput, EngineRange, FlipMode, How, OnError, Pool, Reading
from pixelfast.progress import ProgressCallback

if TYPE_CHECKING:
    from pixelfast.evaluation import Evaluation
    from pixelfast.jobs.clean import CleanReport
    from pixelfast.machine.stopwatch import Profile
    from pixelfast.methods.trained import Recipe
    from pixelfast.model import Model
    from pixelfast.scores import Scores
    from pixelfast.scores.files import Out
    from pixelfast.sources import Source

StrPath = str | PathLike[str]


def _model_or_path(name: str, value: Any) -> Any:
    from pixelfast.model import Model

    return value if isinstance(value, Model) else path(name, value)


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
    threads: int | None = None,
    progress: ProgressCallback | None = None,
    **options: Any,
) -> "Model":
    """Learns what is normal from footage that shows nothing unusual.

    Frames are decoded once into `<out>.training/`, where a checkpoint is kept after each epoch; the folder is removed
    when the model is written. The last tenth of each video is not trained on: it gives the calibration. Density has no
    epochs: it looks at its footage once, and compares each video with what the others hold.

    Args:
        source: normal footage: a folder of video folders at any depth, one video folder, a file of several pictures,
            or a list of those.
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

    reading = Reading(orientation, depth)
    request = TrainingRequest(
        method, recipe, epochs, seed, precision, batch, resume, threads, progress, options, fresh, reading
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
    progress: ProgressCallback | None = None,
    profile: "Callable[[Profile], object] | None" = None,
) -> "Scores":
    """Gives every frame an anomaly score.

    Args:
        source: footage: a folder of video folders at any depth, one video folder, a file of several pictures,
            or a list of those.
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
    from pixelfast.jobs.score import Line, Request, run
    from pixelfast.methods.settings import Settings

    settings = Settings(
        stride, how, pool, smooth, flip, on_error, chunk, engine_input, engine_range, orientation, depth
    )
    return run(source, Line(engine, settings, threads), Request(out, parts, shard, maps, progress, profile))


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
def merge(parts: StrPath | Iterable[StrPath], out: "Out" = None) -> "Scores":
    """Puts the parts of several runs (shares of one source) together.

    Args:
        parts: the folder of parts, or several; or part files, which may be of several sources as each is named.
        out: as in `score`.

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

    return merge_parts(parts, out)


@checked(masks=path)
def evaluate(
    scores: "Scores | StrPath", labels: StrPath, *, parts: StrPath | None = None, masks: StrPath | None = None
) -> "Evaluation":
    """Compares scores with labels: average precision and AUROC, over all frames and for each video.

    With masks, also where the error maps point: RBDC and TBDC, the detection criteria by region and by track of Street
    Scene (Ramachandra and Jones, 2020).

    Args:
        scores: scores, or the `.parquet` or `.csv` that they were written to.
        labels: an `Id,Label` CSV, a folder of `<video>.npy`, or one `.npy` over all frames in order. 1 is
            abnormal; True and False, or 0 and 255, do as well, and a CSV may be in UTF-16.
        parts: the folder of parts of these scores, with their error maps (`score(..., maps=True)`); goes with `masks`.
        masks: a folder of the abnormal pixels: of each video a folder of one PNG a frame (`<video>/*.png` in natural
            order, white where abnormal), a `<video>.npy` of [N, H, W], or a `<video>_label.mat` as Avenue publishes
            them (needs SciPy). A video without an abnormal label may be missing.

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
