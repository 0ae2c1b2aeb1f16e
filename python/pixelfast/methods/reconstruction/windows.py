"""Cuts a video's frames into what the engine takes: overlapping chunks, and the anchored last window."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pixelfast.machine.stopwatch import Stopwatch
from pixelfast.methods.reconstruction.engine import WindowEngine

Errors = NDArray[np.float32]


@dataclass(frozen=True)
class WindowEnd:
    """What the aggregator needs at the end of a video.

    Attributes:
        errors: f32[W, T, G, G], the windows not given out before; W may be 0.
        anchored: f32[1, T, G, G], the window of the last T frames, where the stride misses it; else None.
        frames: N, the video's frames, before any padding.
        padded: N, or T for a shorter video, which is padded by its last frame.
    """

    errors: Errors
    anchored: Errors | None
    frames: int
    padded: int


class WindowCutter:
    """Feeds the engine with chunks that overlap by T - S frames; the results do not depend on the chunk's size.

    Args:
        engine: what turns frames into window errors.
        stride: S, frames between the starts of windows, 1 to T.
        chunk: frames to a call of the engine, about; at least T, and as many as keep a GPU busy.
        stopwatch: gets the time of the `engine` phase.
        live: whether frames come as a camera gives them, so that no call may wait for more than `chunk`.
        begins: whether the run begins with this video: the first call takes few frames, instead of waiting for more,
            and each further one twice as many; how many, the engine says.
    """

    def __init__(
        self,
        engine: WindowEngine,
        stride: int,
        chunk: int,
        stopwatch: Stopwatch,
        *,
        begins: bool = False,
        live: bool = False,
    ) -> None:
        self.engine = engine
        self.stride = stride
        self.window = engine.facts.window
        self._stopwatch = stopwatch
        self._most = self._whole_windows(chunk if live else max(chunk, engine.facts.best or 0))
        least = engine.facts.least if begins else None
        self._fed = self._most if least is None else min(self._whole_windows(least), self._most)
        # The last T frames are kept, for the anchored window; the next window starts among them or right after.
        self._buffer = np.empty((self._most + self.window, engine.facts.height, engine.facts.width), np.uint8)
        self._held = 0
        self._base = 0
        self._next = 0

    def push(self, frames: NDArray[np.uint8]) -> Iterator[Errors]:
        """Takes the next frames u8[n, H, W]; yields f32[W, T, G, G] each time that a chunk is full."""
        while len(frames):
            taken = frames[: len(self._buffer) - self._held]
            self._buffer[self._held : self._held + len(taken)] = taken
            self._held += len(taken)
            frames = frames[len(taken) :]
            while self._base + self._held - self._next >= self._fed:
                yield self._feed(self._fed)
                self._fed = min(self._whole_windows(2 * self._fed), self._most)
            self._drop()

    def finish(self) -> WindowEnd:
        """The rest of the video, which must have had at least one frame."""
        frames = self._base + self._held
        if frames < self.window:
            self._buffer[frames : self.window] = self._buffer[frames - 1]
            self._held = self.window
            return WindowEnd(self._feed(self.window), None, frames, self.window)
        rest = frames - self._next
        windows = (rest - self.window) // self.stride + 1 if rest >= self.window else 0
        grid = self.engine.facts.grid
        none = np.zeros((0, self.window, grid, grid), np.float32)
        errors = self._feed((windows - 1) * self.stride + self.window) if windows else none
        if (frames - self.window) % self.stride == 0:
            return WindowEnd(errors, None, frames, frames)
        return WindowEnd(errors, self._errors(self._buffer[self._held - self.window : self._held]), frames, frames)

    def _whole_windows(self, frames: int) -> int:
        """About so many frames, at least one window, that leave no frame over."""
        return max(0, frames - self.window) // self.stride * self.stride + self.window

    def _feed(self, count: int) -> Errors:
        start = self._next - self._base
        errors = self._errors(self._buffer[start : start + count])
        self._next += len(errors) * self.stride
        return errors

    def _errors(self, frames: NDArray[np.uint8]) -> Errors:
        with self._stopwatch.phase("engine", frames.nbytes):
            return self.engine.errors(frames, self.stride)

    def _drop(self) -> None:
        """Forgets all frames that neither the next window nor the anchored one can need."""
        unused = min(self._next - self._base, self._held - self.window)
        if unused > 0:
            self._held -= unused
            self._base += unused
            self._buffer[: self._held] = self._buffer[unused : unused + self._held]
