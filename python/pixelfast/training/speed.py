"""Choosing precision, memory layout and sizes of batches by a short measurement, remembered for the machine."""

import logging
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Final

import torch

from pixelfast.errors import ModelError
from pixelfast.measured import Measured, processor
from pixelfast.networks.autoencoder import TemporalAutoencoder
from pixelfast.networks.geometry import FRAME_SIZE, WINDOW
from pixelfast.training.recipes import AutoencoderRecipe, Precision
from pixelfast.training.reproducible import reproducible
from pixelfast.training.step import Choice, new_optimiser, train_step

TIMED_SECONDS: Final = 0.6
"""How long one candidate is timed, after a step to warm up: the whole measurement takes a few seconds."""

TIMED_STEPS: Final = 4
"""At most so many steps are timed for a candidate."""

CLOSE_ENOUGH: Final = 0.85
"""The first candidate that reaches this share of the best speed wins: smaller batches, which learn more from an epoch,
come first, and a measurement is never exact."""

PIECES: Final = (16, 8, 4)
"""Windows at a time that may be faster than a whole batch, as their activations stay in the processor's caches."""

FIXED_PIECE: Final = 8
"""Taken without a measurement."""

LEAST_SHARE_OF_CPU: Final = 0.7
"""Where other programs took more than the rest of the processor meanwhile, a measurement is not remembered."""

MEASURED: Final = Measured("training-speed.json")

_log = logging.getLogger("pixelfast")


def choose(recipe: AutoencoderRecipe, *, precision: str | None, batch: int | None, threads: int) -> Choice:
    """What to train with: what the caller fixed, and the fastest of the rest on this machine.

    Args:
        recipe: the network that is timed, and what may be chosen from.
        precision: "fp32" or "bf16" fixes it, the memory layout to channels_last, and the pieces of a batch.
        batch: a number of windows fixes it.
        threads: of PyTorch.

    Raises:
        ModelError: `precision` or `batch` is not one that can be trained with.
    """
    precisions, batches = _allowed(recipe, precision, batch)
    key = machine_key(recipe, threads)
    rates = _Rates(_remembered(key), lambda one: _measure(one, recipe))
    # Who fixes precision and batch gets the same bits everywhere: nothing else may hang on a measurement then.
    layouts = (True,) if precision else (True, False)
    fastest = rates.first_of_the_fast(
        [Choice(one, last, batches[0], threads) for one in precisions for last in layouts]
    )
    chosen = rates.first_of_the_fast([replace(fastest, batch=size) for size in batches])
    chosen = rates.fastest([replace(chosen, piece=piece) for piece in _pieces(recipe, chosen.batch, precision)])
    if not rates.disturbed:
        _remember(key, rates.known)
    return chosen


def _pieces(recipe: AutoencoderRecipe, batch: int, precision: str | None) -> list[int | None]:
    """What to choose from; batch normalisation needs its batch whole."""
    if recipe.normalisation == "batch":
        return [None]
    if precision:
        return [FIXED_PIECE if batch > FIXED_PIECE else None]
    return [None, *(piece for piece in PIECES if piece < batch)]


def choose_precision(network: str, step: Callable[[Precision], object], threads: int) -> Precision:
    """The precision in which `step` is fastest on this machine; measured once, and remembered under `network`."""
    key = f"{_machine(threads)} / {network}"
    rates = _Rates(_remembered(key), lambda one: 1 / _fastest(lambda: step(one.precision)))
    candidates = [Choice(precision, False, 1, threads) for precision in ("fp32", "bf16")]
    chosen = rates.first_of_the_fast(candidates).precision
    if not rates.disturbed:
        _remember(key, rates.known)
    return chosen


def machine_key(recipe: AutoencoderRecipe, threads: int) -> str:
    """Names what a measurement depends on: processor, PyTorch, threads and the network."""
    return f"{_machine(threads)} / {recipe.normalisation} {recipe.width}"


def _machine(threads: int) -> str:
    return f"{processor()} / torch {torch.__version__} / {threads} threads"


class _Rates:
    """How fast candidates are, more being faster, measured where it is not known yet."""

    def __init__(self, known: dict[str, float], measure: Callable[[Choice], float]) -> None:
        self.known = known
        self.disturbed = False
        self._measure = measure

    def first_of_the_fast(self, candidates: Sequence[Choice]) -> Choice:
        if len(candidates) == 1:
            return candidates[0]
        rates = [self._rate(candidate) for candidate in candidates]
        fast = (choice for choice, rate in zip(candidates, rates, strict=True) if rate >= CLOSE_ENOUGH * max(rates))
        return next(fast)

    def fastest(self, candidates: Sequence[Choice]) -> Choice:
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


def _allowed(
    recipe: AutoencoderRecipe, precision: str | None, batch: int | None
) -> tuple[tuple[Precision, ...], tuple[int, ...]]:
    if precision not in (None, "fp32", "bf16"):
        raise ModelError(f"precision must be fp32 or bf16, not {precision!r}")
    if batch is not None and batch < 1:
        raise ModelError(f"batch must be at least 1, not {batch}")
    fixed: dict[str, tuple[Precision, ...]] = {"fp32": ("fp32",), "bf16": ("bf16",)}
    return (fixed[precision] if precision else recipe.precisions), ((batch,) if batch else recipe.batches)


def _measure(choice: Choice, recipe: AutoencoderRecipe) -> float:
    with reproducible(0, choice.threads):
        network = TemporalAutoencoder(recipe.width, recipe.normalisation).to(memory_format=choice.layout)
        optimiser = new_optimiser(network, recipe.learning_rate)
        cuboids = torch.rand(choice.batch, WINDOW, FRAME_SIZE, FRAME_SIZE)
        return choice.batch / _fastest(lambda: train_step(network, optimiser, cuboids, cuboids, choice))


def _fastest(step: Callable[[], object]) -> float:
    """Seconds of the fastest of a few steps, after one to warm up."""
    step()
    return min(_step_seconds(step))


def _step_seconds(step: Callable[[], object]) -> Iterator[float]:
    """Seconds of each step, until there were enough; the shortest of them is least disturbed by other programs."""
    total = 0.0
    for _ in range(TIMED_STEPS):
        before = time.perf_counter()
        step()
        seconds = time.perf_counter() - before
        yield seconds
        total += seconds
        if total >= TIMED_SECONDS:
            return


def _remembered(key: str) -> dict[str, float]:
    rates = MEASURED.read().get(key, {})
    if not isinstance(rates, dict):
        return {}
    return {name: float(rate) for name, rate in rates.items() if isinstance(rate, int | float)}


def _remember(key: str, rates: dict[str, float]) -> None:
    if rates and (error := MEASURED.remember(key, rates)):
        _log.debug("the measured training speed is not remembered: %s", error)
