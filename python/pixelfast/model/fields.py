"""Reads one JSON object field by field, with a sentence for every field that is not what it should be."""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from pixelfast.errors import ModelError


class Fields:
    """One JSON object of a manifest, read field by field; a field of the wrong kind is a ModelError that names it."""

    def __init__(self, facts: object, path: Path, where: str = "") -> None:
        self.path = path
        self._where = where
        if not isinstance(facts, dict):
            raise ModelError(f"{path} is damaged: {where.rstrip('.') or 'it'} should be an object; copy it again")
        self._facts: dict[str, Any] = facts

    def damaged(self, key: str, wanted: str) -> ModelError:
        """The error for a field that is not what it should be."""
        found = repr(self._facts[key])[:80] if key in self._facts else "missing"
        return ModelError(
            f"{self.path} is damaged: {self._where}{key} should be {wanted}, and is {found}; copy the model again"
        )

    def has(self, key: str) -> bool:
        """Whether the field is there and not null."""
        return self._facts.get(key) is not None

    def text(self, key: str) -> str:
        """A text that is not empty."""
        return str(self._checked(key, "a text", _is_text))

    def whole(self, key: str, least: int = 1) -> int:
        """A whole number from `least`."""
        return int(
            self._checked(key, f"a whole number from {least}", lambda value: _is_whole(value) and value >= least)
        )

    def number(self, key: str) -> float:
        """A finite number."""
        return float(self._checked(key, "a number", _is_number))

    def flag(self, key: str) -> bool:
        """True or false."""
        return bool(self._checked(key, "true or false", lambda value: isinstance(value, bool)))

    def texts(self, key: str) -> tuple[str, ...]:
        """A list of texts."""
        return tuple(self._checked(key, "a list of texts", lambda value: _is_list(value, _is_text)))

    def numbers(self, key: str) -> tuple[float, ...]:
        """A list of finite numbers."""
        return tuple(map(float, self._checked(key, "a list of numbers", lambda value: _is_list(value, _is_number))))

    def mapping(self, key: str) -> dict[str, Any]:
        """An object of whatever."""
        return dict(self._checked(key, "an object", lambda value: isinstance(value, dict)))

    def part(self, key: str) -> "Fields | None":
        """An object, or None where it is null."""
        return Fields(self._facts[key], self.path, f"{self._where}{key}.") if self.has(key) else None

    def parts(self, key: str) -> "list[Fields]":
        """A list of objects."""
        values = self._checked(key, "a list", lambda value: isinstance(value, list))
        return [Fields(value, self.path, f"{self._where}{key}[{at}].") for at, value in enumerate(values)]

    def _checked(self, key: str, wanted: str, good: Callable[[Any], bool]) -> Any:
        if key not in self._facts or not good(self._facts[key]):
            raise self.damaged(key, wanted)
        return self._facts[key]


def _is_text(value: object) -> bool:
    return isinstance(value, str) and value != ""


def _is_whole(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_number(value: object) -> bool:
    # An integer too large for a float would make isfinite itself fail.
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) <= sys.float_info.max


def _is_list(value: object, good: Callable[[object], bool]) -> bool:
    return isinstance(value, list) and all(map(good, value))
