"""Frames that come one at a time, as arrays: a camera's, or those of a program."""

import math
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from pixelfast import _core
from pixelfast.errors import ArgumentError, SourceError
from pixelfast.sources.video import READ, READABLE_NOW, Chunk, Color

LiveFrames = Iterable[NDArray[np.uint8] | tuple[float, NDArray[np.uint8]]]
"""Grey frames u8[H, W] or RGB frames u8[H, W, 3], each alone or behind its time in seconds."""

_MOST_PIECE: Final = 8


class LiveVideo:
    """A video of frames that come one at a time and may never end; it can be gone through once.

    Attributes:
        name: "stream".
        length: not known.
        chunk: frames to a call of the engine.
        one_size: whether a change of size is refused.
    """

    name = "stream"
    length: Final = None

    def __init__(self, frames: LiveFrames, chunk: int) -> None:
        self.chunk, self.one_size = chunk, False
        self._frames = map(_checked, frames)
        self._first: tuple[float, NDArray[np.uint8]] | None = None

    @property
    def piece(self) -> int:
        """Returns how many frames are gone on with together: few, for those that come first wait for the others."""
        return max(1, min(_MOST_PIECE, self.chunk // 16))

    def begins(self) -> bool:
        """Waits for the first frame; False where there is none."""
        self._first = next(self._frames, None)
        return self._first is not None

    def chunks(
        self, height: int | None, width: int | None, color: Color = "grey", chunk: int = 64, threads: int | None = None
    ) -> Iterator[Chunk]:
        """Yields the frames as they come, `piece` at a time at most: see `Video.chunks`."""
        size = self.size()
        rows, columns = size if height is None or width is None else (height, width)
        done = 0
        while some := self._next(min(chunk, self.piece)):
            for index, (_, frame) in enumerate(some, done):
                if self.one_size and frame.shape[:2] != size:
                    shapes = f"{size[1]}x{size[0]} and, from frame {index} on, {frame.shape[1]}x{frame.shape[0]}"
                    raise SourceError(
                        f"the frames of the stream are not all of one size: {shapes}: begin another stream"
                    )
            frames = np.stack([_fitted(frame, rows, columns, color, threads) for _, frame in some])
            seconds = np.array([time for time, _ in some])
            yield Chunk(np.arange(done, done + len(some)), frames, np.full(len(some), READ, np.uint8), seconds)
            done += len(some)

    def describe(self, index: int) -> str:
        """Returns the number of a frame."""
        return f"frame {index} of the stream"

    def explain(self, index: int) -> str:
        """Returns that it can be read: see `Video.explain`."""
        del index
        return READABLE_NOW

    def fingerprint(self) -> bytes:
        """Returns nothing, for there are no files."""
        return b""

    def size(self) -> tuple[int, int]:
        """Returns height and width in pixels of the first frame, for which it waits: see `Video.size`."""
        if self._first is None and not self.begins():
            raise SourceError("the stream ends before its first frame")
        assert self._first is not None, "it has begun"
        height, width = self._first[1].shape[:2]
        return height, width

    def _next(self, count: int) -> list[tuple[float, NDArray[np.uint8]]]:
        first = [] if self._first is None else [self._first]
        self._first = None
        return [*first, *islice(self._frames, count - len(first))]


def _checked(given: Any) -> tuple[float, NDArray[np.uint8]]:
    """A frame, copied, for cameras fill the same array again and again, with its time, NaN where there is none."""
    time, frame = given if isinstance(given, tuple) and len(given) == 2 else (math.nan, given)
    shape = getattr(frame, "shape", ())
    if getattr(frame, "dtype", None) != np.uint8 or not (len(shape) == 2 or shape[2:] == (3,)) or 0 in shape:
        what = f"{frame.dtype} {list(shape)}" if isinstance(frame, np.ndarray) else type(frame).__name__
        raise ArgumentError(f"a frame of a stream must be uint8 [H, W] (grey) or [H, W, 3] (RGB), not {what}")
    try:
        seconds = float(time)
    except (TypeError, ValueError):
        raise ArgumentError(f"the time of a frame must be seconds, not {time!r}") from None
    return seconds, np.array(frame)


def _fitted(frame: NDArray[np.uint8], height: int, width: int, color: Color, threads: int | None) -> NDArray[np.uint8]:
    """A frame as the decoder gives it from a file: of this size, and grey or RGB."""
    if frame.ndim == 3 and color == "grey":
        size = frame.shape[:2]
        frame = _core.resize_planes([frame.reshape(-1)], 3 * size[1], size, *size, bits=24, threads=1)[0]
    planes = np.ascontiguousarray(np.moveaxis(frame, -1, 0)) if frame.ndim == 3 else np.ascontiguousarray(frame)[None]
    if planes.shape[1:] != (height, width):
        planes = _core.resize_frames(planes, height, width, threads)
    if color == "grey":
        return np.asarray(planes[0])
    return np.ascontiguousarray(np.moveaxis(np.broadcast_to(planes, (3, height, width)), 0, -1))
