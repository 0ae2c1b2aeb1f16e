"""Live frames through the same line: each one's result as soon as the method can know it."""

import itertools
from collections import deque
from collections.abc import Generator, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from pixelfast import _core
from pixelfast.cleaning.stage import CleanStage
from pixelfast.methods.base import Judged, Maps
from pixelfast.model import Calibration
from pixelfast.model.events import EventCurve
from pixelfast.notes import Notes
from pixelfast.options import USUAL_RATE
from pixelfast.pipeline.global_pass import middle
from pixelfast.pipeline.scoring import Stages
from pixelfast.scores.why import Explanation
from pixelfast.sources.live import LiveVideo

_Why = tuple[tuple[float, float] | None, tuple[int, int] | None, str | None, str | None]

_ENOUGH = 500
"""Frames after which it is said where the flip correction of a stream seems wrong."""


class LiveFrame(NamedTuple):
    """What is known of one frame of a stream.

    `frame` counts from 0; `seconds` is the time that came with it, None where none did. `raw` is that of `Scores`
    before the global pass, `smoothed` the centred mean that `threshold` goes with, and `above` whether it is above
    that, None where there is none. Where the method says it: the middle of the cell that speaks, in shares of the
    picture's width and height, that cell (row, column), which of its streams, and why; else None.
    """

    frame: int
    seconds: float | None
    raw: float
    smoothed: float
    above: bool | None
    flipped: bool
    repaired: bool
    noisy: bool
    frozen: bool
    where: tuple[float, float] | None = None
    cell: tuple[int, int] | None = None
    stream: str | None = None
    reason: str | None = None


@dataclass(frozen=True)
class LiveLevel:
    """What raw scores are held against.

    Attributes:
        smooth: frames of the centred mean, odd.
        calibration: gives the threshold; None where there is none.
        alarm_rate: at which normal footage may give events.
        asked: the threshold that the caller gave, which counts before that; None where none was given.
    """

    smooth: int
    calibration: Calibration | None
    alarm_rate: str = USUAL_RATE
    asked: float | None = None

    @cached_property
    def threshold(self) -> float | None:
        """Returns what a smoothed raw score must be above to be unusual; None where nobody says it."""
        if self.calibration is None or self.asked is not None:
            return self.asked
        return self.calibration.threshold_at(self.alarm_rate)

    @property
    def curve(self) -> EventCurve | None:
        """Returns how often normal footage gives events; None where nobody counted."""
        return None if self.calibration is None else self.calibration.events

    def is_above(self, smoothed: float) -> bool | None:
        """Says whether a smoothed raw score is above the threshold."""
        return None if self.threshold is None else smoothed > self.threshold


def live_frames(video: LiveVideo, stages: Stages, level: LiveLevel) -> Generator[LiveFrame, None, None]:
    """Yields what is known of each frame of a stream, in order, as soon as it is.

    All is computed on the thread that iterates, which also waits for the frames.
    """
    if not video.begins():
        return
    video.one_size = stages.method.frames(video).one_size
    # A frame is judged alike; but what was given out cannot be taken back where correction is refused.
    stage = CleanStage(video, stages.clean, "always" if stages.flip == "auto" else stages.flip)
    results, notes = _Results(stages, stage, level), Notes()
    for said in stages.method.maps(video).run(stage.run(stages.decode.chunks(video))):
        yield from results.push(said)
        if not notes and stages.flip == "auto" and results.done >= _ENOUGH and (doubt := stage.doubts()):
            notes.say(
                f"the flip correction of the stream seems wrong: {doubt}; a whole video would be left as it is: give "
                "flip='never' to leave the stream so"
            )
    yield from results.finish()


class _Results:
    """Puts together what the method, the clean stage and the smoothing say of each frame, each at its own time."""

    def __init__(self, stages: Stages, stage: CleanStage, level: LiveLevel) -> None:
        self._stages, self._stage, self._level = stages, stage, level
        self._said: deque[tuple[float, _Why]] = deque()  # by the method alone
        self._waiting: deque[LiveFrame] = deque()  # for their smoothed raw score
        self._smoothing = _Smoothing(level.smooth)
        self.done = 0

    def push(self, said: Maps | Judged) -> Iterator[LiveFrame]:
        """Takes what the method says of the next frames; yields the frames of which all is known."""
        raw = self._stages.raw(said).tolist()
        unknown = (None, *Explanation())
        whys = _explanations(said, self._stages.spec.streams) if isinstance(said, Judged) else [unknown] * len(raw)
        self._said.extend(zip(raw, whys, strict=True))
        yield from self._known()

    def finish(self) -> Iterator[LiveFrame]:
        """Yields those that wait."""
        yield from self._known(ended=True)

    def _known(self, *, ended: bool = False) -> Iterator[LiveFrame]:
        count = min(len(self._said), self._stage.known() - self.done)
        record = self._stage.take(count)
        some = [self._said.popleft() for _ in range(count)]
        self.done += count
        marks = np.stack([record.flipped, record.repaired, record.noisy, record.frozen], -1).tolist()
        seconds = itertools.repeat(np.nan) if record.seconds is None else record.seconds.tolist()
        for frame, time, own, (raw, why) in zip(record.frame.tolist(), seconds, marks, some, strict=False):
            flipped, repaired, noisy, frozen = own
            known = None if np.isnan(time) else time
            self._waiting.append(LiveFrame(frame, known, raw, 0.0, None, flipped, repaired, noisy, frozen, *why))
        raws = np.array([raw for raw, _ in some], np.float32)
        if self._stages.spec.global_pass.blind_to_still and self._level.calibration is not None:
            raws[record.frozen] = middle(np.zeros(0, np.float32), self._level.calibration)
        for value in self._smoothing.push(raws, ended=ended).tolist():
            yield self._waiting.popleft()._replace(smoothed=value, above=self._level.is_above(value))


class _Smoothing:
    """The centred mean of a video's raw scores as they come, later by half its length."""

    def __init__(self, size: int) -> None:
        self._size, self._half = size, size // 2
        self._raw = np.zeros(0, np.float32)
        self._done = 0  # of these

    def push(self, raw: NDArray[np.float32], *, ended: bool) -> NDArray[np.float64]:
        """Takes the next raw scores f32[n]; gives f64[m], the means of the next m frames."""
        self._raw = np.concatenate([self._raw, raw])
        stop = len(self._raw) - (0 if ended else self._half)
        if stop <= self._done:
            return np.zeros(0)
        means = _core.smooth(self._raw, np.array([len(self._raw)]), self._size, 1)[self._done : stop]
        gone = max(0, stop - self._half)
        self._raw, self._done = self._raw[gone:], stop - gone
        return means


def _explanations(said: Judged, streams: tuple[str, ...]) -> list[_Why]:
    rows, columns = said.maps.shape[1:]
    cells = [divmod(cell, columns) for cell in said.cell.tolist()]
    middles = [((column + 0.5) / columns, (row + 0.5) / rows) for row, column in cells]
    named = [streams[stream] for stream in said.stream.tolist()]
    return list(zip(middles, cells, named, said.reasons, strict=True))
