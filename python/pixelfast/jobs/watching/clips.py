"""What is saved of an event: a clip, the picture of its peak, and a JSON, of one stem."""

from collections.abc import Callable, Sequence
from fractions import Fraction
from functools import partial
from pathlib import Path
from typing import Any, Final

from pixelfast.files.atomic import atomic_path
from pixelfast.jobs.watching.album import Album, KeptPicture, unpacked
from pixelfast.jobs.watching.background import Background
from pixelfast.jobs.watching.events import WatchEvent

BEFORE, AFTER = 3.0, 3.0
"""Seconds of a clip around its event."""

LONGEST: Final = 60.0
"""Seconds of a clip, at most."""

_TICKS: Final = 90_000
_MOST_WAITING: Final = 100
_MOST_BYTES: Final = 64 << 20
"""Of the pictures of events that wait to be written; of a file, whose reading waits, they are never too many."""

_AT_THE_END: Final = 60.0
_CODECS: Final = (("libx264", {"preset": "veryfast", "crf": "23"}), ("mpeg4", {"q": "4"}))


def stem_of(event: WatchEvent, folder: Path) -> Path:
    """Returns what the names of an event's files begin with."""
    when = Path(event.video).stem if event.time is None else f"{event.time:%Y-%m-%dT%H-%M-%S}"
    return folder / f"{when}_frame_{event.start:07d}"


class Clips:
    """Saves events in a folder, on a thread of its own."""

    def __init__(self, album: Album, tell: Callable[[str], None], *, live: bool) -> None:
        self._album, self._tell, self._live = album, tell, live
        self._background = Background(1, _MOST_WAITING, tell, _MOST_BYTES)
        self._waiting: list[tuple[WatchEvent, bytes | None]] = []  # for the seconds after them
        self._written: int | None = None  # the start of the event whose clip is written though it goes on

    def goes_on(self, event: WatchEvent, picture: bytes | None) -> None:
        """Takes how far an event is; one that is as long as a clip may be is saved as it is."""
        if self._written != event.start and event.lasts + BEFORE >= LONGEST:
            self._written = event.start
            self._save(event, picture, clip=True)

    def ended(self, event: WatchEvent, picture: bytes | None) -> None:
        """Takes an event that has ended; it is saved when the seconds after it are there."""
        if self._written == event.start:
            self._save(event, picture, clip=False)
        else:
            self._waiting.append((event, picture))

    def come(self, seconds: float, *, over: bool = False) -> None:
        """Says that frames have come up to a time, or that no more come of this stretch."""
        ready = [one for one in self._waiting if over or _stop(one[0]) <= seconds]
        self._waiting = [one for one in self._waiting if one not in ready]
        for event, picture in ready:
            self._save(event, picture, clip=True)

    def needed_from(self, seconds: float, now: WatchEvent | None) -> float:
        """Returns from when on pictures are needed, where results are known up to a time and an event may go on."""
        open_ones = [] if now is None or now.start == self._written else [now]
        starts = [event.seconds for event in (*open_ones, *(event for event, _ in self._waiting))]
        return min([seconds, *starts]) - BEFORE

    def close(self) -> None:
        """Waits for what is under way."""
        if not self._background.close(_AT_THE_END):
            self._tell("saving the last events takes too long, and is given up")

    def _save(self, event: WatchEvent, picture: bytes | None, *, clip: bool) -> None:
        assert event.saved is not None, "it is saved"
        stem = Path(event.saved)
        kept = self._album.between(event.seconds - BEFORE, _stop(event)) if clip else []
        failed = f"the event at frame {event.start} is not saved"
        nbytes = sum(len(one.picture) for one in kept)
        task = partial(write_event, stem, event, picture, kept)
        if not self._background.run(task, failed, nbytes, wait=not self._live):
            self._tell(f"{failed}: events come faster than they can be written")


def _stop(event: WatchEvent) -> float:
    return event.seconds + min(event.lasts + AFTER, LONGEST - BEFORE)


def write_event(stem: Path, event: WatchEvent, picture: bytes | None, kept: Sequence[KeptPicture]) -> None:
    """Writes `<stem>.mp4` of the pictures that were kept, `<stem>.jpg` and `<stem>.json`, each whole or not at all.

    Raises:
        OutputError: one cannot be written.
    """
    if kept:
        with atomic_path(_beside(stem, ".mp4")) as temporary:
            write_clip(temporary, kept)
    if picture is not None:
        with atomic_path(_beside(stem, ".jpg")) as temporary:
            temporary.write_bytes(picture)
    with atomic_path(_beside(stem, ".json")) as temporary:
        temporary.write_text(event.json() + "\n", encoding="utf-8", newline="\n")


def write_clip(path: Path, kept: Sequence[KeptPicture]) -> None:
    """Writes pictures as an MP4 of their size, at their times."""
    import av

    height, width = unpacked(kept[0].picture).shape[:2]
    codec, options = next(one for one in _CODECS if one[0] in av.codecs_available)
    with av.open(str(path), "w", format="mp4", options={"movflags": "+faststart"}) as file:
        stream: Any = file.add_stream(codec, rate=25, options=dict(options))
        stream.width, stream.height, stream.pix_fmt = width + width % 2, height + height % 2, "yuv420p"
        stream.codec_context.time_base = stream.time_base = Fraction(1, _TICKS)
        stream.codec_context.thread_count = 1  # beside the watching
        for one in kept:
            frame = av.VideoFrame.from_ndarray(unpacked(one.picture), format="bgr24")
            frame = frame.reformat(stream.width, stream.height, format="yuv420p")
            frame.pts, frame.time_base = round((one.seconds - kept[0].seconds) * _TICKS), Fraction(1, _TICKS)
            file.mux(stream.encode(frame))
        file.mux(stream.encode())


def _beside(stem: Path, suffix: str) -> Path:
    return stem.with_name(stem.name + suffix)
