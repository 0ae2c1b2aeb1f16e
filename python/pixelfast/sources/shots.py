"""The shots of a video file: by NVDEC where it gives the same ones, else by FFmpeg, which is asked first and last."""

import logging
from collections import deque
from collections.abc import Callable, Generator, Iterator
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any, Final

from pixelfast.errors import DecodeError
from pixelfast.options import Reading
from pixelfast.sources.film import Film, PacketDecoder, Shot
from pixelfast.sources.nvdec import WISH, UnfitError, toolkit, wish
from pixelfast.sources.video import READ, Color

_log = logging.getLogger("pixelfast")

_HELD_BACK: Final = 32
"""Shots that are not handed on before the file is known to go on, as many as FFmpeg's threads and its reordering hold:
where it cannot be read on, those are smeared."""


class Shots:
    """Decodes a file, forward.

    NVDEC decodes files without fault alone. FFmpeg decodes the first picture, to know what they are; at the first sign
    of a fault (a damaged packet, a gap, an end that comes too early, a picture too many or too few) it decodes the file
    again, and goes on where the other left off: so numbers, times, states and pixels are always FFmpeg's. What NVDEC
    does not tell is damage within a packet that the container does not tell either (bytes of an MP4 that changed), or
    that pictures are interlaced of which the first is not: frames that FFmpeg calls smeared count as read then, and
    nothing is said of the comb.

    Attributes:
        film: what was decoded last; of the whole file once all shots were taken.

    Args:
        path: the file.
        threads: of FFmpeg's decoder.
        reading: how its pictures become pixels.
        into: the height and width that are wanted.
        color: of the frames that are wanted; into color FFmpeg alone converts.
    """

    def __init__(self, path: Path, threads: int, reading: Reading, into: tuple[int, int], color: Color) -> None:
        self._path, self._threads, self._reading = path, threads, reading
        self._into, self._color = into, color
        self.film: Film

    def __iter__(self) -> Generator[Shot, None, None]:
        """Yields all shots.

        Raises:
            ArgumentError: the environment asks for a decoder that there is not.
            DecodeError: it insists on NVDEC, which does not decode this file, or not to its end.
            LostFootageError: the file is none, or there is no video in it that can be decoded.
        """
        given = 0
        if self._color == "grey" and (wished := wish()) != "ffmpeg":
            try:
                for shot in self._by_nvdec():
                    given += 1
                    yield shot
            except UnfitError as reason:
                if wished == "nvdec":
                    raise DecodeError(
                        f"{self._path} is not decoded by NVDEC, on which {WISH}=nvdec insists ({reason}): take that "
                        "away, and FFmpeg decodes it"
                    ) from reason
                _log.debug("%s is decoded by FFmpeg from frame %d on: %s", self._path, given, reason)
            else:
                return
        with Film(self._path, self._threads, deinterlace=self._reading.deinterlace) as self.film:
            yield from islice(self.film, given, None)

    def _by_nvdec(self) -> Iterator[Shot]:
        """The shots of a file without fault; an `UnfitError` at the first sign of one."""
        decoder = self._decoder()
        held = deque[Shot]()
        with Film(self._path, 1, decoder=decoder) as self.film:
            for shot in self.film:
                if shot.status != READ:
                    raise UnfitError(f"a frame {shot.why}")
                held.append(shot)
                if len(held) > _HELD_BACK:
                    yield held.popleft()
            if self.film.fault is not None:
                raise UnfitError("it cannot be read to its end")
            yield from held

    def _decoder(self) -> Callable[[Any], PacketDecoder]:
        """What makes of the stream its decoder."""
        if self._reading.deinterlace:
            raise UnfitError("it is to be deinterlaced, which FFmpeg does")
        kit = toolkit()
        from pixelfast.sources.nvdec_decoder import NvdecDecoder
        from pixelfast.sources.nvdec_plan import nvdec_plan

        with Film(self._path, 1) as film:
            first = next(iter(film), None)
            if first is None or first.frame is None or first.status != READ:
                raise UnfitError("its first frame is damaged")
            plan = nvdec_plan(kit, film.codec, first.frame, self._into, orientation=self._reading.orientation)
        return partial(NvdecDecoder, kit, plan)
