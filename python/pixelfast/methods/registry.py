"""The methods that there are: the folders beside this file, and what other packages bring (`pixelfast.methods`)."""

import pkgutil
from collections.abc import Mapping
from dataclasses import fields
from functools import cache
from importlib import import_module
from importlib.metadata import entry_points
from typing import Any, Final

from pixelfast import methods
from pixelfast.errors import ModelError, PixelfastError
from pixelfast.methods.base import MethodSpec
from pixelfast.methods.trained import Recipe, TrainingRequest
from pixelfast.model import Manifest
from pixelfast.model.names import INGREDIENTS

USUAL: Final = "density"
"""The method that a training takes where none is named."""

LONE: Final = "reconstruction"
"""The method that an engine file without a model serves."""

GROUP: Final = "pixelfast.methods"
"""The entry points by which another package brings a method: `name = "package:METHOD"`."""


@cache
def all_methods() -> dict[str, MethodSpec]:
    """Finds the methods by name, the usual one first.

    Raises:
        PixelfastError: a package brings what is no method, or one whose name or stem is taken.
    """
    found: dict[str, MethodSpec] = {}
    folders = [one.name for one in pkgutil.iter_modules(methods.__path__) if one.ispkg]
    for folder in sorted(folders, key=lambda name: (name != USUAL, name)):
        _add(import_module(f"{methods.__name__}.{folder}").METHOD, f"methods/{folder}", found)
    for entry in entry_points(group=GROUP):
        try:
            spec = entry.load()
        except Exception as error:  # whatever somebody else's package raises on import
            raise PixelfastError(f"the method {entry.name} ({entry.value}) cannot be loaded: {error}") from error
        _add(spec, entry.value, found)
    return found


def _add(spec: object, where: str, found: dict[str, MethodSpec]) -> None:
    if not isinstance(spec, MethodSpec):
        raise PixelfastError(f"{where} brings {type(spec).__name__}, no MethodSpec: a method is one")
    stems = {other.stem for other in found.values()} | set(INGREDIENTS)
    reserved = {field.name for field in fields(Manifest)} | set(found)
    if spec.name in reserved or spec.stem in stems:
        raise PixelfastError(f"the method {spec.name} of {where} needs another name, or its files another stem")
    found[spec.name] = spec


def find_method(name: str) -> MethodSpec:
    """Finds a method by its name.

    Raises:
        PixelfastError: there is no such method.
    """
    known = all_methods()
    if name not in known:
        raise PixelfastError(f"the method must be {', '.join(list(known)[:-1])} or {list(known)[-1]}, not {name!r}")
    return known[name]


def find_recipe(spec: MethodSpec, request: TrainingRequest) -> tuple[Recipe, dict[str, Any]]:
    """Finds the recipe that a request asks for, and the method's own options, the defaults among them.

    Raises:
        ModelError: there is no such recipe or option, or a value cannot be.
    """
    options = {option.name: option.default for option in spec.options}
    options |= _own_options(spec, request.options)
    recipe = request.recipe
    if not isinstance(recipe, Recipe):
        if not isinstance(recipe, str) or recipe not in spec.recipes:
            raise ModelError(_no_recipe(spec, str(recipe)))
        recipe = spec.recipes[recipe]
    return spec.prepare(recipe, options), options


def _own_options(spec: MethodSpec, given: Mapping[str, Any]) -> dict[str, Any]:
    """The options of this method among those that are given; others must be left at their defaults."""
    found: dict[str, Any] = {}
    for name, value in given.items():
        owner, option = next(
            ((one, option) for one in _own_first(spec) for option in one.options if name in (option.name, option.also)),
            (None, None),
        )
        if owner is None or option is None:
            raise TypeError(f"train() got an unexpected keyword argument {name!r}")
        if owner is not spec and value != option.default:
            raise ModelError(f"{name} is for method={owner.name!r}: the {spec.name} method has none")
        if owner is spec and value is not None and option.choices and value not in option.choices:
            two = len(option.choices) == 2
            known = " or ".join(option.choices) if two else f"one of {', '.join(option.choices)}"
            raise ModelError(f"{name} must be {known}, not {value!r}")
        if owner is spec:
            found[option.name] = value
    return found


def _own_first(spec: MethodSpec) -> list[MethodSpec]:
    return [spec, *(other for other in all_methods().values() if other is not spec)]


def _no_recipe(spec: MethodSpec, name: str) -> str:
    other = next((one.name for one in all_methods().values() if name in one.recipes), None)
    if other is None:
        return f"there is no recipe {name!r}: choose one of {', '.join(sorted(spec.recipes))}"
    return f"the recipe {name} is for the {other} method: give method={other!r}, or another recipe"
