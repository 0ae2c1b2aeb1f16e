"""The order and the numbers of frames, from the names of their files."""

import re
from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from pixelfast.files.natural import natural_key

_TRAILING_DIGITS = re.compile(r"([0-9]+)\.[^.]*$")
_MOST_DIGITS = 18  # what an int64 holds whatever the digits


def ordered_frames(names: Sequence[str]) -> tuple[list[str], NDArray[np.int64] | None]:
    """Sorts file names naturally, and reads the frame numbers off them (`frame_0007.jpg` is 7).

    Returns:
        The sorted names, and i64[N]: the trailing digits of each, or None where these do not tell the frames apart: a
        name without any, two names with the same number, or one too large for an int64.
    """
    alike = _numbers_of_alike(names)
    if alike is not None:
        order = np.argsort(alike)
        return [names[index] for index in order.tolist()], alike[order]
    by_name = sorted(names, key=natural_key)
    return by_name, _unique(_TRAILING_DIGITS.search(name) for name in by_name)


def _numbers_of_alike(names: Sequence[str]) -> NDArray[np.int64] | None:
    """Reads the numbers of names that differ in one run of digits alone, as nearly all do: ten times as fast.

    None where the names are not so, or a number is there twice (`7.jpg` and `07.jpg`).
    """
    first, last = min(names), max(names)
    same = next((at for at, (a, b) in enumerate(zip(first, last, strict=False)) if a != b), len(first))
    prefix = first[:same].rstrip("0123456789")
    suffix = "." + names[0].rpartition(".")[2]
    if prefix.endswith(suffix) or not all(name.endswith(suffix) for name in names):
        return None
    digits = [name[len(prefix) : -len(suffix)] for name in names]
    if not all(text.isdigit() and text.isascii() and len(text) <= _MOST_DIGITS for text in digits):
        return None
    ids = np.array([int(text) for text in digits], dtype=np.int64)
    return ids if len(np.unique(ids)) == len(ids) else None


def _unique(matches: Iterable[re.Match[str] | None]) -> NDArray[np.int64] | None:
    numbers = []
    for match in matches:
        if match is None or len(match[1].lstrip("0")) > _MOST_DIGITS:
            return None
        numbers.append(int(match[1]))
    ids = np.array(numbers, dtype=np.int64)
    return ids if len(np.unique(ids)) == len(ids) else None
