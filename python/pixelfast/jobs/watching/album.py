"""The last pictures of a camera, as people see them, kept packed for the events that may come of them."""

from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from av import VideoFrame

MOST_BYTES: Final = 128 << 20
_QUALITY: Final = 85


class KeptPicture(NamedTuple):
    """A picture as JPEG, with the frame's number and its seconds."""

    number: int
    seconds: float
    picture: bytes


class Album:
    """Keeps pictures within a bound of bytes: where they are too many, every second one is left out.

    Examples:
        >>> from pixelfast.jobs.watching.album import Album, KeptPicture
        >>> album = Album(most_bytes=4)
        >>> for number in range(6):
        ...     album.add(KeptPicture(number, number / 25, b"."))
        >>> [kept.number for kept in album.between(0.0, 1.0)]
        [0, 2, 4, 5]
    """

    def __init__(self, most_bytes: int = MOST_BYTES) -> None:
        self._kept: deque[KeptPicture] = deque()
        self._bytes, self._most = 0, most_bytes

    def add(self, kept: KeptPicture) -> None:
        """Takes the next picture."""
        self._kept.append(kept)
        self._bytes += len(kept.picture)
        while self._bytes > self._most and len(self._kept) > 1:
            self._kept = deque(list(self._kept)[::2])
            self._bytes = sum(len(one.picture) for one in self._kept)

    def forget(self, before: float) -> None:
        """Lets go of the pictures before a time in seconds."""
        while self._kept and self._kept[0].seconds < before:
            self._bytes -= len(self._kept.popleft().picture)

    def at(self, number: int) -> bytes | None:
        """Returns the picture of a frame, or of the nearest that is there; None where none is."""
        nearest = min(self._kept, key=lambda one: abs(one.number - number), default=None)
        return None if nearest is None else nearest.picture

    def between(self, start: float, stop: float) -> list[KeptPicture]:
        """Returns the pictures of a span of seconds, its ends included."""
        return [one for one in self._kept if start <= one.seconds <= stop]


def packer(widest: int | None) -> Callable[["VideoFrame", int], bytes | None]:
    """Returns what packs a decoded picture, turned as an orientation of EXIF says, as JPEG.

    Args:
        widest: pixels that it is made smaller to; None keeps its size.
    """

    def pack(frame: "VideoFrame", orientation: int) -> bytes | None:
        import cv2

        less = min(1.0, (widest or frame.width) / frame.width)
        size = {"width": round(frame.width * less), "height": max(1, round(frame.height * less))}
        pixels = np.asarray(frame.reformat(**size, format="bgr24").to_ndarray(), np.uint8)
        done, data = cv2.imencode(".jpg", _upright(pixels, orientation), [cv2.IMWRITE_JPEG_QUALITY, _QUALITY])
        return data.tobytes() if done else None

    return pack


def unpacked(picture: bytes) -> NDArray[np.uint8]:
    """Returns a packed picture as u8[H, W, 3] in BGR order."""
    import cv2

    pixels = cv2.imdecode(np.frombuffer(picture, np.uint8), cv2.IMREAD_COLOR)
    assert pixels is not None, "it was packed here"
    return np.asarray(pixels, np.uint8)


def _upright(pixels: NDArray[np.uint8], orientation: int) -> NDArray[np.uint8]:
    """Pixels u8[H, W, 3] as they are seen, where they lie as an orientation of EXIF says."""
    if orientation >= 5:
        pixels = pixels.swapaxes(0, 1)
    down, across = orientation in (3, 4, 7, 8), orientation in (2, 3, 6, 7)
    return np.ascontiguousarray(pixels[:: -1 if down else 1, :: -1 if across else 1])
