"""One connection to a camera, read and decoded on a thread of its own: its frames, small, in stretches without gap."""

import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import chain, islice
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from pixelfast.options import Reading
from pixelfast.sources.belt import Belt
from pixelfast.sources.camera import CameraAddress, open_camera, words_of
from pixelfast.sources.clock import beat_at
from pixelfast.sources.live import LiveVideo
from pixelfast.sources.planes import geometry_of, orientation_of, write_frames
from pixelfast.sources.video import READ, Chunk, Color, FrameFormat, Video

if TYPE_CHECKING:
    from av import VideoFrame

    from pixelfast.sources.film import Film, Shot

_MOST_WAITING, _MOST_BYTES = 256, 96 << 20
"""Frames between reading and scoring: ten seconds of a camera, as some methods compute in bursts."""

_FILE_WAITING: Final = 32
_ENOUGH_TO_TELL: Final = 12
"""Frames by whose times the rate of a camera is found: what its header says is often made up."""


class Taken(NamedTuple):
    """A frame that is handed on.

    `number` counts all frames that were decoded, from 0, `seconds` since the first of them, `clock` is the time of the
    day (as `time.time`) at which it came; `pixels` are in the size and color that the method wants, `picture` is it as
    it is kept for people.
    """

    number: int
    seconds: float
    clock: float
    status: int
    pixels: NDArray[np.uint8]
    picture: bytes | None


class Over(NamedTuple):
    """The connection's end: what was wrong, as a clause; None where the footage just ended; or an error."""

    fault: str | None
    error: Exception | None = None


@dataclass(frozen=True)
class ReadPlan:
    """How a camera is read.

    Attributes:
        reading: how its pictures become pixels.
        threads: of FFmpeg's decoder.
        chunk: frames to a call of the engine.
        wanted: the size and color that the method wants of a video.
        pace: takes the frames a second of the camera, None where that is not known, and says how many are taken; None
            for all.
        picture: makes of a decoded picture and how it is turned what is kept for people; None where nothing is.
    """

    reading: Reading
    threads: int
    chunk: int
    wanted: Callable[[Video], FrameFormat]
    pace: Callable[[float | None], float | None]
    picture: "Callable[[VideoFrame, int], bytes | None] | None" = None


class CameraVideo(LiveVideo):
    """A stretch of a camera's frames, neither lost nor left out: a video of its own.

    Attributes:
        following: gives its next frame; None at its end, again and again.
    """

    def __init__(self, name: str, size: tuple[int, int], chunk: int) -> None:
        super().__init__((), chunk)
        self.name, self._size = name, size
        self.following: Callable[[], Taken | None] = lambda: None
        self._ahead: Taken | None = None

    def begins(self) -> bool:
        """Waits for the first frame; False where there is none."""
        self._ahead = self.following()
        return self._ahead is not None

    def size(self) -> tuple[int, int]:
        """Returns height and width of its pictures, as they are seen."""
        return self._size

    def chunks(
        self, height: int | None, width: int | None, color: Color = "grey", chunk: int = 64, threads: int | None = None
    ) -> Iterator[Chunk]:
        """Yields the frames as they come, which have the size and color of the plan by now: see `Video.chunks`."""
        del height, width, color, threads
        while some := list(islice(self._frames_as_they_come(), min(chunk, self.piece))):
            columns = zip(*((one.number, one.status, one.seconds) for one in some), strict=True)
            numbers, status, seconds = columns
            pixels = np.stack([one.pixels for one in some])
            yield Chunk(np.array(numbers), pixels, np.array(status, np.uint8), np.array(seconds))

    def describe(self, index: int) -> str:
        """Returns the number of a frame within the stretch."""
        return f"frame {index} of {self.name}"

    def _frames_as_they_come(self) -> Iterator[Taken]:
        while (one := self._ahead or self.following()) is not None:
            self._ahead = None
            yield one


