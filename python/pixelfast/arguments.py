"""Arguments of public functions, checked at the door: a wrong one gets one sentence before any work is done."""

import math
import operator
import os
from collections.abc import Callable, Iterable
from functools import partial, wraps
from inspect import signature
from numbers import Real
from pathlib import Path
from typing import Any, Final, ParamSpec, TypeVar

from pixelfast.errors import ArgumentError
from pixelfast.options import MOST_DEPTH

Check = Callable[[str, Any], Any]
"""Takes an argument's name and value, and returns the value as the work takes it, or raises an `ArgumentError`."""

MOST_SMOOTH: Final = 99_999
"""Frames of a centred mean: more than an hour at 25 a second, of which nothing would stand out."""

MOST_PIXELS: Final = 65_535
"""A side of a frame: what JPEG can hold."""

MOST_MOMENTS: Final = 500
"""On a page to look at: a hundred megabytes."""

Given = ParamSpec("Given")
Result = TypeVar("Result")


def whole(name: str, value: Any, least: int | None = None, most: int | None = None) -> int:
    """Returns a whole number as an int, NumPy's too; True and 2.0 are none.

    Raises:
        ArgumentError: it is none, or outside of `least` to `most`.
    """
    try:
        if isinstance(value, bool):
            raise TypeError
        number = operator.index(value)
    except TypeError:
        raise _wrong(name, "a whole number", value) from None
    if least is not None and number < least:
        raise ArgumentError(f"{name} must be at least {least:,}, not {number}")
    if most is not None and number > most:
        raise ArgumentError(f"{name} must be at most {most:,}, not {number}")
    return number


def sample_bits(name: str, value: Any) -> int:
    """Returns the bits of a sample of more than 8; an ArgumentError says which there are."""
    bits = whole(name, value)
    if bits != 1 and not 8 <= bits <= MOST_DEPTH:
        raise ArgumentError(
            f"{name} must be 8 to {MOST_DEPTH} bits, or 1 for floating-point samples of 0 to 1, not {bits}"
        )
    return bits


def real(name: str, value: Any) -> float:
    """Returns a number as a float, NumPy's too; True is none."""
    if isinstance(value, bool) or not isinstance(value, Real):
        raise _wrong(name, "a number", value)
    try:
        return float(value)
    except OverflowError:
        raise ArgumentError(
            f"{name} must be a number that a float can hold, not a whole one of 309 digits or more"
        ) from None


def number(name: str, value: Any, least: float = -math.inf, most: float = math.inf) -> float:
    """Returns a finite number as a float.

    Raises:
        ArgumentError: it is none, not finite, or outside of `least` to `most`.
    """
    found = real(name, value)
    if not math.isfinite(found):
        raise ArgumentError(f"{name} must be a finite number, not {value}")
    if not least <= found <= most:
        raise ArgumentError(f"{name} must be {least:g} to {most:g}, not {value}")
    return found


def wholes(name: str, value: Any, count: int, most: int | None = None) -> tuple[int, ...]:
    """Returns `count` whole numbers, each at least 1 and at most `most`."""
    if isinstance(value, str | bytes) or not isinstance(value, Iterable) or len(found := tuple(value)) != count:
        raise _wrong(name, f"{count} whole numbers", value)
    return tuple(whole(f"each of {name}", one, 1, most) for one in found)


def flag(name: str, value: Any) -> bool:
    """Returns True or False, NumPy's too; nothing else counts as either."""
    if type(value).__name__ not in ("bool", "bool_"):
        raise _wrong(name, "True or False", value)
    return bool(value)


def text(name: str, value: Any) -> str:
    """Returns a text."""
    if not isinstance(value, str):
        raise _wrong(name, "a text", value)
    return value


def path(name: str, value: Any) -> Path:
    """Returns a path; an empty text is none, and neither is one with a zero byte."""
    written = os.fspath(value) if isinstance(value, os.PathLike) else value
    if not isinstance(written, str):
        raise _wrong(name, "a path", value)
    if not written or "\0" in written:
        raise ArgumentError(f"{name} must be a path, not {written!r}")
    return Path(written)


def paths(name: str, value: Any) -> Path | list[Path]:
    """Returns a path, or a list of several."""
    if isinstance(value, str | bytes | os.PathLike):
        return path(name, value)
    if not isinstance(value, Iterable):
        raise _wrong(name, "a path or several", value)
    return [path(f"each of {name}", one) for one in value]


def function(name: str, value: Any) -> Any:
    """Returns what can be called."""
    if not callable(value):
        raise _wrong(name, "a function", value)
    return value


_USUAL: Final[dict[str, Check]] = {
    **dict.fromkeys(("batch", "chunk", "epochs", "seed", "smooth", "stride", "threads"), whole),
    "moments": partial(whole, least=1, most=MOST_MOMENTS),
    "depth": sample_bits,
    **dict.fromkeys(("fps", "sample_fps"), partial(number, least=0.001, most=100_000.0)),
    **dict.fromkeys(("width", "width_share"), real),
    **dict.fromkeys(("deinterlace", "exact", "maps", "orientation", "resume"), flag),
    **dict.fromkeys(("alarm_rate", "compute_capability", "method", "precision", "shard", "title", "to"), text),
    **dict.fromkeys(("engine", "events", "labels", "model", "out", "parts", "raft_weights", "report"), path),
    **dict.fromkeys(("profile", "progress"), function),
    "call_sizes": partial(wholes, count=3),
    "frame_size": partial(wholes, count=2, most=MOST_PIXELS),
}
"""What an argument of each name must be, in whichever function."""


def checked(**own: Check) -> Callable[[Callable[Given, Result]], Callable[Given, Result]]:
    """Makes a function refuse arguments of the wrong type, by name: what `own` says, else what is usual.

    None passes where it is the default.
    """

    def around(work: Callable[Given, Result]) -> Callable[Given, Result]:
        parameters, checks = signature(work).parameters, {**_USUAL, **own}

        def check(name: str, value: Any) -> Any:
            absent = value is None and (name not in parameters or parameters[name].default is None)
            return value if absent or name not in checks else checks[name](name, value)

        @wraps(work)
        def door(*given: Given.args, **named: Given.kwargs) -> Result:
            some: Any = [*map(check, parameters, given), *given[len(parameters) :]]
            others: Any = {name: check(name, value) for name, value in named.items()}
            return work(*some, **others)

        return door

    return around


def _wrong(name: str, wanted: str, value: Any) -> ArgumentError:
    shown = repr(value)
    shown = shown if len(shown) <= 60 else f"{shown[:60]}…"
    return ArgumentError(f"{name} must be {wanted}, not {' '.join(shown.split())} ({type(value).__name__})")
