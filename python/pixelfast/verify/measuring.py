"""How an engine is tried: loading, agreement with the reference, and speed for several lengths of call."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

from pixelfast.errors import PixelfastError
from pixelfast.verify.candidates import Candidate
from pixelfast.verify.subjects import Agreement, Subject

COMPARED: Final = {"ae": 80, "motion": 80, "raft": 3}
"""Inputs that engines are compared on: a CPU is slow on some."""


@dataclass(frozen=True)
class Trial:
    """What came of trying an engine.

    Attributes:
        candidate: which one.
        first: seconds from opening it to its first result: what is compiled at first use counts.
        agreement: with the reference; None where it does not run.
        rates: frames a second, by the inputs of a call.
        call_seconds: of a call, likewise.
        remark: why it does not run, or how it runs otherwise than was asked.
        compared: whether there was something to compare it with; it is not tried otherwise.
    """

    candidate: Candidate
    first: float = 0.0
    agreement: Agreement | None = None
    rates: dict[int, float] = field(default_factory=dict)
    call_seconds: dict[int, float] = field(default_factory=dict)
    remark: str = ""
    compared: bool = True

    @property
    def best(self) -> float:
        """Frames a second with the best length of call."""
        return max(self.rates.values(), default=0.0)

    @property
    def best_length(self) -> int:
        """The inputs of that call."""
        return max(self.rates, key=lambda length: self.rates[length], default=0)

    @property
    def passed(self) -> bool:
        """Whether it runs and agrees."""
        return self.agreement is not None and self.agreement.enough


def try_engine(candidate: Candidate, subject: Subject, expected: Any, seconds: float) -> Trial:
    """Opens and measures one engine; one that cannot run here gets a remark.

    Args:
        candidate: the engine.
        subject: what it is tried on.
        expected: what the reference makes of the first `COMPARED` inputs.
        seconds: how long each length of call is measured, about.
    """
    started = time.perf_counter()
    try:
        engine = candidate.open()
        found = subject.call(engine, COMPARED[candidate.kind])
        first = time.perf_counter() - started
        agreement = subject.agreement(found, expected)
        trial = Trial(candidate, first, agreement, remark=getattr(engine, "fallback", None) or "")
        _measure(trial, engine, subject, seconds)
    except (PixelfastError, ImportError, OSError) as error:  # the latter two: a library that does not load
        return Trial(candidate, remark=str(error))
    return trial


def _measure(trial: Trial, engine: Any, subject: Subject, seconds: float) -> None:
    """Fills in speeds."""
    for length in subject.lengths:
        frames = subject.frames(subject.call(engine, length))
        calls = calls_a_second(lambda: subject.call(engine, length), seconds)  # noqa: B023 - called at once
        trial.rates[length], trial.call_seconds[length] = frames * calls, 1 / calls
        if 1 / calls > 2 * seconds:
            break  # longer calls would only take longer


def calls_a_second(call: Callable[[], object], seconds: float) -> float:
    """How often a call can be made, over about so many seconds and at least twice."""
    started = time.perf_counter()
    done = 0
    while done < 2 or time.perf_counter() - started < seconds:
        call()
        done += 1
    return done / (time.perf_counter() - started)
