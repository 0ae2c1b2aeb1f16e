"""The reconstruction method on one video: frames in, error maps out."""

from collections.abc import Iterable, Iterator
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from pixelfast import _core
from pixelfast.cleaning.cleaned import Cleaned
from pixelfast.errors import EngineError
from pixelfast.machine.stopwatch import Stopwatch
from pixelfast.methods.base import Maps
from pixelfast.methods.reconstruction.engine import WindowEngine
from pixelfast.methods.reconstruction.windows import WindowCutter, WindowEnd
from pixelfast.methods.settings import Settings
from pixelfast.sources import Video
from pixelfast.sources.video import FrameFormat


class Reconstruction:
    """The method with its engine; see `pipeline.method.Method`.

    Args:
        engine: the window engine.
        settings: as asked for.
        stride: the window stride, settled.
        stopwatch: gets the times of the `engine` and `aggregate` phases.
    """

    bridge_noisy: Final = False

    def __init__(self, engine: WindowEngine, settings: Settings, stride: int, stopwatch: Stopwatch) -> None:
        self.engine = engine
        self.settings = settings
        self.stride = stride
        self.stopwatch = stopwatch
        self._begins = True

    @property
    def frame_bytes(self) -> int:
        """See `Method.frame_bytes`."""
        return self.engine.facts.height * self.engine.facts.width

    def facts(self) -> dict[str, Any]:
        """See `Method.facts`."""
        facts = self.engine.facts
        known = {"stride": self.stride, "how": self.settings.how, "size": [facts.height, facts.width]}
        return known if facts.precision == "fp32" else {**known, "precision": facts.precision}

    def frames(self, video: Video) -> FrameFormat:
        """The engine's size, whatever the video has."""
        del video
        return FrameFormat(self.engine.facts.height, self.engine.facts.width)

    def maps(self, video: Video) -> "ErrorMaps":
        """See `Method.maps`."""
        begins, self._begins = self._begins, False
        return ErrorMaps(self, video, begins)

    def raw(self, maps: Maps) -> NDArray[np.float32]:
        """The mean over the cells, or of the three worst."""
        return _core.pool(maps, self.settings.pool, threads=1)

    def remarks(self, video: Video, frames: int) -> list[str]:
        """Names a video that is shorter than a window."""
        window = self.engine.facts.window
        if frames >= window:
            return []
        return [f"video {video.name} has {frames} frames, fewer than the engine's {window}: padded by its last frame"]


class ErrorMaps:
    """Engine and aggregation: from the frames of one video to its error maps, streaming."""

    def __init__(self, method: Reconstruction, video: Video, begins: bool) -> None:
        self._engine = method.engine
        self._stride = method.stride
        self._video = video
        self._watch = method.stopwatch
        self._cutter = WindowCutter(
            method.engine, method.stride, method.settings.chunk, method.stopwatch, begins=begins
        )
        self._aggregator = _core.OverlapAggregator(method.engine.facts.window, method.stride, method.settings.how)
        self._start = 0

    def run(self, cleaned: Iterable[Cleaned]) -> Iterator[Maps]:
        """Yields the maps f32[m, G, G] of the frames of a whole video, in order, as they are finished."""
        for frames, _ in cleaned:
            for errors in self._cutter.push(frames):
                yield self._push(errors)
        yield self._finish(self._cutter.finish())

    def _push(self, errors: Maps) -> Maps:
        self._check_finite(errors, self._start)
        self._start += len(errors) * self._stride
        with self._watch.phase("aggregate", errors.nbytes):
            return self._aggregator.push(errors)

    def _finish(self, end: WindowEnd) -> Maps:
        maps = [self._push(end.errors)]
        if end.anchored is not None:
            self._check_finite(end.anchored, end.frames - self._engine.facts.window)
        with self._watch.phase("aggregate"):
            maps.append(self._aggregator.finish(end.anchored, end.padded))
        joined = np.concatenate(maps)
        return joined[: len(joined) - (end.padded - end.frames)]

    def _check_finite(self, errors: Maps, start: int) -> None:
        """Refuses a value that is not finite; `start` is the index of the first window's first frame."""
        if np.isfinite(errors).all():
            return
        window, offset = np.argwhere(~np.isfinite(errors))[0, :2]
        index = start + int(window) * self._stride + int(offset)
        raise EngineError(
            f"{self._engine.path} gives an error that is not finite in video {self._video.name}, frame "
            f"{self._video.describe(index)}: the engine is damaged or was exported at too low a precision; "
            "export it again"
        )
