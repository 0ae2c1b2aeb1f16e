"""The reconstruction method on one video: frames in, error maps out."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pixelfast import _core
from pixelfast.cleaning.cleaned import Cleaned, Frames
from pixelfast.errors import EngineError
from pixelfast.machine.stopwatch import Stopwatch
from pixelfast.methods.base import EngineChoice, ErrorsOf, Features, Maps, Opening
from pixelfast.methods.overlap import Overlap
from pixelfast.methods.reconstruction.engine import WindowEngine, load_window_engine
from pixelfast.methods.reconstruction.foreign import Told
from pixelfast.methods.reconstruction.windows import WindowCutter, WindowEnd
from pixelfast.methods.settings import Settings
from pixelfast.model import Model
from pixelfast.options import OwnPool
from pixelfast.sources import FolderVideo, PictureFile, Video
from pixelfast.sources.live import LiveVideo
from pixelfast.sources.video import FrameFormat
from pixelfast.training.cache import FrameCache


class Reconstruction:
    """The method with its engine; see `methods.base.Method`.

    The stopwatch gets the times of the `engine` and `aggregate` phases.
    """

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
        known |= facts.cuboids.facts() if facts.cuboids is not None else {}
        return known if facts.precision == "fp32" else {**known, "precision": facts.precision}

    def frames(self, video: Video) -> FrameFormat:
        """The engine's size, whatever the video has."""
        del video
        return FrameFormat(self.engine.facts.height, self.engine.facts.width)

    def maps(self, video: Video) -> "ErrorMaps":
        """See `Method.maps`; the first video begins the run."""
        live = isinstance(video, LiveVideo)
        begins, self._begins = self._begins and not live, self._begins and live
        chunk = video.chunk if isinstance(video, LiveVideo) else self.settings.chunk
        cutter = WindowCutter(self.engine, self.stride, chunk, self.stopwatch, begins=begins, live=live)
        aggregator = _core.OverlapAggregator(self.engine.facts.window, self.stride, self.settings.how)
        return ErrorMaps(
            cutter, aggregator, self.stopwatch, lambda index: f"video {video.name}, frame {video.describe(index)}"
        )

    def remarks(self, video: Video, frames: int) -> list[str]:
        """Names a video that is shorter than a window, and one whose frames are of several sizes."""
        facts, notes = self.engine.facts, list[str]()
        if frames < facts.window:
            notes.append(
                f"video {video.name} has {frames} frames, fewer than the engine's {facts.window}: padded by its last "
                "frame"
            )
        sizes = video.sizes if isinstance(video, FolderVideo | PictureFile) else {}
        if len(sizes) > 1:
            first, second = [f"{width}x{height} ({path})" for (height, width), path in sizes.items()][:2]
            notes.append(
                f"video {video.name} has frames of {len(sizes)} sizes, such as {first} and {second}: all are scaled to "
                f"{facts.width}x{facts.height} pixels, and where the size changes, scores may rise"
            )
        return notes


@dataclass(eq=False)
class ErrorMaps:
    """Engine and aggregation: from the frames of one video to its error maps, streaming."""

    cutter: WindowCutter
    aggregator: _core.OverlapAggregator
    stopwatch: Stopwatch
    place: Callable[[int], str]
    _start: int = 0

    def run(self, cleaned: Iterable[Cleaned]) -> Iterator[Maps]:
        """Yields the maps f32[m, G, G] of the frames of a whole video, in order, as they are finished."""
        return self.errors(frames for frames, _ in cleaned)

    def errors(self, frames: Iterable[Frames]) -> Iterator[Maps]:
        """Yields the same from frames u8[n, H, W] of the engine's size."""
        for some in frames:
            for errors in self.cutter.push(some):
                yield self._push(errors)
        yield self._finish(self.cutter.finish())

    def _push(self, errors: Maps) -> Maps:
        self._check_finite(errors, self._start)
        self._start += len(errors) * self.cutter.stride
        with self.stopwatch.phase("aggregate", errors.nbytes):
            return self.aggregator.push(errors)

    def _finish(self, end: WindowEnd) -> Maps:
        maps = [self._push(end.errors)]
        if end.anchored is not None:
            self._check_finite(end.anchored, end.frames - self.cutter.window)
        with self.stopwatch.phase("aggregate"):
            maps.append(self.aggregator.finish(end.anchored, end.padded))
        joined = np.concatenate(maps)
        return joined[: len(joined) - (end.padded - end.frames)]

    def _check_finite(self, errors: Maps, start: int) -> None:
        """Refuses a value that is not finite; `start` is the index of the first window's first frame."""
        if np.isfinite(errors).all():
            return
        window, offset = np.argwhere(~np.isfinite(errors))[0, :2]
        index = start + int(window) * self.cutter.stride + int(offset)
        raise EngineError(
            f"{self.cutter.engine.path} gives an error that is not finite in {self.place(index)}: the engine is "
            "damaged or was exported at too low a precision; export it again"
        )


