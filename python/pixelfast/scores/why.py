"""Where in the picture, and why, each frame's score is what it is; methods that judge frames by themselves say so."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

COLUMNS: Final[dict[str, type[np.generic]]] = {"cell": np.int32, "stream": np.int8, "reason": np.int32}


class Explanation(NamedTuple):
    """What is said of one frame: the cell that speaks (row, column), which stream of the method, and why."""

    cell: tuple[int, int] | None = None
    stream: str | None = None
    reason: str | None = None


@dataclass(frozen=True, eq=False)
class Why:
    """Where and why, frame by frame.

    Attributes:
        cell: i32[N], the cell that speaks, row by row.
        stream: i8[N], the position in `streams` of what speaks.
        reason: i32[N], the position in `reasons` of the clause that says why.
        grid: rows and columns of cells, which cover the picture evenly.
        streams: what the method tells apart.
        reasons: clauses, each once.

    Raises:
        ValueError: a column has another type or length, or leads to nothing; the message is a clause.
    """

    cell: NDArray[np.int32]
    stream: NDArray[np.int8]
    reason: NDArray[np.int32]
    grid: tuple[int, int]
    streams: tuple[str, ...]
    reasons: tuple[str, ...]

    def __post_init__(self) -> None:
        rows, columns = self.grid
        ends = {"cell": rows * columns, "stream": len(self.streams), "reason": len(self.reasons)}
        for name, dtype in COLUMNS.items():
            column = getattr(self, name)
            if column.dtype != dtype or column.shape != self.cell.shape or column.ndim != 1:
                raise ValueError(f"{name} must be {np.dtype(dtype)} [{len(self.cell)}]")
            if len(column) and not 0 <= column.min() <= column.max() < ends[name]:
                raise ValueError(f"{name} must lie in 0 to {ends[name] - 1}, not {column.min()} to {column.max()}")
            object.__setattr__(self, name, own := column.view())
            own.flags.writeable = False

    @classmethod
    def of(
        cls,
        cell: NDArray[np.int32],
        stream: NDArray[np.int8],
        reasons: Sequence[str],
        grid: tuple[int, int],
        streams: tuple[str, ...],
    ) -> "Why":
        """Makes it of a clause for each frame."""
        known = {reason: at for at, reason in enumerate(dict.fromkeys(reasons))}
        return cls(cell, stream, np.array([known[one] for one in reasons], np.int32), grid, streams, tuple(known))

    def facts(self) -> dict[str, Any]:
        """Returns what is not a column, as plain values."""
        return {"grid": list(self.grid), "streams": list(self.streams), "reasons": list(self.reasons)}

    @classmethod
    def read(cls, facts: dict[str, Any], columns: Sequence[NDArray[Any]]) -> "Why":
        """Puts together what `facts` gave and the columns, in the order of `COLUMNS`.

        Raises:
            ValueError, LookupError, TypeError: they do not fit.
        """
        rows, across = facts["grid"]
        cell, stream, reason = columns
        grid = int(rows), int(across)
        return cls(cell, stream, reason, grid, tuple(facts["streams"]), tuple(facts["reasons"]))

    def at(self, row: int) -> Explanation:
        """Returns what is said of the frame in a row."""
        down, across = divmod(int(self.cell[row]), self.grid[1])
        return Explanation((down, across), self.streams[self.stream[row]], self.reasons[self.reason[row]])

    def place(self, cell: tuple[int, int]) -> str:
        """Returns the middle of a cell in shares of the picture's width and height: "x 62%, y 40%"."""
        (row, column), (rows, columns) = cell, self.grid
        return f"x {(column + 0.5) / columns:.0%}, y {(row + 0.5) / rows:.0%}"


def put_together(parts: Sequence[Why | None]) -> Why | None:
    """Returns what the parts say, one after the other; None where one of them says nothing, or there is none.

    Raises:
        ValueError: their grids or streams differ.
    """
    known = [part for part in parts if part is not None]
    if not known or len(known) < len(parts):
        return None
    if len({(part.grid, part.streams) for part in known}) > 1:
        raise ValueError("parts of several grids or methods")
    reasons = {reason: at for at, reason in enumerate(dict.fromkeys(r for part in known for r in part.reasons))}
    moved = [np.array([reasons[one] for one in part.reasons], np.int32)[part.reason] for part in known]
    cell, stream = (np.concatenate([getattr(part, name) for part in known]) for name in ("cell", "stream"))
    return Why(cell, stream, np.concatenate(moved), known[0].grid, known[0].streams, tuple(reasons))
