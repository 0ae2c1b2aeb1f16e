"""The choices that several parts of the program share, as types."""

from typing import Literal

FlipMode = Literal["auto", "always", "never"]


How = Literal["mean", "max", "median"]


Pool = Literal["mean", "worst"]


OnError = Literal["repair", "raise"]
