"""How an engine is tried: loading, agreement with ONNX Runtime, and speed for several lengths of call."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

from pixelfast.errors import PixelfastError
from verification.candidates import Candidate
from verification.subjects import Agreement, Subject

COMPARED: Final = {"ae": 80, "motion": 80, "raft": 3}
"""Inputs that engines are compared on: ONNX Runtime is slow on some."""


@dataclass(frozen=True)
class Trial:
    """What came of trying an engine.

    Attributes:
        candidate: which one.
        first: seconds from opening it to its first result: what is compiled at first use counts.
        agreement: with ONNX Runtime; None where it does not run.
        rates: frames a second, by the inputs of a call.
        remark: why it does not run, or how it runs otherwise than was asked.
    """

    candidate: Candidate
    first: float = 0.0
    agreement: Agreement | None = None
    rates: dict[int, float] = field(default_factory=dict)
    remark: str = ""

    @property
    def best(self) -> float:
        """Frames a second with the best length of call."""
        return max(self.rates.values(), default=0.0)

    @property
    def passed(self) -> bool:
        """Whether it runs and agrees."""
        return self.agreement is not None and self.agreement.enough


def try_engine(candidate: Candidate, subject: Subject, expected: Any, seconds: float) -> Trial:
    """Opens and measures one engine; one that cannot run here gets a remark.

    Args:
        candidate: the engine.
        subject: what it is tried on.
        expected: what ONNX Runtime makes of the first `COMPARED` inputs.
        seconds: how long each length of call is measured, about.
    """
    started = time.perf_counter()
    try:
        engine = candidate.open()
        found = subject.call(engine, COMPARED[candidate.kind])
        first = time.perf_counter() - started
        agreement = subject.agreement(found, expected)
        rates: dict[int, float] = {}
        for length in subject.lengths:
            rates[length] = _rate(engine, subject, length, seconds)
            if length / rates[length] > 2 * seconds:
                break  # longer calls would only take longer
    except PixelfastError as error:
        return Trial(candidate, remark=str(error))
    return Trial(candidate, first, agreement, rates, getattr(engine, "fallback", None) or "")


def _rate(engine: Any, subject: Subject, length: int, seconds: float) -> float:
    """Frames a second."""
    frames = subject.frames(subject.call(engine, length))
    return frames * calls_a_second(lambda: subject.call(engine, length), seconds)


def calls_a_second(call: Callable[[], object], seconds: float) -> float:
    """How often a call can be made, over about so many seconds and at least twice."""
    started = time.perf_counter()
    done = 0
    while done < 2 or time.perf_counter() - started < seconds:
        call()
        done += 1
    return done / (time.perf_counter() - started)
