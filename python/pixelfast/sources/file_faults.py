"""What a video file is not, when it is not one that can be read: a sentence each, with what to do."""

from pathlib import Path
from typing import Any, Final

import av

from pixelfast.errors import beyond_repair, first_line

_LOOK: Final = 1 << 20
"""Bytes at each end of a file that are looked through."""

_AGAIN: Final = "copy or export it again"


def opened_file(path: Path) -> Any:
    """Opens a file with FFmpeg.

    Raises:
        LostFootageError: it is empty, no video, lacks its index, has gone or cannot be read; the sentence says what to
            do.
    """
    try:
        size = path.stat().st_size
        if size:
            return av.open(str(path), metadata_errors="ignore")
    except av.InvalidDataError as error:
        raise beyond_repair(f"{path} {_fault(path)}") from error
    except OSError as error:
        raise beyond_repair(f"{path} cannot be read: {error.strerror or first_line(error)}") from error
    raise beyond_repair(f"{path} is empty (0 bytes): {_AGAIN}, or leave it out")


def video_stream(file: Any, path: Path) -> Any:
    """Returns the first video stream of an open file that is no cover picture.

    Raises:
        LostFootageError: there is none, it is encrypted, or FFmpeg has no decoder for it; the file is closed then.
    """
    streams = [one for one in file.streams.video if not one.disposition & type(one.disposition).attached_pic]
    fault = None
    if not streams:
        kinds = sorted({one.type for one in file.streams} - {"video"})
        held = f"it holds {' and '.join(kinds)} alone" if kinds else "it holds nothing that plays"
        fault = f"has no video stream ({held}): give the file with the pictures, or leave this one out"
    elif b"encv" in _ends(path):
        fault = "is encrypted: decrypt it, or export it again without protection"
    elif streams[0].codec_context is None:
        fault = "holds video of a kind that FFmpeg has no decoder for here: convert it, to H.264 for example"
    if fault is not None:
        file.close()
        raise beyond_repair(f"{path} {fault}")
    return streams[0]


def _ends(path: Path) -> bytes:
    with path.open("rb") as file:
        start = file.read(_LOOK)
        file.seek(max(len(start), path.stat().st_size - _LOOK))
        return start + file.read(_LOOK)


def _fault(path: Path) -> str:
    """Says, by its bytes, why FFmpeg cannot open a file."""
    ends = _ends(path)
    if ends[4:8] in (b"ftyp", b"mdat", b"moov", b"free", b"wide") and b"moov" not in ends:
        return (
            "has no index (moov), as its recording was cut off: copy it again or, where that is all there is, rebuild "
            "it with a tool such as untrunc; an .mkv or .ts would have lost its end alone"
        )
    if not ends.strip(b"\0"):
        return f"holds nothing but zeros: {_AGAIN}"
    if _is_text(ends[:512]):
        return f"is no video: it holds text; give the video file itself, or {_AGAIN}"
    return f"is no video that FFmpeg can read: {_AGAIN}"


def _is_text(start: bytes) -> bool:
    try:
        return all(one.isprintable() or one.isspace() for one in start.decode("utf-8", errors="strict"))
    except UnicodeDecodeError as error:
        return error.start > len(start) - 4 and _is_text(start[: error.start])