def raw(maps: Maps, pool: OwnPool) -> NDArray[np.float32]:
    """Returns the mean over the cells of each map, or of the three worst."""
    return _core.pool(maps, pool, threads=1)


def errors_of(engine: Path, own: Mapping[str, Any], stride: int, threads: int) -> ErrorsOf:
    """Returns what makes error maps of the held-out frames u8[n, H, W] of a video; see `MethodSpec.errors_of`."""
    del own
    loaded, watch = load_window_engine(engine, threads), Stopwatch()

    def errors(frames: Features) -> Maps:
        cutter = WindowCutter(loaded, stride, Settings.chunk, watch)
        aggregator = _core.OverlapAggregator(loaded.facts.window, stride, "mean")
        maps = ErrorMaps(cutter, aggregator, watch, lambda index: f"held-out frame {index}")
        return np.concatenate(list(maps.errors([np.ascontiguousarray(frames)])))

    return errors


def held_out(model: Model, cache: FrameCache, threads: int) -> Iterator[tuple[str, NDArray[np.uint8]]]:
    """Yields the name and the held-out frames u8[n, H, W] of each video, under the mask; see `MethodSpec.held_out`."""
    del threads
    yield from cache.painted(model.manifest.reading.mask).held_out()


def open_reconstruction(opening: Opening) -> Reconstruction:
    """Loads the engine; see `MethodSpec.open`.

    Raises:
        EngineError: the engine cannot be loaded, does not fit its model, or the stride does not fit it.
    """
    choice, settings = opening.choice, opening.settings
    told = Told(settings.engine_input, settings.engine_range)
    engine = load_window_engine(choice.path, opening.threads, choice.origin, told=told)
    _check_fit(engine, choice)
    opening.say_precision(engine.facts.precision)
    opening.say_remarks(engine)
    window = engine.facts.window
    stride = settings.stride if settings.stride is not None else engine.facts.stride or 1
    _check_stride(stride, window)
    return Reconstruction(engine, settings, stride, opening.stopwatch)


def overlap(method: Reconstruction) -> Overlap:
    """See `MethodSpec.overlap`: whole windows around each frame, none of them anchored at an end that is none."""
    window = method.engine.facts.window
    return Overlap(window, window, method.stride)


def check(choice: EngineChoice, settings: Settings) -> None:
    """See `MethodSpec.check`: an EngineError where the stride is longer than the window that a model tells."""
    if settings.stride is not None and choice.model is not None:
        _check_stride(settings.stride, choice.model.manifest.window)
    elif settings.stride is not None and settings.stride < 1:
        raise EngineError(f"stride must be at least 1, not {settings.stride}: windows lie so many frames apart")


def _check_stride(stride: int, window: int) -> None:
    if not 1 <= stride <= window:
        raise EngineError(f"stride must be 1 to {window}, the engine's window, not {stride}: else frames are left out")


def _check_fit(engine: WindowEngine, choice: EngineChoice) -> None:
    if choice.model is None:
        return
    found, wanted = (
        f"windows of {some.window} frames of {some.height}x{some.width} pixels"
        for some in (engine.facts, choice.model.manifest)
    )
    if found != wanted:
        raise EngineError(
            f"{choice.path} takes {found}, but the model beside it was made for {wanted}: export the engine again"
        )
