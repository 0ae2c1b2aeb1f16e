"""Anybody's autoencoder of cuboids: how its axes lie, in which values it speaks, and what shows that it is none."""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from operator import itemgetter
from typing import Any, Final, NamedTuple, NoReturn, get_args

import numpy as np
from numpy.typing import NDArray

from pixelfast.errors import EngineError
from pixelfast.options import EngineInput, EngineRange
from pixelfast.runtime.onnx import OnnxRunner
from pixelfast.runtime.runner import EngineFile, Tensor

FLOATS: Final = ("float32", "float16")
CHANNEL_AXES: Final = (1, 2, 4)
"""Where a fifth axis of size 1 may stand: [B, 1, T, H, W], [B, T, 1, H, W], [B, T, H, W, 1]."""

_ENDS: Final[dict[EngineRange, tuple[float, float]]] = {"0..1": (0, 1), "-1..1": (-1, 1), "0..255": (0, 255)}
_NO_PICTURES: Final = {"logits", "mask", "segmentation", "heatmap", "flow", "residual", "difference"}
# A range fits when it makes the reconstruction so many times better than another does.
_CLEARLY: Final = 4.0
# How far beyond 0..1 a reconstruction may reach, as those of networks without a last sigmoid do.
_MARGIN: Final = 0.5

Run = Callable[["CuboidFormat", NDArray[np.float32]], NDArray[np.float32]]
"""From a format and cuboids f32[B, T, H, W] in [0, 1] to the same as the engine reconstructs them."""


class Told(NamedTuple):
    """What the caller says of an engine of cuboids; None where the file's metadata, or its looks, are to tell."""

    input: EngineInput | None = None
    range: EngineRange | None = None

    def or_metadata(self, engine: EngineFile) -> "Told":
        """The same, what is not said read from `pixelfast.input` and `pixelfast.range` where the file has them.

        Raises:
            EngineError: the metadata hold no such layout or range.
        """
        own_input, own_range = (_written(engine, *one) for one in (("input", EngineInput), ("range", EngineRange)))
        return Told(self.input or own_input, self.range or own_range)


UNTOLD: Final = Told()


@dataclass(frozen=True)
class CuboidFormat:
    """How an engine wants its cuboids, and gives them back.

    Attributes:
        layout: "nchw" has T before H and W, "nhwc" behind them.
        channel: the axis of size 1 beside B, T, H and W; None where there is none.
        dtype: of the input.
        takes: the values of black and white that it is fed.
        gives: those that it gives.
        sure: whether somebody said so.
    """

    layout: EngineInput = "nchw"
    channel: int | None = None
    dtype: str = "float32"
    takes: EngineRange = "0..1"
    gives: EngineRange = "0..1"
    sure: bool = False

    def feed(self, cuboids: NDArray[np.float32]) -> NDArray[Any]:
        """What the engine takes for cuboids f32[B, T, H, W] in [0, 1]."""
        low, high = _ENDS[self.takes]
        fed = cuboids if self.takes == "0..1" else cuboids * np.float32(high - low) + np.float32(low)
        fed = fed.transpose(0, 2, 3, 1) if self.layout == "nhwc" else fed
        fed = fed if self.channel is None else np.expand_dims(fed, self.channel)
        return np.ascontiguousarray(fed, self.dtype)

    def read(self, reconstruction: NDArray[Any]) -> NDArray[np.float32]:
        """The cuboids f32[B, T, H, W] in [0, 1] that the engine gives."""
        found = reconstruction if self.channel is None else reconstruction.squeeze(self.channel)
        found = (found.transpose(0, 3, 1, 2) if self.layout == "nhwc" else found).astype(np.float32, copy=False)
        low, high = _ENDS[self.gives]
        found = found if self.gives == "0..1" else (found - np.float32(low)) / np.float32(high - low)
        return np.ascontiguousarray(found)

    def facts(self) -> dict[str, Any]:
        """What of it changes raw scores."""
        usual = CuboidFormat()
        names = ("layout", "takes", "gives")
        return {name: getattr(self, name) for name in names if getattr(self, name) != getattr(usual, name)}


def cuboid_format(engine: EngineFile, told: Told) -> tuple[CuboidFormat, tuple[int | None, ...]]:
    """How a file that takes floats of 4 or 5 axes wants cuboids, and its T, H and W, None where they are open.

    Raises:
        EngineError: the file looks like something else, and nobody says that it is not.
    """
    told, tensor = told.or_metadata(engine), engine.inputs[0]
    shape = tensor.shape
    channel = next((axis for axis in CHANNEL_AXES if len(shape) == 5 and shape[axis] == 1), None)
    if len(shape) == 5 and channel is None:
        raise EngineError(
            f"{engine.path} does not fit: it has {engine.describe()}, and none of axes 1, 2 and 4 has the size 1: "
            "frames are grey, so it seems to be made for color"
        )
    sizes = tuple(size for axis, size in enumerate(shape) if axis not in (0, channel))
    layout = told.input or "nchw"
    last = layout == "nhwc" and channel != 4  # T stands last already where the channel does not
    if told.input is None and "pixelfast.window" not in engine.metadata and (looks := _looks(tensor, sizes)):
        raise EngineError(
            f"{engine.path} {looks}: it has {engine.describe()}. If it takes grey frames, say where its T stands with "
            "--engine-input nchw ([B, T, H, W]) or nhwc ([B, H, W, T])"
        )
    known = told.range or "0..1"
    form = CuboidFormat("nhwc" if last else "nchw", channel, tensor.dtype, known, known, told.range is not None)
    return form, (sizes[2], *sizes[:2]) if last else sizes


