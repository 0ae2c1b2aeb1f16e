"""Where in the picture a moment is: the error maps that parts hold, as pictures to lay over it."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pixelfast.errors import ScoresError
from pixelfast.files.places import AnyPath
from pixelfast.options import USUAL_READING, Reading
from pixelfast.pipeline.part_maps import maps_at
from pixelfast.pipeline.parts import Part, part_files, read_part
from pixelfast.scores import Scores
from pixelfast.scores.highlights import Highlight
from pixelfast.scores.selecting import rows_of_video

Map = NDArray[np.float32]

_COOL, _HOT = np.array([255, 196, 0]), np.array([226, 20, 60])
"""Red, green and blue of the weakest and the strongest error."""
_STRONGEST = 0.62
"""How much of the picture the strongest error covers."""


@dataclass(frozen=True)
class Kept:
    """What the parts of some scores tell beside them.

    Attributes:
        maps: the error map f32[h, w] at the peak of each moment, by its number.
        reading: how the run read the pictures of its source.
        held_out: frames that the calibration was measured on; None where that is not known.
        notes: a sentence about what was wanted and is not there.
    """

    maps: dict[int, Map] = field(default_factory=dict)
    reading: Reading = USUAL_READING
    held_out: int | None = None
    notes: tuple[str, ...] = ()


def read_kept(folder: AnyPath | None, scores: Scores, moments: Sequence[Highlight]) -> Kept:
    """Reads the parts that these scores come from: those whose raw scores are the same; others are left."""
    if folder is None:
        return Kept()
    maps, found, bad = dict[int, Map](), list[Part](), list[str]()
    wanted = {moment.video for moment in moments}
    for path in part_files(folder):
        try:
            part = read_part(path, maps=False)
            rows = rows_of_video(scores, part.video) if part.video in wanted else slice(0, 0)
            if rows == slice(0, 0) or not np.array_equal(part.raw, scores.raw[rows]):
                continue
            found.append(part)
            own = [one for one in moments if one.video == part.video]
            errors = maps_at(path, [one.peak - rows.start for one in own])
        except ScoresError as error:
            bad.append(str(error))
            continue
        if errors is not None:
            maps |= {one.number: errors[at].astype(np.float32) for at, one in enumerate(own)}
    if not found and moments:
        bad.append(f"{folder} {'holds no parts of these scores' if folder.is_dir() else 'does not exist'}")
    elif missing := [one for one in moments if one.number not in maps]:
        bad.append(f"{len(missing)} of {len(moments)} moments have no error map: score with --maps to keep them")
    return Kept(maps, *_facts(found), tuple(bad[:3]))


def _facts(parts: Sequence[Part]) -> tuple[Reading, int | None]:
    """How their run read its source, and how many frames its calibration was measured on."""
    if not parts:
        return USUAL_READING, None
    job = parts[0].job
    unusual: dict[str, Any] = {name: job.settings[name] for name in vars(USUAL_READING) if name in job.settings}
    return Reading(**unusual), None if job.calibration is None else job.calibration.get("frames")


def heat(errors: Map) -> NDArray[np.uint8]:
    """Returns an error map as a picture u8[h, w, 4] of red, green, blue and opacity; clear up to the map's median.

    Examples:
        >>> from pixelfast.reporting.where import heat
        >>> heat(np.array([[0, 0, 0], [0, 0, 2]], np.float32))[..., 3].tolist()
        [[0, 0, 0], [0, 0, 158]]
    """
    low, high = float(np.median(errors)), float(errors.max())
    strength = np.clip((errors - low) / max(high - low, 1e-9), 0, 1)[..., None] ** 2  # parts keep square roots
    return np.concatenate([_COOL + (_HOT - _COOL) * strength, 255 * _STRONGEST * strength], -1).astype(np.uint8)


def worst(errors: Map) -> tuple[float, float]:
    """Returns the middle of the map's highest cell, in shares of the picture's width and height."""
    row, column = divmod(int(errors.argmax()), errors.shape[1])
    return (column + 0.5) / errors.shape[1], (row + 0.5) / errors.shape[0]
