"""From the frames of one video to its flows, streaming."""

from collections.abc import Iterable, Iterator
from typing import Final

import numpy as np
from numpy.typing import NDArray

from pixelfast.cleaning.cleaned import Cleaned, Frames
from pixelfast.cleaning.frozen import FROZEN_FRAMES
from pixelfast.flow.engine import FlowEngine
from pixelfast.geometry import FLOW_SIZE
from pixelfast.machine.stopwatch import Stopwatch
from pixelfast.sources import Video
from pixelfast.sources.video import FrameFormat

Flows = NDArray[np.float32]

_AT_ONCE: Final = 256  # flows of 32 KiB


def flow_frames(flow: FlowEngine, video: Video) -> FrameFormat:
    """How the frames of `video` are decoded for a flow engine."""
    return FrameFormat(*flow.size(*video.size()), flow.color, one_size=True)


class FlowStream:
    """Flow engine: from the frames of one video to its flows, streaming.

    Frames that are not usable are bridged: the flow between the usable frames around them is spread evenly, so that
    nothing seems to stop and jump. What lies before the first flow or after the last one moves as that does, and so
    does a stretch that is too long to be bridged: a frozen camera tells nothing about how things moved meanwhile.
    """

    def __init__(self, flow: FlowEngine, stopwatch: Stopwatch) -> None:
        self._flow = flow
        self._watch = stopwatch
        self._anchor: Frames | None = None  # the last usable frame, u8[1, ...]
        self._lead = 0  # frames before the first flow
        self._passed_over = 0  # frames since the anchor, or before any
        self._ahead = 0  # of these, how many flows were given out before it was known what comes next
        self._last: Flows | None = None  # f32[1, 2, 64, 64]

    def run(self, cleaned: Iterable[Cleaned]) -> Iterator[Flows]:
        """Yields the flows f32[m, 2, 64, 64] between all neighbouring frames of a video, in order; m may be 0."""
        for some in cleaned:
            index = np.flatnonzero(some.usable)
            if len(index):
                yield from self._flows(some.frames[index], np.diff(index, prepend=-1))
                self._passed_over = 0
            self._passed_over += len(some.frames) - 1 - int(index[-1]) if len(index) else len(some.frames)
            yield from self._unbridged()
        yield from self._rest()

    def _flows(self, frames: Frames, steps: NDArray[np.int64]) -> Iterator[Flows]:
        """The flows up to the last of these usable frames, which lie so many frames after the one before each."""
        steps[0] += self._passed_over
        if self._anchor is None:
            self._lead, steps = int(steps[0]) - 1, steps[1:]
        else:
            frames = np.concatenate([self._anchor, frames])
        self._anchor = frames[-1:].copy()
        if not len(steps):
            return
        with self._watch.phase("flow", frames.nbytes):
            flows = self._flow.flow(frames)
        while self._last is None and len(steps) and steps[0] > FROZEN_FRAMES:
            self._lead, steps, flows = self._lead + int(steps[0]), steps[1:], flows[1:]
        if not len(steps):
            return
        if steps.max() > 1:
            flows = np.divide(flows, steps.reshape(-1, 1, 1, 1).astype(np.float32))
            for index in np.flatnonzero(steps > FROZEN_FRAMES).tolist():
                flows[index] = flows[index - 1] if index or self._last is None else self._last
        self._last = flows[-1:].copy()
        steps[0] -= self._ahead
        self._ahead = 0
        lead, self._lead = self._lead, 0
        if lead:
            flows, steps = np.concatenate([flows[:1], flows]), np.concatenate([[lead], steps])
        yield from _repeated(flows, steps)

    def _unbridged(self) -> Iterator[Flows]:
        """The flows of a stretch that is too long to be bridged by now: whatever ends it, they are the last one."""
        if self._last is not None and self._passed_over >= FROZEN_FRAMES:
            more, self._ahead = self._passed_over - self._ahead, self._passed_over
            yield from _repeated(self._last, np.array([more]))

    def _rest(self) -> Iterator[Flows]:
        if self._last is not None:
            return _repeated(self._last, np.array([self._passed_over - self._ahead]))
        left = self._lead + self._passed_over - (self._anchor is None)
        return _repeated(np.zeros((1, 2, FLOW_SIZE, FLOW_SIZE), np.float32), np.array([max(0, left)]))


def _repeated(flows: Flows, times: NDArray[np.int64]) -> Iterator[Flows]:
    """Each flow so many times, a bounded number at once: a camera may be frozen for hours."""
    if times.sum() <= _AT_ONCE:
        yield flows if times.max() == times.min() == 1 else np.repeat(flows, times, axis=0)
        return
    for index, count in enumerate(times.tolist()):
        for done in range(0, count, _AT_ONCE):
            yield np.repeat(flows[index : index + 1], min(_AT_ONCE, count - done), axis=0)


def no_flows() -> Flows:
    """Returns f32[0, 2, 64, 64]."""
    return np.zeros((0, 2, FLOW_SIZE, FLOW_SIZE), np.float32)
