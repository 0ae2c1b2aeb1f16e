"""What makes and changes models: training, lessons, calibrations, engines.

A function imports what it needs when it is called: scoring starts in half a second.
"""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pixelfast.api.given import StrPath, model_or_path, scores_or_path
from pixelfast.arguments import checked, paths
from pixelfast.options import FlipMode, How, Pool, Reading
from pixelfast.progress import ProgressCallback

if TYPE_CHECKING:
    from pixelfast.jobs.learn import Normal
    from pixelfast.methods.trained import Recipe
    from pixelfast.model import Calibration, Model
    from pixelfast.scores import Scores
    from pixelfast.sources import Source
    from pixelfast.sources.masking import MaskSpec


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


@checked(model=model_or_path, events=scores_or_path)
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


@checked(model=model_or_path)
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

    An engine is calibrated on the training footage's held-out frames where these can still be read. A plan is for
    NVIDIA GPUs; it can be built on a machine without one, and is calibrated then by `pixelfast verify` where its GPU
    is. With it come plans of the model's RAFT and of its flip classifier, which stay beside it.

    Args:
        model: a model, or its folder.
        to: "onnx", or "plan" for TensorRT.
        precision: "fp32"; of ONNX also "int8" (convolutions, by NNCF: extra `quantize`) or "bf16", both for CPUs; of
            plans "fp16" (weights and activations; needs PyTorch) or, where TensorRT can, "bf16". Less than fp32 is
            first compared with it on the training footage.
        stride: frames between the starts of windows, 1 to the window.
        compute_capability: of a plan: the GPU that it is for, such as "8.6"; None means the one in this machine.
        call_sizes: of a plan: frames (or flows) a call, at least, best and at most; None takes good ones: of an
            autoencoder's plan for this machine's GPU as large ones as an eighth of its memory holds.
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
    from pixelfast.methods.exports import ExportRequest
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
    from pixelfast.methods.exports import ConvertRequest

    raft = None if raft_weights is None else Path(raft_weights)
    return convert_model(weights, out, ConvertRequest(frame_size, raft))
