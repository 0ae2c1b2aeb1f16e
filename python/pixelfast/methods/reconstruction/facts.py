"""What an engine is, read off its inputs, outputs and metadata, and the sentences for what it is not."""

import math
from dataclasses import dataclass
from typing import Final, Literal

from pixelfast.arguments import MOST_PIXELS
from pixelfast.errors import EngineError
from pixelfast.geometry import GRID
from pixelfast.methods.reconstruction.foreign import (
    FLOATS,
    UNTOLD,
    CuboidFormat,
    Told,
    cuboid_format,
    reconstruction_of,
)
from pixelfast.runtime.onnx import OnnxRunner
from pixelfast.runtime.runner import MOST_STRIDE, EngineFile, metadata_integer

FORMAT = 1
WANTED = (
    "the reconstruction method takes either pixelfast's own engine (frames uint8 [N, H, W] -> "
    "window_errors float32 [W, T, G, G]) or any autoencoder of cuboids (float32 or float16 "
    "[B, T, H, W], [B, 1, T, H, W] or [B, T, 1, H, W] -> the same shape)"
)
_MOST_VALUES: Final = 1 << 28  # of a window: 1 GiB as float32


@dataclass(frozen=True)
class WindowFacts:
    """Facts of an engine of windows.

    Attributes:
        kind: `frames` (our engines: frames in, errors out) or `cuboids` (anybody's: cuboids in and out).
        window: T, frames a window.
        height: H, pixels.
        width: W, pixels.
        grid: G, cells a side of the error map.
        stride: S, static in an engine of frames; None where any stride fits.
        batch: the only first dimension that the engine takes; None where it is dynamic.
        best: frames (or cuboids) a call that keep the engine busy; None where any number does.
        least: frames that are worth a call of their own where no more are there yet; None where one should wait.
        precision: "fp32", or what else the same file is computed in on this machine.
        cuboids: how an engine of cuboids wants them; None for an engine of frames.
    """

    kind: Literal["frames", "cuboids"]
    window: int
    height: int
    width: int
    grid: int
    stride: int | None
    batch: int | None
    best: int | None = None
    least: int | None = None
    precision: str = "fp32"
    cuboids: CuboidFormat | None = None


def window_facts(runner: EngineFile, told: Told = UNTOLD) -> WindowFacts:
    """The facts of a window engine, and of one of cuboids what the caller says of it.

    Raises:
        EngineError: the file is something else, or leaves a size open; the sentence says what was expected and found.
    """
    _check_metadata(runner)
    tensor = runner.inputs[0]
    ranks = (len(tensor.shape), len(runner.outputs[0].shape))
    if len(runner.inputs) == 1 and tensor.dtype == "uint8" and ranks == (3, 4):
        if told != UNTOLD:
            raise EngineError(f"{runner.path} takes frames, not cuboids: leave out --engine-input and --engine-range")
        return _frame_facts(runner)
    same = any(len(output.shape) == len(tensor.shape) for output in runner.outputs)
    if len(runner.inputs) == 1 and tensor.dtype in FLOATS and len(tensor.shape) in (4, 5) and same:
        return _cuboid_facts(runner, told)
    raise EngineError(f"{runner.path} does not fit: it has {runner.describe()}; {WANTED}")


def _check_metadata(runner: EngineFile) -> None:
    written = metadata_integer(runner, "format")
    if written is not None and written > FORMAT:
        raise EngineError(f"{runner.path} was written by a newer pixelfast (format {written}); update pixelfast")
    kind = runner.metadata.get("pixelfast.kind", "ae")
    if kind == "motion":
        raise EngineError(
            f"{runner.path} is a motion engine, which does not know its flow alone: name its model folder"
        )
    if kind != "ae":
        raise EngineError(f"{runner.path} is a {kind} engine, not a reconstruction engine; name ae.onnx or the folder")


def _frame_facts(runner: EngineFile) -> WindowFacts:
    batch, static_height, static_width = runner.inputs[0].shape
    _, static_window, static_grid, _ = runner.outputs[0].shape
    window, height, width, grid = _sizes(
        runner, window=static_window, height=static_height, width=static_width, grid=static_grid
    )
    stride = metadata_integer(runner, "stride", most=MOST_STRIDE) or 1
    precision = runner.metadata.get("pixelfast.precision", "fp32")
    return WindowFacts("frames", window, height, width, grid, stride, batch, runner.best, precision=precision)


def _cuboid_facts(runner: EngineFile, told: Told) -> WindowFacts:
    form, static = cuboid_format(runner, told)
    window, height, width = _sizes(runner, **dict(zip(("window", "height", "width"), static, strict=True)))
    output = reconstruction_of(runner)
    if output is None:
        raise EngineError(f"{runner.path} gives no reconstruction: it has {runner.describe()}; {WANTED}")
    if isinstance(runner, OnnxRunner):
        runner.put_first(output)
    batch, grid = runner.inputs[0].shape[0], largest_grid(height, width)
    return WindowFacts("cuboids", window, height, width, grid, None, batch, runner.best, cuboids=form)


def _sizes(runner: EngineFile, **found: int | None) -> list[int]:
    """The sizes of the shapes, by name; those that are open there are read from the metadata."""
    sizes = []
    for name, static in found.items():
        size = static if static is not None else metadata_integer(runner, name)
        if size is None or size < 1:
            hint = f"export it with static sizes, or with the metadata pixelfast.{name}"
            raise EngineError(f"{runner.path} does not tell its {name}: it has {runner.describe()}; {hint}")
        sizes.append(size)
    if max(sizes) > MOST_PIXELS or math.prod(sizes[:3]) > _MOST_VALUES:
        told = ", ".join(f"{name} {size}" for name, size in zip(found, sizes, strict=True))
        raise EngineError(f"{runner.path} takes more than memory holds: {told}; export it for smaller frames")
    return sizes


def largest_grid(height: int, width: int) -> int:
    """The most cells a side, at most 8, that divide a frame of `height` x `width` pixels evenly."""
    return next(grid for grid in range(GRID, 0, -1) if height % grid == 0 and width % grid == 0)
