"""Further engines of a model's autoencoder: other strides, less than float32, and what TensorRT plans are built of."""

from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from pixelfast.errors import ModelError, PixelfastError
from pixelfast.files.folders import scratch_folder
from pixelfast.geometry import SOURCE_CHANNELS
from pixelfast.machine.imports import training_extra
from pixelfast.methods.calibrating import calibrate, calibrations, raw_scores
from pixelfast.methods.exports import ExportRequest, PlanSource, say_agreement
from pixelfast.methods.reconstruction import METHOD, channels_of
from pixelfast.methods.reconstruction.quantize import write_bf16, write_int8
from pixelfast.methods.trained import footage_of, is_footage_of
from pixelfast.model import Calibration, Model
from pixelfast.model.names import EngineName
from pixelfast.notes import Notes
from pixelfast.runtime.pieces import Span
from pixelfast.scores.agreement import check_agreement, rank_correlation
from pixelfast.training.cache import FrameCache, spread

CALL_SIZES: Final = (16, 128, 128)
"""Frames a call of a plan where nobody says otherwise, nor is known how much memory the GPU has."""

LARGER: Final = (271, 527)
"""Frames a call, at best and at most, where the GPU has room: 256 and 512 windows at stride 1."""

WINDOW_BYTES: Final = 3_300_000
"""Activations of a window of the source's 64 channels in float32, as TensorRT for RTX 1.7 reserves them for a GPU of
compute capability 8.6; in fp16 they are 2.7 MB, and with fewer channels no more."""

_RUNS: Final = 12
_RUN_FRAMES: Final = 40
"""Frames of a run that the ranges of int8 are taken from; of so many runs, spread over the training footage."""

_CHECKED_FRAMES: Final = 40


def export_onnx(model: Model, request: ExportRequest) -> Path:
    """Writes an ONNX engine of a stride into the model's folder, in float32 or, for CPUs, in int8 or bf16.

    Raises:
        ModelError: the stride cannot be; in less than float32: there is no engine of this stride, the training footage
            cannot be read again, or the order of its held-out frames changes too much.
        EngineError: what it takes is not installed.
        OutputError: the folder cannot be written.
    """
    name = EngineName(METHOD.stem, request.stride, request.precision)
    with scratch_folder(model.folder) as scratch:
        write = _write_float if request.precision == "fp32" else _write_reduced
        measured = write(model, scratch / str(name), request)
        model.add({str(name): scratch / str(name)}, measured, notes=request.notes)
    return model.folder / str(name)


def _write_float(model: Model, out: Path, request: ExportRequest) -> list[Calibration]:
    """Writes the engine; gives its calibrations on held-out frames of the training footage, else says why not."""
    with training_extra():
        from pixelfast.methods.reconstruction.export import export_onnx as export_autoencoder
    export_autoencoder(model.folder, out, request.stride, threads=request.threads)
    # The same weights at the same stride: what was measured before holds for the new file as well.
    if known := [one for one in model.manifest.calibrations if one.engine == out.name]:
        return known
    try:
        cache, same = _footage(model, out, request)
        if same:
            return calibrate(
                METHOD,
                out,
                {},
                cache.held_out(),
                stride=request.stride,
                threads=request.threads,
                fps=model.manifest.rate,
            )
        why = "the training footage has changed"
    except PixelfastError as error:
        why = str(error)
    request.notes.say(f"{out.name} has no calibration, so scores have no threshold at stride {request.stride}: {why}")
    return []