class Reader:
    """Reads one connection on a thread of its own, which ends with the connection or when it is left.

    Attributes:
        belt: a `CameraVideo` at the start of each stretch, its frames, and at last an `Over`.
        live: whether frames come at their own pace, and are dropped where there is no room for them.
        number: of the next frame.
        dropped: frames that were dropped.
    """

    def __init__(self, camera: CameraAddress, plan: ReadPlan, number: int, begin: Callable[[], float]) -> None:
        """Begins to connect; `number` is that of the first frame, `begin` tells its seconds when it is there."""
        self.live, self.number, self.dropped = camera.live, number, 0
        waiting = _MOST_WAITING if camera.live else _FILE_WAITING
        self.belt = Belt[CameraVideo | Taken | Over](waiting, _MOST_BYTES)
        self._camera, self._plan, self._begin = camera, plan, begin
        self._left = False
        self._stretch: _Stretch | None = None
        threading.Thread(target=self._run, name="pixelfast-camera", daemon=True).start()

    def leave(self) -> None:
        """Lets the thread end, of which nothing is wanted any more; a blocked one ends when it wakes up."""
        self._left = True
        self.belt.close()

    def _run(self) -> None:
        try:
            over = self._read()
        except Exception as error:
            over = Over(None, error)
        self.belt.put(over)

    def _read(self) -> Over:
        from pixelfast.sources.film import Film

        camera, plan = self._camera, self._plan
        source = open_camera(camera) if camera.live else Path(camera.address)
        with Film(source, plan.threads, deinterlace=plan.reading.deinterlace) as film:
            # What comes over the network and yet has a length is a file: it ends, and nothing of it need be dropped.
            self.live = camera.live and (film.promised is None or not camera.address.lower().startswith("http"))
            rate, shots = self._rate(film)
            taken, beat, begin = plan.pace(rate), -1, 0.0
            for index, shot in enumerate(shots):
                begin = self._begin() if index == 0 else begin
                if self._left:
                    break
                seconds, number = begin + shot.seconds, self.number
                self.number = number + 1
                before, beat = beat, number if taken is None else beat_at(shot.seconds, taken)
                if beat > before:
                    self._hand_on(shot, number, seconds)
        return Over(None if film.fault is None else words_of(film.fault))

    def _rate(self, film: "Film") -> tuple[float | None, Iterator["Shot"]]:
        """The frames a second, by the header or, of live frames, by the times of the first few; and all shots."""
        shots = iter(film)
        if not self.live:
            return film.rate, shots
        first = list(islice(shots, _ENOUGH_TO_TELL))
        rate = round((len(first) - 1) / (first[-1].seconds - first[0].seconds), 2) if len(first) > 1 else None
        return rate, chain(first, shots)

    def _hand_on(self, shot: "Shot", number: int, seconds: float) -> None:
        if not self._goes_on(shot):
            return
        assert self._stretch is not None, "it goes on"
        pixels = self._stretch.pixels(shot)
        keep, picture = self._plan.picture, None
        if keep is not None and shot.frame is not None:
            picture = keep(shot.frame, self._stretch.orientation)
        one = Taken(number, seconds, time.time(), shot.status, pixels, picture)
        if not self.belt.put(one, pixels.nbytes + len(picture or b""), wait=not self.live):
            self._stretch = None
            self.dropped += 1

    def _goes_on(self, shot: "Shot") -> bool:
        """Whether a shot belongs to a stretch; begins one where none is open. After drops it waits for much room."""
        if self._stretch is not None and self.live and not self._stretch.is_of(shot):
            self._stretch = None
        if self._stretch is not None:
            return True
        if self.live and shot.status != READ:
            return False  # what is shown before the first key frame is no picture
        if self.live and not self.belt.is_low():
            self.dropped += 1
            return False
        assert shot.frame is not None, "a film begins with a picture"
        self._stretch = _Stretch(self._camera.name, shot.frame, self._plan)
        return self.belt.put(self._stretch.video)


class _Stretch:
    """How the pictures of a stretch become pixels: all as the first one lies."""

    def __init__(self, name: str, first: "VideoFrame", plan: ReadPlan) -> None:
        geometry = geometry_of(first)
        turn = plan.reading.orientation
        self.orientation = orientation_of(first) if turn else 1
        self._size = geometry.size
        self.video = CameraVideo(name, geometry.seen if turn else geometry.size, plan.chunk)
        self._format = plan.wanted(self.video)

    def is_of(self, shot: "Shot") -> bool:
        """Whether a picture has the size of the first."""
        return shot.frame is None or (shot.frame.height, shot.frame.width) == self._size

    def pixels(self, shot: "Shot") -> NDArray[np.uint8]:
        """Returns a shot in the size and color that the method wants, zeros where there is no picture."""
        wanted = self._format
        shape = (1, wanted.height, wanted.width, *((3,) if wanted.color == "rgb" else ()))
        frames = np.zeros(shape, np.uint8)
        write_frames([shot.frame], frames, wanted.color, orientation=self.orientation, threads=1)
        pixels: NDArray[np.uint8] = frames[0]
        return pixels
