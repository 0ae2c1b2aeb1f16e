"""The bits that pictures of more than 8 bits use: found in the footage once, and said where they do not fit."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from pixelfast import _core
from pixelfast.notes import Notes
from pixelfast.options import Reading
from pixelfast.sources.folder import FolderVideo
from pixelfast.sources.picture_file import PictureFile
from pixelfast.sources.video import Video

DEPTHS: Final = (8, 10, 12, 14, 16)
"""Bits that cameras give; floating-point samples may be of 0 to 1 as well, which is 1."""

SLACK: Final = 1.02
"""Floating-point samples pass their white a little where a picture was resampled."""

DARK: Final = 4
"""Footage that leaves so many bits of its model unused has lost all but 16 grey levels."""

FIRST_LOOK, SCORING_LOOK, TRAINING_LOOK = 64, 200, 1_000
"""Frames that are looked at, about: to tell whether any is deep; if so, before scoring; before training."""


@dataclass(frozen=True)
class DeepFootage:
    """What the samples of more than 8 bits reach in the frames that were looked at.

    Attributes:
        floating: whether they are floating-point.
        bits: what their files have for one.
        largest: the largest sample.
        needed: the least depth that holds it, and what files say that they use; None where there is none.
    """

    floating: bool
    bits: int
    largest: float
    needed: int | None

    @property
    def words(self) -> str:
        """Returns what such frames are called."""
        return "floating-point frames" if self.floating else f"{self.bits}-bit frames"

    def used(self, depth: int | None) -> int:
        """Returns the bits that are used of such frames at a depth."""
        if self.floating:
            return depth or 1
        return self.bits if depth is None or depth < DEPTHS[0] else min(depth, self.bits)

    def complaint(self, depth: int | None) -> str | None:
        """Returns a sentence where a depth cuts the frames off or leaves them dark; None where it fits."""
        used, mend = self.used(depth), "" if self.needed is None else f"; --depth {self.needed} fixes it"
        says = f"{self.words} reach {self.largest:g}, and white is {2**used - 1} (depth {used})"
        if self.largest > (2**used - 1) * (SLACK if self.floating else 1):
            return f"{says}: what is brighter is clipped{mend}"
        least = used if depth is None and not self.floating else used - DARK + 1
        if self.largest > 0 and self.needed is not None and self.needed < least:
            return f"{says}: they come out dark{mend}"
        return None


def look_at_depth(videos: Iterable[Video], most: int, threads: int | None) -> list[DeepFootage]:
    """Returns what whole and what floating-point samples of more than 8 bits reach, in about `most` frames.

    Where a first look at a few headers shows no such file, no frame is decoded.
    """
    folders = [video for video in videos if isinstance(video, FolderVideo | PictureFile)]
    if not any(_core.sample_ranges(_spread(folders, FIRST_LOOK), threads)):
        return []
    ranges = [found for found in _core.sample_ranges(_spread(folders, most), threads) if found is not None]
    kinds = []
    for kind in (False, True):
        some = [found for found in ranges if found[3] is kind]
        if some:
            largest, bits, declared = (max(found[part] for found in some) for part in range(3))
            kinds.append(DeepFootage(kind, int(bits), largest, _least_depth(largest, int(declared), kind)))
    return kinds


def training_reading(videos: Sequence[Video], reading: Reading, notes: Notes, threads: int | None) -> Reading:
    """Gives videos the depth that holds their footage, where none was asked for, and says so.

    Args:
        videos: the footage; they are read at that depth from then on.
        reading: how they are read so far.
        notes: is told the depth, and where it does not fit.
        threads: how many look.

    Returns:
        How the videos are read.
    """
    kinds = look_at_depth(videos, TRAINING_LOOK, threads)
    if kinds and reading.depth is None and None not in (needed := [kind.needed for kind in kinds]):
        reading = replace(reading, depth=max(bits for bits in needed if bits is not None))
        for video in videos:
            if isinstance(video, FolderVideo | PictureFile):
                video.reading = replace(video.reading, depth=reading.depth)
        for kind in kinds:
            used = kind.used(reading.depth)
            if kind.floating or used < kind.bits:
                bits = f"{used} bits" if used > 1 else "1 bit"
                notes.say(f"{kind.words} use {bits}: white is {2**used - 1}; --depth fixes it")
    _complain(kinds, reading, notes)
    return reading


def say_depth(videos: Iterable[Video], reading: Reading, notes: Notes, threads: int | None) -> None:
    """Says where the depth at which videos are read clips them or leaves them dark."""
    _complain(look_at_depth(videos, SCORING_LOOK, threads), reading, notes)


def _complain(kinds: Iterable[DeepFootage], reading: Reading, notes: Notes) -> None:
    for kind in kinds:
        if (complaint := kind.complaint(reading.depth)) is not None:
            notes.say(complaint)


def _least_depth(largest: float, declared: int, floating: bool) -> int | None:
    for depth in (1, *DEPTHS) if floating else DEPTHS:
        if largest <= (2**depth - 1) * (SLACK if floating else 1) and declared <= depth:
            return depth
    return DEPTHS[-1] if floating else None


def _spread(folders: Sequence[FolderVideo | PictureFile], most: int) -> list[str]:
    """The paths of about `most` frames, evenly over the videos and within each."""
    folders = folders[:: -(-len(folders) // most) or 1]
    total = sum(folder.length for folder in folders)
    paths = []
    for folder in folders:
        if isinstance(folder, PictureFile):
            paths.append(str(folder.path))  # its first picture
            continue
        count = min(folder.length, -(-most * folder.length // total))
        paths += [folder.describe(index) for index in np.linspace(0, folder.length - 1, count).astype(int).tolist()]
    return paths
