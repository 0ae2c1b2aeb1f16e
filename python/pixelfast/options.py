"""The choices that several parts of the program share, as types."""

from dataclasses import dataclass
from typing import Any, Final, Literal

How = Literal["mean", "max", "median"]
"""How the windows that hold a frame are combined."""

OwnPool = Literal["mean", "worst"]
"""The poolings that a method has for its own maps."""

Pool = Literal[OwnPool, "rare"]
"""From the cells of a frame's error map to its raw score: their mean, that of the three worst, or how rare the rarest
is, by what the same cell showed in held-out normal frames."""

FlipMode = Literal["auto", "always", "never"]
"""What is done about frames that stand upside down."""

OnError = Literal["repair", "insist", "raise"]
"""What is done about frames that cannot be read: "insist" repairs them however many they are."""

EngineInput = Literal["nchw", "nhwc"]
"""Where somebody else's autoencoder has the frames of a window: before height and width, or behind them."""

EngineRange = Literal["0..1", "-1..1", "0..255"]
"""The values of black and white that somebody else's autoencoder takes and gives."""


USUAL_RATE: Final = "1/hour"
"""The events that normal footage may give where nobody says otherwise."""

MOST_DEPTH = 16
"""Bits of a sample, at most."""


@dataclass(frozen=True)
class Reading:
    """How picture and video files become pixels, the same for a training and for what its model scores.

    Attributes:
        orientation: whether pictures are turned as their EXIF or TIFF orientation says.
        depth: the bits that samples of more than 8 bits use, so that 2**depth - 1 is white: 8 to 16, or 1 for
            floating-point ones of 0 to 1; None takes all that the file has, and floating-point ones as 1 does.
        deinterlace: whether interlaced frames of video files are made whole by FFmpeg's filter.
        fps: frames a second of folders of frames, whose files do not tell; None where nobody does.
        sample_fps: frames a second that are taken of footage that has more; None takes all.
        mask: what of the picture counts in no method, as `pixelfast.sources.masking` has it; None where all counts.
    """

    orientation: bool = True
    depth: int | None = None
    deinterlace: bool = False
    fps: float | None = None
    sample_fps: float | None = None
    mask: str | None = None

    def unusual(self) -> dict[str, Any]:
        """Returns what is not as usual, by name."""
        return {name: value for name, value in vars(self).items() if value != getattr(USUAL_READING, name)}


USUAL_READING: Final = Reading()


TrainingPrecision = Literal["fp32", "bf16"]
"""The arithmetic of a training."""

Submission = Literal["rank", "score"]
"""What a file for submission holds of each frame."""
