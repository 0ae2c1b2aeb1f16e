"""The autoencoder's precision, memory layout and batch: the fastest on this machine."""

from dataclasses import replace
from typing import Final

import torch

from pixelfast.geometry import FRAME_SIZE, WINDOW
from pixelfast.methods.reconstruction.loop import new_optimiser, train_step
from pixelfast.methods.reconstruction.network import TemporalAutoencoder
from pixelfast.methods.reconstruction.recipe import AutoencoderRecipe
from pixelfast.options import TrainingPrecision
from pixelfast.training.loop import reproducible
from pixelfast.training.speed import Choice, fastest_seconds, machine_name, remembered_rates

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
    """
    fixed: dict[str, tuple[TrainingPrecision, ...]] = {"fp32": ("fp32",), "bf16": ("bf16",)}
    precisions, batches = fixed[precision] if precision else recipe.precisions, (batch,) if batch else recipe.batches
    # Who fixes precision and batch gets the same bits everywhere: nothing else may hang on a measurement then.
    layouts = (True,) if precision else (True, False)
    with remembered_rates(machine_key(recipe, threads), lambda one: _measure(one, recipe)) as rates:
        fastest = rates.first_of_the_fast(
            [Choice(one, last, batches[0], threads) for one in precisions for last in layouts]
        )
        chosen = rates.first_of_the_fast([replace(fastest, batch=size) for size in batches])
        return rates.fastest([replace(chosen, piece=piece) for piece in _pieces(recipe, chosen.batch, precision)])


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


def _measure(choice: Choice, recipe: AutoencoderRecipe) -> float:
    with reproducible(0, choice.threads):
        network = TemporalAutoencoder(recipe.channels, recipe.normalisation).to(memory_format=choice.layout)
        optimiser = new_optimiser(network, recipe.learning_rate)
        cuboids = torch.rand(choice.batch, WINDOW, FRAME_SIZE, FRAME_SIZE)
        return choice.batch / fastest_seconds(lambda: train_step(network, optimiser, cuboids, cuboids, choice))
