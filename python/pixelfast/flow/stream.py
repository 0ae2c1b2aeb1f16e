"""From the frames of one video to its flows, streaming."""

from collections.abc import Iterable, Iterator

import numpy as np
from numpy.typing import NDArray

from pixelfast.cleaning.cleaned import Cleaned, Frames
from pixelfast.flow.engine import FlowEngine
from pixelfast.geometry import FLOW_SIZE
from pixelfast.machine.stopwatch import Stopwatch
from pixelfast.sources import Video
from pixelfast.sources.video import FrameFormat

Flows = NDArray[np.float32]


def flow_frames(flow: FlowEngine, video: Video) -> FrameFormat:
    """How the frames of `video` are decoded for a flow engine."""
    return FrameFormat(*flow.size(*video.size()), flow.color, one_size=True)


class FlowStream:
    """Flow engine: from the frames of one video to its flows, streaming.

    Frames that are not usable are bridged: the flow between the usable frames around them is spread evenly, so that
    nothing seems to stop and jump. What lies before the first flow or after the last one moves as that does.
    """

    def __init__(self, flow: FlowEngine, stopwatch: Stopwatch) -> None:
        self._flow = flow
        self._watch = stopwatch
        self._anchor: Frames | None = None  # the last usable frame, u8[1, ...]
        self._lead = 0  # frames before the first usable one
        self._passed_over = 0  # frames since the anchor, or before any
        self._last: Flows | None = None  # f32[1, 2, 64, 64]

    def run(self, cleaned: Iterable[Cleaned]) -> Iterator[Flows]:
        """Yields the flows f32[m, 2, 64, 64] between all neighbouring frames of a video, in order; m may be 0."""
        for some in cleaned:
            index = np.flatnonzero(some.usable)
            if len(index):
                yield self._flows(some.frames[index], np.diff(index, prepend=-1))
                self._passed_over = 0
            self._passed_over += len(some.frames) - 1 - int(index[-1]) if len(index) else len(some.frames)
        yield self._rest()

    def _flows(self, frames: Frames, steps: NDArray[np.int64]) -> Flows:
        """The flows up to the last of these usable frames, which lie so many frames after the one before each."""
        steps[0] += self._passed_over
        if self._anchor is None:
            self._lead, steps = int(steps[0]) - 1, steps[1:]
        else:
            frames = np.concatenate([self._anchor, frames])
        self._anchor = frames[-1:].copy()
        if not len(steps):
            return no_flows()
        with self._watch.phase("flow", frames.nbytes):
            flows = self._flow.flow(frames)
        if steps.max() > 1:
            flows = np.repeat(flows / steps.reshape(-1, 1, 1, 1).astype(np.float32), steps, axis=0)
        self._last = flows[-1:].copy()
        lead, self._lead = self._lead, 0
        return np.concatenate([np.repeat(flows[:1], lead, axis=0), flows]) if lead else flows

    def _rest(self) -> Flows:
        if self._last is not None:
            return np.repeat(self._last, self._passed_over, axis=0)
        left = self._lead + self._passed_over - (self._anchor is None)
        return np.zeros((max(0, left), 2, FLOW_SIZE, FLOW_SIZE), np.float32)


def no_flows() -> Flows:
    """Returns f32[0, 2, 64, 64]."""
    return np.zeros((0, 2, FLOW_SIZE, FLOW_SIZE), np.float32)
