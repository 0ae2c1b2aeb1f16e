"""What a run of scoring was asked to do."""

from dataclasses import dataclass
from typing import Final, get_args

from pixelfast.arguments import MOST_SMOOTH, sample_bits, whole
from pixelfast.errors import ArgumentError
from pixelfast.model.events import EventRate
from pixelfast.options import USUAL_RATE, EngineInput, EngineRange, FlipMode, How, OnError, Pool, Reading

MOST_CHUNK: Final = 16_384
"""Frames to a call of the engine: 256 MiB of them at 128x128; no engine gets faster long before."""


@dataclass(frozen=True)
class Settings:
    """The settings of a run; see `pixelfast.score` for their meaning.

    Attributes:
        stride: frames between the starts of windows; None for the engine's own.
        smooth: frames of the centred mean, odd; None for the method's own.
        chunk: frames to a call of the engine.
        engine_input: of somebody else's autoencoder; None where its file says so.
        engine_range: likewise.
        orientation: whether pictures are turned as they say; None does as the model's training did.
        depth: bits that samples of more than 8 bits use; None takes the model's.
        deinterlace: whether interlaced files are made whole; None does as the model's training did.
        fps: frames a second of folders of frames; None where that is not known.
        sample_fps: frames a second to score; None takes the model's.
        alarm_rate: at which normal footage may give events, as "1/hour", "3/day" or "1/500frames".
        exact: of a folder take the float32 engine, whatever this machine runs fastest.
    """

    stride: int | None = None
    how: How = "mean"
    pool: Pool = "mean"
    smooth: int | None = None
    flip: FlipMode = "auto"
    on_error: OnError = "repair"
    chunk: int = 64
    engine_input: EngineInput | None = None
    engine_range: EngineRange | None = None
    orientation: bool | None = None
    depth: int | None = None
    deinterlace: bool | None = None
    fps: float | None = None
    sample_fps: float | None = None
    alarm_rate: str = USUAL_RATE
    exact: bool = False

    def check(self) -> None:
        """Refuses values that mean nothing, before any work is done.

        Raises:
            ArgumentError: naming the setting, what it may be, and what it is.
        """
        choices = {"how": How, "pool": Pool, "flip": FlipMode, "on_error": OnError}
        told = {"engine_input": EngineInput, "engine_range": EngineRange}
        for name, known in (choices | told).items():
            value, allowed = getattr(self, name), get_args(known)
            if not isinstance(value, str | None) or (value not in allowed and not (value is None and name in told)):
                raise ArgumentError(f"{name} must be {', '.join(allowed[:-1])} or {allowed[-1]}, not {value!r}")
        if self.smooth is not None:
            if self.smooth < 1 or self.smooth % 2 == 0:
                raise ArgumentError(f"smooth must be an odd number of frames, at least 1, not {self.smooth}")
            whole("smooth", self.smooth, most=MOST_SMOOTH)
        if self.depth is not None:
            sample_bits("depth", self.depth)
        EventRate.parse(self.alarm_rate)
        whole("chunk", self.chunk, 1, MOST_CHUNK)

    def reading(self, trained: Reading) -> Reading:
        """Returns how pictures become pixels, where a model's training did as `trained` says."""
        orientation = trained.orientation if self.orientation is None else self.orientation
        deinterlace = trained.deinterlace if self.deinterlace is None else self.deinterlace
        return Reading(orientation, self.depth or trained.depth, deinterlace, self.fps, self.sample_fps, trained.mask)
