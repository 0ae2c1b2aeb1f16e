"""The pictures of the moments, out of their source: each video is read once, forward, no further than it is shown."""

from base64 import b64encode
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from pixelfast import _core
from pixelfast.errors import PixelfastError
from pixelfast.reporting.moments import filmstrip
from pixelfast.scores import Scores
from pixelfast.scores.highlights import Highlight
from pixelfast.sources import FolderVideo, Video
from pixelfast.sources.video import UNREADABLE

Picture = NDArray[np.uint8]

_LARGE, _SMALL, _TINY = 800, 320, 160
"""Pixels of the longer side, at most: the moment's own picture, one of its filmstrip, and the one in the list."""
_QUALITY = {_LARGE: 82, _SMALL: 70, _TINY: 70}
_CHUNK = 16
"""Frames decoded at once."""


@dataclass
class Shown:
    """The pictures of a moment, as addresses that hold them.

    Attributes:
        large: its peak; "" where there is no picture.
        tiny: the same for the list.
        strip: of each picture of the filmstrip its row and the picture.
        size: width and height of `large` in pixels.
        missing: a sentence that says why there is no picture of the peak; "" where there is one.
    """

    large: str = ""
    tiny: str = ""
    strip: dict[int, str] = field(default_factory=dict)
    size: tuple[int, int] = (16, 9)
    missing: str = ""


def take_pictures(
    videos: Iterable[Video],
    scores: Scores,
    moments: Sequence[Highlight],
    threads: int,
    told: Callable[[int], object],
) -> dict[int, Shown]:
    """Returns the pictures of each moment, by its number; what cannot be shown says why.

    Args:
        videos: of the source; matched by their names, and their frames by their numbers.
        scores: whose rows the moments are.
        moments: what is to be shown.
        threads: that decode.
        told: how many moments are done.
    """
    there = {video.name: video for video in videos}
    shown = {moment.number: Shown() for moment in moments}
    done = 0
    for name in dict.fromkeys(moment.video for moment in moments):
        some = [moment for moment in moments if moment.video == name]
        missing = f"The source has no video {name}."
        if name in there:
            missing = _take(there[name], scores, some, shown, threads)
        for moment in some:
            if not shown[moment.number].large:
                frame = scores.frame[moment.peak]
                shown[moment.number].missing = missing or f"The source has no frame {frame} of video {name} to show."
        done += len(some)
        told(done)
    return shown


def _take(video: Video, scores: Scores, moments: Sequence[Highlight], shown: Mapping[int, Shown], threads: int) -> str:
    """Takes the pictures of the moments of one video; returns why there are none, or ""."""
    wanted: dict[int, list[tuple[int, Highlight]]] = {}
    for moment in moments:
        for row in filmstrip(scores, moment):
            wanted.setdefault(int(scores.frame[row]), []).append((row, moment))
    try:
        for frame, picture in _frames(video, set(wanted), threads):
            upright: dict[bool, Picture] = {False: picture, True: picture[::-1]}
            for row, moment in wanted[frame]:
                _keep(upright[bool(scores.flipped[row])], row, moment, shown[moment.number])
    except PixelfastError as error:
        return f"{error}."
    return ""


def _keep(picture: Picture, row: int, moment: Highlight, shown: Shown) -> None:
    shown.strip[row] = jpeg(picture, _SMALL)
    if row == moment.peak:
        shown.large, shown.tiny = jpeg(picture, _LARGE), jpeg(picture, _TINY)
        shown.size = picture.shape[1], picture.shape[0]


def _frames(video: Video, wanted: set[int], threads: int) -> Iterator[tuple[int, Picture]]:
    """Yields the wanted frames u8[H, W, 3] that can be read, with their numbers."""
    height, width = video.size()
    scale = min(1.0, _LARGE / max(height, width))
    size = max(1, round(height * scale)), max(1, round(width * scale))
    if isinstance(video, FolderVideo):
        yield from _files(video, wanted, size, threads)
        return
    for chunk in video.chunks(*size, "rgb", _CHUNK, threads):
        for at, frame in enumerate(chunk.frame_ids.tolist()):
            if frame in wanted:
                wanted.discard(frame)
                if chunk.status[at] != UNREADABLE:
                    yield frame, chunk.frames[at]
        if not wanted:
            return


def _files(video: FolderVideo, wanted: set[int], size: tuple[int, int], threads: int) -> Iterator[tuple[int, Picture]]:
    """The same of a folder, of which no other file is opened."""
    at = np.flatnonzero(np.isin(video.frame_ids, list(wanted))).tolist()
    for start in range(0, len(at), _CHUNK):
        some = at[start : start + _CHUNK]
        frames, status = _core.decode_frames(
            [video.describe(index) for index in some], *size, "rgb", threads,
            orientation=video.reading.orientation, depth=video.reading.depth,
        )  # fmt: skip
        for index, frame, read in zip(some, frames, status, strict=True):
            if read != UNREADABLE:
                yield int(video.frame_ids[index]), frame


def jpeg(picture: Picture, side: int) -> str:
    """Returns a picture u8[H, W, 3] as an address that holds a JPEG of it, its longer side at most so many pixels."""
    import cv2

    height, width = picture.shape[:2]
    scale = side / max(height, width)
    if scale < 1:
        size = max(1, round(width * scale)), max(1, round(height * scale))
        picture = np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), np.uint8)
    bgr = np.ascontiguousarray(picture[..., ::-1])
    data = cv2.imencode(".jpg", bgr, [cv2.IMWRITE_JPEG_QUALITY, _QUALITY.get(side, 80)])[1]
    return _address("jpeg", data)


def png(picture: Picture) -> str:
    """Returns a picture u8[H, W, 4] with its opacity as an address that holds a PNG of it."""
    import cv2

    return _address("png", cv2.imencode(".png", np.ascontiguousarray(picture[..., [2, 1, 0, 3]]))[1])


def _address(kind: str, data: NDArray[np.uint8]) -> str:
    return f"data:image/{kind};base64,{b64encode(data.tobytes()).decode()}"
