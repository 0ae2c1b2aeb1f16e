"""What a machine trains fastest with: measured for a few seconds, and remembered for the machine."""

import logging
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

import torch

from pixelfast.machine.measured import Measured, processor
from pixelfast.options import TrainingPrecision

TIMED_SECONDS: Final = 0.6
"""How long one candidate is timed, after a step to warm up: the whole measurement takes a few seconds."""

TIMED_STEPS: Final = 4
"""At most so many steps are timed for a candidate."""

CLOSE_ENOUGH: Final = 0.85
"""The first candidate that reaches this share of the best speed wins: smaller batches, which learn more from an epoch,
come first, and a measurement is never exact."""

LEAST_SHARE_OF_CPU: Final = 0.7
"""Where other programs took more than the rest of the processor meanwhile, a measurement is not remembered."""

MEASURED: Final = Measured("training-speed.json")

_log = logging.getLogger("pixelfast")


@dataclass(frozen=True)
class Choice:
    """What a machine trains fastest with; with the seed it fixes the model.

    Attributes:
        precision: "bf16" runs convolutions under autocast; weights, losses and the optimiser stay float32.
        channels_last: memory layout of weights and batches.
        batch: windows a step.
        threads: of PyTorch.
        piece: windows that go through the network at a time; the gradient of a batch is the sum of its pieces'. None
            takes the whole batch, as batch normalisation must.
    """

    precision: TrainingPrecision
    channels_last: bool
    batch: int
    threads: int
    piece: int | None = None

    @property
    def layout(self) -> torch.memory_format:
        """The memory layout as PyTorch names it."""
        return torch.channels_last if self.channels_last else torch.contiguous_format


def choose_precision(network: str, step: Callable[[TrainingPrecision], object], threads: int) -> TrainingPrecision:
    """The precision in which `step` is fastest on this machine; measured once, and remembered under `network`."""
    key = f"{machine_name(threads)} / {network}"
    with remembered_rates(key, lambda one: 1 / fastest_seconds(lambda: step(one.precision))) as rates:
        return rates.first_of_the_fast(
            [Choice(precision, False, 1, threads) for precision in ("fp32", "bf16")]
        ).precision


def machine_name(threads: int) -> str:
    """Names the processor, the version of PyTorch and the threads: what a measurement depends on."""
    return f"{processor()} / torch {torch.__version__} / {threads} threads"


class Rates:
    """How fast candidates are, more being faster, measured where it is not known yet."""

    def __init__(self, known: dict[str, float], measure: Callable[[Choice], float]) -> None:
        self.known = known
        self.disturbed = False
        self._measure = measure

    def first_of_the_fast(self, candidates: Sequence[Choice]) -> Choice:
        """Returns the first candidate that is about as fast as the fastest."""
        if len(candidates) == 1:
            return candidates[0]
        rates = [self._rate(candidate) for candidate in candidates]
        fast = (choice for choice, rate in zip(candidates, rates, strict=True) if rate >= CLOSE_ENOUGH * max(rates))
        return next(fast)

    def fastest(self, candidates: Sequence[Choice]) -> Choice:
        """Returns the fastest candidate."""
        return candidates[0] if len(candidates) == 1 else max(candidates, key=self._rate)

    def _rate(self, choice: Choice) -> float:
        layout = "channels_last" if choice.channels_last else "contiguous"
        pieces = f" by {choice.piece}" if choice.piece else ""
        name = f"{choice.precision} {layout} {choice.batch}{pieces}"
        if name not in self.known:
            processor_before, before = time.process_time(), time.perf_counter()
            self.known[name] = self._measure(choice)
            share = (time.process_time() - processor_before) / (time.perf_counter() - before) / choice.threads
            self.disturbed |= share < LEAST_SHARE_OF_CPU
        return self.known[name]


@contextmanager
def remembered_rates(key: str, measure: Callable[[Choice], float]) -> Iterator[Rates]:
    """The rates that were measured before under a key; what is measured in the block is remembered after it."""
    known = MEASURED.read().get(key, {})
    known = known if isinstance(known, dict) else {}
    rates = Rates({name: float(rate) for name, rate in known.items() if isinstance(rate, int | float)}, measure)
    yield rates
    if rates.known and not rates.disturbed and (error := MEASURED.remember(key, rates.known)):
        _log.debug("the measured training speed is not remembered: %s", error)


def fastest_seconds(step: Callable[[], object]) -> float:
    """Seconds of the fastest of a few steps, after one to warm up: it is least disturbed by other programs."""
    step()
    seconds: list[float] = []
    while len(seconds) < TIMED_STEPS and sum(seconds) < TIMED_SECONDS:
        before = time.perf_counter()
        step()
        seconds.append(time.perf_counter() - before)
    return min(seconds)
