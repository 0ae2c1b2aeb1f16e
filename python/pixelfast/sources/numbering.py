"""The order of frames and their numbers, told from the names of their files."""

import re
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from pixelfast.files.natural import natural_key

# A file manager that numbers names itself writes `frame (7).jpg`. No file name has more digits than these.
_NUMBER = re.compile(r"(?<![0-9])0*(?P<number>[0-9]{1,255})\)?(?P<suffix>\.[^.]*)$")
_LARGEST = np.iinfo(np.int64).max
# Seconds with a fraction: `1700000000.25.jpg` comes before `1700000000.5.jpg`.
_DECIMAL = re.compile(r"(?<![0-9])(?P<whole>[0-9]+)\.(?P<part>[0-9]+)\.[^.]*$")
_EPOCH_DIGITS = 9

FRAMES_A_STRAY = 5
"""Numbered frames for each picture that is left out as a stray, at least; more strays make a series of their own."""
_ALONE = 2  # names of one form that are strays at most: `mask_1.png`, `mask_2.png`


class Numbered(NamedTuple):
    """The frames of a folder in the order of time.

    Attributes:
        names: the files' names.
        ids: i64[N], the numbers in the names, which rise; the position where they do not.
        strays: names that are left out, for they are not of the series that the others are.
        by_position: a clause that says why the names' numbers are not used; None where they are.
    """

    names: list[str]
    ids: NDArray[np.int64]
    strays: list[str]
    by_position: str | None


def number_frames(names: Sequence[str]) -> Numbered:
    """Orders the files of a folder, and numbers them by their names where the numbers rise in natural order.

    A few pictures that are not of the series (`background.jpg`, `1_mask.png` among `1.jpg`, `2.jpg`, …), at most one
    for every `FRAMES_A_STRAY` frames, are left out where the others can be numbered without them.
    """
    ordered, ids = ordered_frames(names)
    if ids is not None:
        return Numbered(ordered, ids, [], None)
    for strays in (_unnumbered(ordered), _of_other_forms(ordered)):
        if 0 < len(strays) * FRAMES_A_STRAY <= len(names) - len(strays):
            kept, ids = ordered_frames([name for name in ordered if name not in strays])
            if ids is not None:
                return Numbered(kept, ids, sorted(strays, key=natural_key), None)
    return Numbered(ordered, np.arange(len(ordered), dtype=np.int64), [], _why(ordered))


def ordered_frames(names: Sequence[str]) -> tuple[list[str], NDArray[np.int64] | None]:
    """Sorts file names naturally, and reads the frame numbers off them (`frame_0007.jpg` is 7, `frame (7).jpg` too).

    Names that hold seconds with a fraction are sorted by these.

    Returns:
        The sorted names, and i64[N]: the trailing digits of each, or None where these do not rise from name to name, a
        name has none, or one is too large for an int64.
    """
    ids, forms = np.zeros(len(names), np.int64), set[tuple[str, str]]()
    for index, name in enumerate(names):  # without a list of matches, which takes more memory than all else of a run
        match = _NUMBER.search(name)
        if match is None or (number := int(match["number"])) > _LARGEST:
            return sorted(names, key=_order_of(names)), None
        ids[index] = number
        forms.add((name[: match.start()], match["suffix"]))
    by_time = _order_of(names)
    if len(forms) == 1 and by_time is natural_key and len(np.unique(ids)) == len(ids):
        order = np.argsort(ids).tolist()  # nearly all names differ in the number alone, and this is much faster
    else:
        order = sorted(range(len(names)), key=lambda index: by_time(names[index]))
    ids = ids[order]
    return [names[index] for index in order], ids if np.all(ids[1:] > ids[:-1]) else None


def _order_of(names: Sequence[str]) -> Callable[[str], Any]:
    """Returns the key that sorts names by time: natural order, but for seconds with a fraction."""
    found: list[re.Match[str]] = []
    for name in names:
        if (match := _DECIMAL.search(name)) is None:
            return natural_key
        found.append(match)
    epoch = all(len(match["whole"]) >= _EPOCH_DIGITS for match in found)
    # `1.05` beside `1.1` is no counter: that would have written `1.01`.
    shortest = min(len(match["part"]) for match in found)
    padded = any(match["part"].startswith("0") and len(match["part"]) > shortest for match in found)
    return _by_seconds if epoch or padded else natural_key


def _by_seconds(name: str) -> tuple[Any, ...]:
    match = _DECIMAL.search(name)
    assert match is not None, "every name holds seconds where this is the order"
    before, part = name[: match.start()], match["part"].rstrip("0")
    return natural_key(before)[0], int(match["whole"][:300]), part, natural_key(name)


def _unnumbered(names: Sequence[str]) -> set[str]:
    return {name for name in names if _NUMBER.search(name) is None}


def _of_other_forms(names: Sequence[str]) -> set[str]:
    """Names that are not of the commonest form; none where others of one form are too many to be strays."""
    forms = {name: _form(name) for name in names}
    counts = Counter(form for form in forms.values() if form is not None)
    if not counts:
        return set()
    (main, _), *others = counts.most_common()
    if any(count > _ALONE for _, count in others):
        return set()
    return {name for name, form in forms.items() if form != main}


def _form(name: str) -> tuple[str, str] | None:
    match = _NUMBER.search(name)
    return None if match is None else (name[: match.start()].casefold(), match["suffix"].casefold())


def _why(names: Sequence[str]) -> str:
    """Returns a clause that names the first frame, or the first pair, whose numbers tell no order."""
    before, last = "", -1
    for name in names:
        match = _NUMBER.search(name)
        if match is None:
            return f"{name} holds no number at its end"
        number = int(match["number"])
        if number > _LARGEST:
            return f"the number of {name} is too large"
        if number <= last:
            return f"{name} comes after {before} by name, but its number is not above"
        before, last = name, number
    raise AssertionError("numbers that rise are used")
