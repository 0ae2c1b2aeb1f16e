"""A whole `pixelfast score` with the fastest engine, what bounds it, and what it is compared with."""

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from pixelfast.errors import first_line
from pixelfast.jobs.line import Line
from pixelfast.jobs.score import Request, run
from pixelfast.machine.stopwatch import Profile, Stopwatch
from pixelfast.methods.base import Opening
from pixelfast.methods.choose import choose_engine
from pixelfast.methods.registry import find_method
from pixelfast.methods.settings import Settings
from pixelfast.model import Model
from pixelfast.notes import Notes
from pixelfast.options import FlipMode
from pixelfast.runtime.trial import Trial, calls_a_second
from pixelfast.sources import Video
from pixelfast.sources.decoding import DecodeSettings
from pixelfast.verify.footage import files_of, footage_of
from pixelfast.verify.machine import Machine

Facts = list[tuple[str, str]]

_PLAIN_FRAMES: Final = 256
"""Frames in memory that the plain loop runs on."""

_NAMES: Final = {"torch": "PyTorch", "PIL": "Pillow"}


def describe_whole_run(videos: Sequence[Video], engine: Path, *, flip: FlipMode, threads: int) -> tuple[float, Facts]:
    """Decodes videos, then scores them with an engine; both are warm, as what comes later would look fast otherwise.

    Returns:
        Frames a second of the whole run, without loading the engine; and what bounds it, in words.

    Raises:
        PixelfastError: as `pixelfast.score`.
    """
    settings, profiles = Settings(flip=flip), list[Profile]()
    choice = choose_engine(engine)
    method = find_method(choice.method).open(Opening(choice, settings, threads, Stopwatch(), Notes()))
    decode = DecodeSettings(method.frames, method.frame_bytes, threads, Stopwatch())
    run(videos[0], Line(engine, settings, threads), Request())
    # Once unmeasured: else decoding would read what the whole run finds in memory.
    _decode_rate(videos, decode)
    decode_rate = _decode_rate(videos, decode)
    scores = run(list(videos), Line(engine, settings, threads), Request(profile=profiles.append))
    rate, profile = len(scores.raw) / (scores.phases["total"] - scores.phases.get("load", 0.0)), profiles[0]
    return rate, [
        ("whole score", f"{rate:,.0f} frames/s with {engine.name}"),
        ("decoding alone", f"{decode_rate:,.0f} frames/s; the whole run has {rate / decode_rate:.2f} of it"),
        ("profile", f"bound by {profile.bound()}; {profile.cores:.2f} of {profile.threads} cores busy"),
    ]


def _decode_rate(videos: Sequence[Video], decode: DecodeSettings) -> float:
    """Frames a second where nothing else is done."""
    started = time.perf_counter()
    frames = sum(len(chunk.frames) for video in videos for chunk in decode.chunks(video))
    return frames / (time.perf_counter() - started)


def describe_plain_loop(
    model: Model, videos: list[Video], device: str, best: Trial, *, rate: float, seconds: float
) -> Facts:
    """What the method's plain loop does on the same device, from memory and from files; or why it is not run.

    `best` is the trial of the fastest engine, `rate` the frames a second of a whole run with it. Each figure is
    measured for so many seconds, about.
    """
    kind, manifest, files = best.candidate.kind, model.manifest, files_of(videos)
    weights = model.folder / f"{kind.stem}.safetensors"
    if kind.plain_loop is None:
        return []
    if weights.name not in manifest.files or len(files) < manifest.window:
        return [("plain loop", f"not run: it needs {weights.name} and a folder of frames")]
    frames = footage_of(videos).frames(_PLAIN_FRAMES, manifest.height, manifest.width, "grey")
    try:
        alone, whole = kind.plain_loop(weights, device, frames, files, seconds)
    except ModuleNotFoundError as error:
        return [("plain loop", f"not run: it needs {_NAMES.get(error.name or '', error.name)}")]
    except (ImportError, OSError) as error:
        return [("plain loop", f"not run: PyTorch or Pillow cannot be imported ({error})")]
    except RuntimeError as error:  # of PyTorch: the engines may have taken all of a GPU's memory
        return [("plain loop", f"not run: {first_line(error)}")]
    where = f"PyTorch float32, one window at a time, {device}"
    return [
        ("plain loop", f"{alone:,.0f} frames/s ({where}): {best.best / alone:,.1f}x by the fastest engine"),
        ("from files", f"{whole:,.0f} frames/s by the plain loop: {rate / whole:,.1f}x by the whole score"),
    ]


def describe_copying(best: Trial, inputs: NDArray[Any], machine: Machine, seconds: float) -> Facts:
    """How much of a call of the fastest engine is copying its frames to the GPU; nothing where it runs on none.

    Copying the inputs of its best call is measured for so many seconds, about.
    """
    if not best.candidate.on_gpu:
        return []
    if not machine.by_torch:
        return [("copying in", "not measured: PyTorch does not reach the GPU")]
    try:
        alone = _seconds_of_copying(inputs, seconds)
    except RuntimeError as error:  # of PyTorch: the engines may have taken all of the memory
        return [("copying in", f"not measured: {first_line(error)}")]
    share, speed = alone / best.call_seconds[best.best_length], inputs.nbytes / alone / 1e9
    call = f"takes {share:.1%} of a call of {best.best_length} ({speed:.1f} GB/s from page-locked memory)"
    return [("copying in", f"{call}; the engine computes beside it")]


def _seconds_of_copying(inputs: NDArray[Any], seconds: float) -> float:
    """Of one call's inputs from page-locked memory to the GPU, alone."""
    import torch

    sent = torch.from_numpy(np.ascontiguousarray(inputs)).pin_memory()
    there = torch.empty_like(sent, device="cuda")

    def copy() -> None:
        there.copy_(sent, non_blocking=True)
        torch.cuda.synchronize()

    copy()  # makes the context
    return 1 / calls_a_second(copy, seconds)
