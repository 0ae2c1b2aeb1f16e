"""The density method on one video: frames in, maps, scores and reasons out."""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import nullcontext
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from pixelfast.cleaning.cleaned import Cleaned
from pixelfast.errors import EngineError, PixelfastError
from pixelfast.machine.readahead import Readahead
from pixelfast.machine.stopwatch import Stopwatch
from pixelfast.methods.base import EngineChoice, ErrorsOf, Features, Judged, Maps, Opening
from pixelfast.methods.density.alarms import promise
from pixelfast.methods.density.cells import Cells, CellStream, smooth_cells, working_size
from pixelfast.methods.density.judging import judge, said_of
from pixelfast.methods.density.learning import Known
from pixelfast.methods.density.over_time import Values
from pixelfast.methods.density.steady import Nudge, Steady
from pixelfast.methods.density.stored import DensityFacts, known_of
from pixelfast.methods.density.streams import streams_of
from pixelfast.methods.settings import Settings
from pixelfast.options import OwnPool
from pixelfast.sources import Video
from pixelfast.sources.live import LiveVideo
from pixelfast.sources.video import FrameFormat

_AHEAD: Final = 4
"""Pieces of frames whose cells wait at most."""

_ASPECT: Final = 0.05
"""How far a picture's shape may be off the training's, as a share, before it is said."""


@dataclass(frozen=True)
class Density:
    """The method with what it learnt; see `methods.base.Method`.

    Attributes:
        facts_known: what the manifest says.
        known: what was learnt.
        picture: f32[H, W], what stands still there.
        threads: of flow and searches.
        stopwatch: gets the times of the `flow`, `cells` and `engine` phases.
    """

    facts_known: DensityFacts
    known: Known
    picture: Values
    threads: int
    stopwatch: Stopwatch
    nudged: dict[str, list[Nudge]] = field(default_factory=dict)

    stride: Final = 1

    @property
    def frame_bytes(self) -> int:
        """See `Method.frame_bytes`."""
        return self.facts_known.height * self.facts_known.width

    def facts(self) -> dict[str, Any]:
        """See `Method.facts`: all lies in the engine's file and in what the model says of it."""
        units = self.known.units
        levels = [[name, *level] for name, level in self.known.levels.items()]
        own = {"speed": units.speed, "edges": units.edges, "times": asdict(units.times), "knee": self.known.tails.knee}
        return {**own, "levels": levels, "size": [self.facts_known.height, self.facts_known.width]}

    def frames(self, video: Video) -> FrameFormat:
        """The training's working size, whatever the video's: so places and speeds are those of the training."""
        del video
        return working_frames(self.facts_known.height, self.facts_known.width)

    def maps(self, video: Video) -> "DensityMaps":
        """See `Method.maps`."""
        return DensityMaps(self, video)

    def remarks(self, video: Video, frames: int) -> list[str]:
        """Names a video whose pictures have another shape, and one that holds no motion."""
        height, width = video.size()
        own = self.facts_known
        shape, trained = width / height, own.width / own.height
        said = [f"video {video.name} has one frame, so no motion: it is scored as a still scene"] if frames == 1 else []
        for name, nudges in self.nudged.items():
            if nudges and name.startswith(video.name):
                said.append(_nudged(name, nudges, video))
        self.nudged.clear()
        if abs(shape / trained - 1) > _ASPECT:
            said.append(
                f"video {video.name} is {width}x{height}, another shape than the training's {own.width}x{own.height}: "
                "it is stretched to that, and places and directions may not fit"
            )
        return said


def _nudged(name: str, nudges: list[Nudge], video: Video) -> str:
    """What is said of a camera that moved."""
    first, more = nudges[0], f", and {len(nudges) - 1} more times" if len(nudges) > 1 else ""
    return (
        f"video {name}: from {video.describe(first.frame)} on the picture lies {first.right:+d} pixels across and "
        f"{first.down:+d} down, of the training's working image{more}: the camera was nudged, and that is made up for"
    )


def working_frames(height: int, width: int) -> FrameFormat:
    """Returns how frames are decoded; flow between frames of two sizes means nothing."""
    return FrameFormat(height, width, "grey", one_size=True)


@dataclass(frozen=True)
class DensityMaps:
    """From the frames of one video to what is said of them, streaming."""

    method: Density
    video: Video

    def run(self, cleaned: Iterable[Cleaned]) -> Iterator[Judged]:
        """Yields what is said of the frames of a whole video, in order."""
        known, threads, watch = self.method.known, self.method.threads, self.method.stopwatch
        units = known.units
        live, steady, done = isinstance(self.video, LiveVideo), Steady(self.method.picture), 0
        if not live:
            self.method.nudged[self.video.name] = steady.nudges

        def cells_of() -> Iterator[Cells]:
            return watch.works("cells", CellStream(threads, watch).run(steady.run(cleaned)))

        # The flow of the next frames is computed while these are compared with what was learnt; of live frames it is
        # not, as who gives up waiting for the next one would wait for that thread.
        with nullcontext(cells_of()) if live else Readahead(cells_of, _AHEAD) as ahead:
            cells = smooth_cells(watch.waits(ahead), units.times)
            streams = streams_of(cells, units, known.exemplars, threads, watch)
            for said in said_of(streams, known.tails, units):
                verdict = judge(said, known.levels)
                self._check_finite(verdict.raw, done)
                done += len(verdict.raw)
                reasons = known.habits.sentences(said, verdict)
                if live:
                    steady.nudges.clear()
                yield Judged(verdict.maps, verdict.raw, verdict.cell, verdict.stream, reasons)

    def _check_finite(self, raw: NDArray[np.float32], done: int) -> None:
        if not np.isfinite(raw).all():
            index = done + int(np.flatnonzero(~np.isfinite(raw))[0])
            where = f"video {self.video.name}, frame {self.video.describe(index)}"
            raise EngineError(f"the density model gives a score that is not finite in {where}: train it again")


def raw(held_out: Maps, pool: OwnPool) -> NDArray[np.float32]:
    """Returns raw scores f32[n] of what `errors_of` gives, which are raw scores f32[n, 1, 1] already."""
    del pool
    return held_out.reshape(len(held_out))


def errors_of(engine: Path, own: Mapping[str, Any], stride: int, threads: int) -> ErrorsOf:
    """Returns what makes maps of held-out features: these are the raw scores f32[n, 1, 1] of left-out videos."""
    del engine, own, stride, threads

    def errors(features: Features) -> Maps:
        return features

    return errors


def open_density(opening: Opening) -> Density:
    """Loads a density model; see `MethodSpec.open`.

    Raises:
        EngineError: the file is damaged, or of another model.
        ModelError: the file belongs to no model.
        PixelfastError: windows or a pooling were asked for, which this method does not have.
    """
    check(opening.choice, opening.settings)
    facts, known, picture = known_of(opening.choice.path, opening.choice.model)
    opening.notes.say(promise(facts.alarms))
    return Density(facts, known, picture, opening.threads, opening.stopwatch)


def check(_: EngineChoice, settings: Settings) -> None:
    """See `MethodSpec.check`: a PixelfastError where windows or a pooling are asked for."""
    if settings.stride not in (None, 1) or settings.how != "mean" or settings.pool != "mean":
        raise PixelfastError("the density method has neither windows nor poolings: leave out stride, how and pool")


def size_of(videos: Iterable[Video]) -> tuple[int, int]:
    """Returns the working size in pixels of footage: that of its first video."""
    return working_size(*next(iter(videos)).size())