def _write_reduced(model: Model, out: Path, request: ExportRequest) -> list[Calibration]:
    """Writes the engine in less than float32, compares it with the float32 one, and gives its calibrations."""
    source, stride, threads = model.engine(request.stride), request.stride, request.threads
    cache, same = _held_out_footage(model, out, request)
    if request.precision == "int8":
        write_int8(source, out, _runs(cache))
    else:
        write_bf16(source, out)
    raws = [raw_scores(METHOD, file, {}, cache.held_out(), stride=stride, threads=threads) for file in (source, out)]
    agreement = rank_correlation(*(np.concatenate(raw.by_pool["mean"]) for raw in raws))
    check_agreement(agreement, request.precision, out.name, "the rank correlation of held-out frames")
    say_agreement(request, agreement)
    if not same:
        request.notes.say(
            f"{out.name} has no calibration, so its scores have no threshold: the training footage has changed"
        )
        return []
    return calibrations(METHOD, out.name, raws[1], stride=stride, precision=request.precision, fps=model.manifest.rate)


def _footage(model: Model, engine: Path, request: ExportRequest) -> tuple[FrameCache, bool]:
    """The training footage, as the request has it, else decoded into a file beside the engine; under its mask.

    Returns:
        It, and whether it is just what the model was trained on.
    """
    cache = request.footage
    if cache is None:
        cache = FrameCache.build(footage_of(model), engine.with_name("frames.u8"), threads=request.threads)
    return cache.painted(model.manifest.reading.mask), is_footage_of(model, cache)


def _held_out_footage(model: Model, engine: Path, request: ExportRequest) -> tuple[FrameCache, bool]:
    try:
        cache, same = _footage(model, engine, request)
        if any(True for _ in cache.held_out()):
            return cache, same
        why = "it is too short to hold frames out"
    except PixelfastError as error:
        why = str(error)
    raise ModelError(f"less than float32 is checked on the training footage of {model.folder}, and cannot be: {why}")


def _runs(cache: FrameCache) -> list[NDArray[np.uint8]]:
    """Runs of neighbouring training frames u8[n, H, W], spread over all videos."""
    ends = {video.offset + video.training for video in cache.videos}
    return [
        np.ascontiguousarray(cache.frames[start : min(start + _RUN_FRAMES, *(end for end in ends if end > start))])
        for start in spread(cache.train_windows(1), _RUNS).tolist()
    ]


def plan_sources(model: Model, request: ExportRequest) -> list[PlanSource]:
    """Returns the graph that the plan of an autoencoder is built of.

    Raises:
        ModelError: there is no engine of this stride.
    """
    name = EngineName(METHOD.stem, request.stride)
    model.engine(request.stride)

    def reduce(out: Path, request: ExportRequest) -> None:
        with training_extra():
            from pixelfast.methods.reconstruction.export import write_reduced_autoencoder
            from pixelfast.methods.reconstruction.network import load_autoencoder
        agreement = write_reduced_autoencoder(
            load_autoencoder(model.folder / str(name.weights)),
            out,
            request.stride,
            request.precision,
            frames=frames_of(model, request.notes),
            threads=request.threads,
        )
        say_agreement(request, agreement)

    larger = tuple((frames, call_bytes(model, frames, request.stride)) for frames in LARGER)
    return [PlanSource(name, CALL_SIZES, model.manifest.window, reduce, larger)]


def call_bytes(model: Model, frames: int, stride: int) -> int:
    """Returns about how many bytes a call of so many frames takes on a GPU beside the weights, rather too many."""
    channels = channels_of(model.manifest) or SOURCE_CHANNELS
    windows = Span(model.manifest.window, stride).results(frames)
    return windows * WINDOW_BYTES * max(channels, SOURCE_CHANNELS) // SOURCE_CHANNELS


def frames_of(model: Model, notes: Notes) -> NDArray[np.uint8]:
    """Reads training frames u8[n,H,W]; makes some up, said aloud, where the footage cannot be read again."""
    height, width = model.manifest.height, model.manifest.width
    try:
        chunk = next(footage_of(model)[0].chunks(height, width, "grey", _CHECKED_FRAMES))
        if len(chunk.frames) > model.manifest.window:
            return np.ascontiguousarray(chunk.frames)
    except (PixelfastError, StopIteration):
        pass
    notes.say("the training footage cannot be read again: half precision is checked on made-up frames")
    from pixelfast.training.made_up import made_up_frames

    return made_up_frames()