def reconstruction_of(engine: EngineFile) -> int | None:
    """Which output has the input's shape: of several the one whose sizes are known, or that is called so; else None."""
    shape = engine.inputs[0].shape
    fitting = [
        (sum(size is not None for size in output.shape), "rec" in output.name.lower(), -index)
        for index, output in enumerate(engine.outputs if isinstance(engine, OnnxRunner) else engine.outputs[:1])
        if output.dtype in FLOATS
        and len(output.shape) == len(shape)
        and all(None in pair or pair[0] == pair[1] for pair in zip(output.shape, shape, strict=True))
    ]
    return -max(fitting)[2] if fitting else None


def checked_ranges(engine: EngineFile, form: CuboidFormat, size: tuple[int, int, int], run: Run) -> CuboidFormat:
    """The format with the values that the engine takes and gives, by what comes back of a cuboid that is drawn here.

    Args:
        engine: the file.
        form: as far as it is known.
        size: T, H and W.
        run: gives the engine's cuboids f32[1, T, H, W] for such ones, under a format.

    Raises:
        EngineError: what comes back is no reconstruction in 0..1, and nobody said in which range it is one.
    """
    drawn = _drawn(*size)
    given, spread = run(form, drawn), float(drawn.var())

    def error(tried: CuboidFormat) -> float:
        with np.errstate(over="ignore", invalid="ignore"):
            found = float(np.mean(np.square(run(tried, drawn) - drawn, dtype=np.float64)))
        return found if np.isfinite(found) else np.inf

    if not np.isfinite(given).all():
        return form  # said when a frame is scored, with its name
    low, high = (float(end) for end in np.percentile(given, (1, 99)))
    pictures = low > -_MARGIN and high < 1 + _MARGIN and not _words(engine.outputs[0]) & _NO_PICTURES
    own = error(form)
    if not form.sure and pictures and own <= spread:
        return form
    ranges = (form.gives,) if form.sure else get_args(EngineRange)
    least, found = min(((error(tried), tried) for tried in _formats(form, ranges)), key=itemgetter(0))
    if least * _CLEARLY < own and (form.sure or least < spread / 2):
        return found if form.sure else _refuse_range(engine, found)
    return form if form.sure or pictures else _refuse_values(engine, low, high)


def _refuse_range(engine: EngineFile, found: CuboidFormat) -> NoReturn:
    other = found.gives if found.gives != "0..1" else found.takes
    raise EngineError(
        f"{engine.path} seems to take frames in {found.takes} and to give them in {found.gives}, not both in 0..1: "
        f"say so with --engine-range {other}"
    )


def _refuse_values(engine: EngineFile, low: float, high: float) -> NoReturn:
    raise EngineError(
        f"{engine.path} seems to give no reconstruction: its {engine.outputs[0].name} lies in {low:.3g} to {high:.3g} "
        "for frames in 0..1. If it is one, say --engine-range 0..1"
    )


def _formats(form: CuboidFormat, ranges: Iterable[EngineRange]) -> Iterator[CuboidFormat]:
    """The format with each range on both sides, and on either side of an engine that converts by itself."""
    for one in ranges:
        for takes, gives in ((one, one), ("0..1", one), (one, "0..1")):
            yield replace(form, takes=takes, gives=gives)


def _drawn(window: int, height: int, width: int) -> NDArray[np.float32]:
    """A cuboid f32[1, T, H, W] from black to white: smooth waves that wander, so that any autoencoder is near it."""
    t, y, x = np.ogrid[:window, :height, :width]
    waves = np.sin(2 * np.pi * (x / width + t / 200)) + np.sin(np.pi * (y / height + t / 200))
    low, high = waves.min(), waves.max()
    return np.asarray((waves - low) / max(high - low, 1e-6), np.float32)[None]


def _words(tensor: Tensor) -> set[str]:
    return set(re.findall("[a-z0-9]+", tensor.name.lower()))


def _looks(tensor: Tensor, sizes: Sequence[int | None]) -> str | None:
    """What the axes behind the batch seem to be, as a clause, where they do not seem to be T, H and W."""
    words, (first, _, last) = _words(tensor), sizes
    if 3 in (first, last) or words & {"rgb", "bgr"}:
        return "does not fit: it seems to be an autoencoder of RGB pictures, and frames here are grey"
    if words & {"nhwc", "bhwt"} or (first is not None and last is not None and last < first):
        return "does not fit: it seems to take its axes channels-last, or features instead of frames"
    return None


def _written(engine: EngineFile, name: str, kind: Any) -> Any:
    text, known = engine.metadata.get(f"pixelfast.{name}"), get_args(kind)
    if text is not None and text not in known:
        raise EngineError(f"{engine.path}: its metadata pixelfast.{name} is {text!r}, not one of {', '.join(known)}")
    return text
