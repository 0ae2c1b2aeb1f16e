"""Names of files, a million of which take a fraction of the memory that as many `str` do."""

import os
from array import array
from collections.abc import Iterable, Sequence
from typing import overload


class Names(Sequence[str]):
    """Names that do not change, one after another in one text."""

    def __init__(self, names: Iterable[str]) -> None:
        """Takes the names, in their order."""
        text, edges = bytearray(), array("I", [0])
        for name in names:
            text += os.fsencode(name)
            edges.append(len(text))
        self._text, self._edges = bytes(text), edges

    def __len__(self) -> int:
        return len(self._edges) - 1

    @overload
    def __getitem__(self, index: int) -> str: ...
    @overload
    def __getitem__(self, index: slice) -> "Names": ...
    def __getitem__(self, index: "int | slice") -> "str | Names":
        if isinstance(index, slice):
            return Names(self[at] for at in range(len(self))[index])
        at = range(len(self))[index]
        return os.fsdecode(self._text[self._edges[at] : self._edges[at + 1]])
