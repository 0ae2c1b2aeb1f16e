"""The choices that several parts of the program share, as types."""

from typing import Literal

How = Literal["mean", "max", "median"]
"""How the windows that hold a frame are combined."""

Pool = Literal["mean", "worst"]
"""From the cells of a frame's error map to its raw score: their mean, or that of the three worst."""

FlipMode = Literal["auto", "always", "never"]
"""What is done about frames that stand upside down."""

OnError = Literal["repair", "insist", "raise"]
"""What is done about frames that cannot be read: "insist" repairs them however many they are."""

EngineInput = Literal["nchw", "nhwc"]
"""Where somebody else's autoencoder has the frames of a window: before height and width, or behind them."""

EngineRange = Literal["0..1", "-1..1", "0..255"]
"""The values of black and white that somebody else's autoencoder takes and gives."""

TrainingPrecision = Literal["fp32", "bf16"]
"""The arithmetic of a training."""

Submission = Literal["rank", "score"]
"""What a file for submission holds of each frame."""
