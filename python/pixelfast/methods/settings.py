"""What a run of scoring was asked to do."""

from dataclasses import dataclass
from typing import Final, get_args

from pixelfast.arguments import MOST_SMOOTH, whole
from pixelfast.errors import ArgumentError
from pixelfast.options import FlipMode, How, OnError, Pool

MOST_CHUNK: Final = 16_384
"""Frames to a call of the engine: 256 MiB of them at 128x128; no engine gets faster long before."""


@dataclass(frozen=True)
class Settings:
    """The settings of a run; see `pixelfast.score` for their meaning.

    Attributes:
        stride: frames between the starts of windows; None for the engine's own.
        smooth: frames of the centred mean, odd; None for the method's own.
        chunk: frames to a call of the engine.
    """

    stride: int | None = None
    how: How = "mean"
    pool: Pool = "mean"
    smooth: int | None = None
    flip: FlipMode = "auto"
    on_error: OnError = "repair"
    maps: bool = False
    chunk: int = 64

    def check(self) -> None:
        """Refuses values that mean nothing, before any work is done.

        Raises:
            ArgumentError: naming the setting, what it may be, and what it is.
        """
        for name, known in (("how", How), ("pool", Pool), ("flip", FlipMode), ("on_error", OnError)):
            value, allowed = getattr(self, name), get_args(known)
            if not isinstance(value, str) or value not in allowed:
                raise ArgumentError(f"{name} must be {', '.join(allowed[:-1])} or {allowed[-1]}, not {value!r}")
        if self.smooth is not None:
            if self.smooth < 1 or self.smooth % 2 == 0:
                raise ArgumentError(f"smooth must be an odd number of frames, at least 1, not {self.smooth}")
            whole("smooth", self.smooth, most=MOST_SMOOTH)
        whole("chunk", self.chunk, 1, MOST_CHUNK)
