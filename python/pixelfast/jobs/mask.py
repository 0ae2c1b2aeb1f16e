"""A mask that footage itself proposes: what `pixelfast.propose_mask` does."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from pixelfast.cleaning.overlays import CELL, WIDTH, Overlays, find_overlays
from pixelfast.errors import OutputError, SourceError
from pixelfast.files.atomic import atomic_path
from pixelfast.notes import Notes
from pixelfast.options import Reading
from pixelfast.sources import Source, Video, open_source
from pixelfast.sources.pace import rate_of

MOST_FRAMES: Final = 1500
"""A minute of 25 frames a second."""

_RED: Final = (0, 0, 255)  # OpenCV's order


@dataclass(frozen=True)
class MaskProposal:
    """What `pixelfast.propose_mask` found.

    Attributes:
        clock: the share of the picture that text which changes every second takes, with what stands beside it.
        moving: the share that always moves.
        out: the mask, white where something is to be left out; None where there is nothing.
        preview: a frame with the mask drawn over it; None where there is nothing.
        notes: what was said aloud.

    Examples:
        >>> pixelfast.propose_mask("new/01", "mask.png").clock
        0.0
    """

    clock: float
    moving: float
    out: Path | None
    preview: Path | None
    notes: list[str] = field(default_factory=list)


def propose(source: Source, out: Path, preview: Path | None, fps: float | None) -> MaskProposal:
    """Looks at the first minute of a video; see `pixelfast.propose_mask`."""
    notes = Notes()
    if out.suffix.lower() != ".png":
        raise OutputError(f"{out} does not end in .png: name the mask so that its kind is known")
    videos = open_source(source, notes, reading=Reading(fps=fps))
    if len(videos) > 1:
        notes.say(f"of {len(videos)} videos the first, {videos[0].name}, was looked at: give another to look at that")
    height, width = videos[0].size()
    found = find_overlays(_frames(videos[0], height, width), rate_of(videos[0]))
    mask = found.mask(height, width)
    shares = float(found.clock.mean()), float((found.moving & ~found.clock).mean())
    if not mask.any():
        return MaskProposal(*shares, None, None, list(notes))
    shown = preview or out.with_name(f"{out.stem}.preview.png")
    _write(mask.astype(np.uint8) * 255, out)
    _write(_drawn_over(videos[0], found), shown)
    return MaskProposal(*shares, out, shown, list(notes))


def _frames(video: Video, height: int, width: int) -> NDArray[np.uint8]:
    """The first minute, grey, in a size of whole cells."""
    scale = min(1.0, WIDTH / width)
    small = [max(CELL, round(side * scale / CELL) * CELL) for side in (height, width)]
    taken, frames = 0, list[NDArray[np.uint8]]()
    for chunk in video.chunks(small[0], small[1]):
        frames.append(chunk.frames[: MOST_FRAMES - taken])
        taken += len(frames[-1])
        if taken == MOST_FRAMES:
            break
    if taken < 2:
        raise SourceError(f"{video.describe(0)}: a mask is proposed from what changes, and there are not two frames")
    return np.concatenate(frames)


def _drawn_over(video: Video, found: Overlays) -> NDArray[np.uint8]:
    """The first frame in the colors that OpenCV takes, with what is to be left out in red."""
    picture: NDArray[np.uint8] = next(iter(video.chunks(None, None, "rgb", 1))).frames[0][..., ::-1].copy()
    mask = found.mask(*picture.shape[:2])
    picture[mask] = (0.45 * picture[mask] + 0.55 * np.array(_RED)).astype(np.uint8)
    return picture


def _write(picture: NDArray[np.uint8], path: Path) -> None:
    import cv2

    with atomic_path(path) as temporary:
        done, data = cv2.imencode(".png", picture)
        if not done:
            raise OutputError(f"{path} cannot be written as a PNG")
        temporary.write_bytes(data.tobytes())
