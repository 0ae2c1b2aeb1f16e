"""Trainings of the autoencoder that take seconds."""

from dataclasses import replace

from pixelfast.methods.reconstruction.recipe import RECIPES
from pixelfast.methods.trained import Recipe

WHOLE = RECIPES["default"]
TINY = Recipe(
    "default",
    replace(WHOLE.own, channels=4, epochs=1, least_steps=None),
    replace(WHOLE.flip, epochs=1, least_steps=40, batch=16),
)
SMALL = {"method": "reconstruction", "recipe": TINY, "precision": "fp32", "batch": 8, "threads": 2}
