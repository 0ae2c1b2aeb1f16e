"""The autoencoder's precision, memory layout and batch: the fastest on this machine."""

from dataclasses import replace
from typing import Final

import torch

from pixelfast.errors import ModelError
from pixelfast.geometry import FRAME_SIZE, WINDOW
from pixelfast.methods.reconstruction.network import TemporalAutoencoder
from pixelfast.methods.reconstruction.recipe import AutoencoderRecipe
from pixelfast.methods.reconstruction.step import new_optimiser, train_step
from pixelfast.options import TrainingPrecision
from pixelfast.training.choice import Choice
from pixelfast.training.reproducible import reproducible
from pixelfast.training.speed import Rates, fastest_seconds, machine_name, remember_rates, remembered_rates

PIECES: Final = (16, 8, 4)
"""Windows at a time that may be faster than a whole batch, as their activations stay in the processor's caches."""


FIXED_PIECE: Final = 8
"""Taken without a measurement."""


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
    rates = Rates(remembered_rates(key), lambda one: _measure(one, recipe))
    # Who fixes precision and batch gets the same bits everywhere: nothing else may hang on a measurement then.
    layouts = (True,) if precision else (True, False)
    fastest = rates.first_of_the_fast(
        [Choice(one, last, batches[0], threads) for one in precisions for last in layouts]
    )
    chosen = rates.first_of_the_fast([replace(fastest, batch=size) for size in batches])
    chosen = rates.fastest([replace(chosen, piece=piece) for piece in _pieces(recipe, chosen.batch, precision)])
    if not rates.disturbed:
        remember_rates(key, rates.known)
    return chosen


def _pieces(recipe: AutoencoderRecipe, batch: int, precision: str | None) -> list[int | None]:
    """What to choose from; batch normalisation needs its batch whole."""
    if recipe.normalisation == "batch":
        return [None]
    if precision:
        return [FIXED_PIECE if batch > FIXED_PIECE else None]
    return [None, *(piece for piece in PIECES if piece < batch)]


def machine_key(recipe: AutoencoderRecipe, threads: int) -> str:
    """Names what a measurement depends on: processor, PyTorch, threads and the network."""
    return f"{machine_name(threads)} / {recipe.normalisation} {recipe.channels}"


def _allowed(
    recipe: AutoencoderRecipe, precision: str | None, batch: int | None
) -> tuple[tuple[TrainingPrecision, ...], tuple[int, ...]]:
    if precision not in (None, "fp32", "bf16"):
        raise ModelError(f"precision must be fp32 or bf16, not {precision!r}")
    if batch is not None and batch < 1:
        raise ModelError(f"batch must be at least 1, not {batch}")
    fixed: dict[str, tuple[TrainingPrecision, ...]] = {"fp32": ("fp32",), "bf16": ("bf16",)}
    return (fixed[precision] if precision else recipe.precisions), ((batch,) if batch else recipe.batches)


def _measure(choice: Choice, recipe: AutoencoderRecipe) -> float:
    with reproducible(0, choice.threads):
        network = TemporalAutoencoder(recipe.channels, recipe.normalisation).to(memory_format=choice.layout)
        optimiser = new_optimiser(network, recipe.learning_rate)
        cuboids = torch.rand(choice.batch, WINDOW, FRAME_SIZE, FRAME_SIZE)
        return choice.batch / fastest_seconds(lambda: train_step(network, optimiser, cuboids, cuboids, choice))
