"""Reads JSON objects by the types of dataclasses, with a sentence for every field that is not what it should be."""

import dataclasses
import re
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from types import UnionType
from typing import Annotated, Any, get_args, get_origin

from pixelfast.errors import ModelError

Sha256 = Annotated[str, "64 hexadecimal digits"]
Count = Annotated[int, "from 0"]


class Fields:
    """One JSON object of a manifest, read field by field; a field of the wrong kind is a ModelError that names it."""

    def __init__(self, facts: Mapping[str, Any], path: Path, where: str = "") -> None:
        """Takes the object, the file that it stands in, and what stands before its keys in a message."""
        self._facts = facts
        self._path = path
        self._where = where

    def damaged(self, key: str, wanted: str) -> ModelError:
        """Returns the error for a field that is not what it should be."""
        found = repr(self._facts[key])[:80] if key in self._facts else "missing"
        return ModelError(
            f"{self._path} is damaged: {self._where}{key} should be {wanted}, and is {found}; copy the model again"
        )

    def part(self, key: str) -> "Fields":
        """Reads an object, field by field again."""
        return Fields(self.read(key, dict[str, Any]), self._path, f"{self._where}{key}.")

    def parts(self, key: str) -> "list[Fields]":
        """Reads a list of objects, each field by field again."""
        items = {f"{key}[{at}]": item for at, item in enumerate(self.read(key, list[Any]))}
        return [Fields(items, self._path, self._where).part(name) for name in items]

    def read_all(self, kind: Any) -> Any:
        """Reads a dataclass, each of its fields by its type; other fields are passed over."""
        return kind(**{field.name: self.read(field.name, field.type) for field in dataclasses.fields(kind)})

    def read(self, key: str, kind: Any) -> Any:
        """Reads one field: of `_KINDS`, a dataclass, or several of one; what may be None may be missing, too."""
        if isinstance(kind, UnionType):
            return None if self._facts.get(key) is None else self.read(key, get_args(kind)[0])
        if dataclasses.is_dataclass(kind):
            return self.part(key).read_all(kind)
        inner = next(filter(dataclasses.is_dataclass, get_args(kind)), None)
        if inner is not None and get_origin(kind) is tuple:
            return tuple(part.read_all(inner) for part in self.parts(key))
        if inner is not None:
            return {name: self.part(key).read(name, inner) for name in self.read(key, dict[str, Any])}
        wanted, good, convert = _KINDS[kind]
        if key not in self._facts or not good(self._facts[key]):
            raise self.damaged(key, wanted)
        return convert(self._facts[key])


def _is_text(value: object) -> bool:
    return isinstance(value, str) and value != ""


def _is_sha256(value: object) -> bool:
    return isinstance(value, str) and re.fullmatch("[0-9a-f]{64}", value) is not None


def _is_whole(value: object, least: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= least


def is_number(value: object) -> bool:
    """Returns whether a value of JSON is a number that is finite as a float."""
    # An integer too large for a float would make isfinite itself fail.
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) <= sys.float_info.max


def _is_list(value: object, good: Callable[[object], bool]) -> bool:
    return isinstance(value, list) and all(map(good, value))


_OBJECT = ("an object", lambda value: isinstance(value, dict), dict)
_KINDS: dict[Any, tuple[str, Callable[[Any], bool], Callable[[Any], Any]]] = {
    str: ("a text", _is_text, str),
    Sha256: ("64 hexadecimal digits", _is_sha256, str),
    int: ("a whole number from 1", lambda value: _is_whole(value, 1), int),
    Count: ("a whole number from 0", lambda value: _is_whole(value, 0), int),
    float: ("a number", is_number, float),
    bool: ("true or false", lambda value: isinstance(value, bool), bool),
    tuple[str, ...]: ("a list of texts", lambda value: _is_list(value, _is_text), tuple),
    tuple[float, ...]: (
        "a list of numbers",
        lambda value: _is_list(value, is_number),
        lambda value: tuple(map(float, value)),
    ),
    list[Any]: ("a list", lambda value: isinstance(value, list), list),
    dict[str, Any]: _OBJECT,
    Mapping[str, Any]: _OBJECT,
}
