"""What can be watched: a stream of the network, a camera of this machine, a file; how it is opened, and its name."""

import os
import re
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from pixelfast.errors import SourceError

CameraSource = str | os.PathLike[str] | int
"""An address such as rtsp://…, the number of a camera of this machine, or a video file."""

STALL_SECONDS: Final = 10.0
"""Without a packet for so long a stream counts as lost, and one that is to be opened as one that does not answer."""

_SCHEMES: Final = frozenset({"rtsp", "rtsps", "http", "https", "rtmp", "rtmps", "srt", "udp", "rtp", "tcp"})
_ADDRESS: Final = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://(.*)", re.DOTALL)
_DEVICES: Final = "/dev/video"
# By TCP, so that no packet is lost on the way, and without the sound.
_RTSP: Final = {"rtsp_transport": "tcp", "allowed_media_types": "video"}


@dataclass(frozen=True)
class CameraAddress:
    """Where frames come from.

    Attributes:
        address: what FFmpeg opens; it may hold a password.
        name: what may be printed of it.
        live: whether frames come at their own pace; those of a file come as fast as they are taken.
    """

    address: str
    name: str
    live: bool

    @property
    def of_network(self) -> bool:
        """Whether it is a stream of the network."""
        return self.live and not self.address.startswith(_DEVICES)


def camera_of(source: CameraSource) -> CameraAddress:
    """Returns what a source is, by its name alone.

    Raises:
        SourceError: it is nothing that can be watched, or not there.

    Examples:
        >>> from pixelfast.sources.camera import camera_of
        >>> camera_of("rtsp://admin:secret@10.0.0.7/cam?token=x").name
        'rtsp://10.0.0.7/cam…'
    """
    if isinstance(source, int) and not isinstance(source, bool):
        source = str(source)
    if not isinstance(source, str | os.PathLike):
        several = "several sources" if isinstance(source, list | tuple) else f"{source!r}"
        raise SourceError(f"watch looks at one camera, stream or file, not at {several}: start one for each of them")
    text = os.fspath(source)
    if (address := _ADDRESS.fullmatch(text)) is not None:
        return _stream(text, *address.groups())
    path = Path(f"{_DEVICES}{text}" if text.isdecimal() and text.isascii() else text)
    if path.is_dir():
        raise SourceError(f"{path} is a folder, and watch looks at one camera, stream or file: score it instead")
    if not path.exists():
        mend = "give rtsp://…, the number of a camera (0), or a video file"
        if sys.platform != "linux":
            mend = "give rtsp://… or a video file; cameras of the machine itself can be watched on Linux alone"
        raise SourceError(f"{path} does not exist: {mend}")
    return CameraAddress(str(path), str(path), path.is_char_device())


def _stream(text: str, scheme: str, rest: str) -> CameraAddress:
    """A stream of the network; of its address what may be a password is not printed."""
    if scheme.lower() not in _SCHEMES:
        raise SourceError(f"watch knows no {scheme}://: give an rtsp:// or http:// address, or the path of a file")
    user, at, after = rest.rpartition("@")
    shown = "…" if at and re.search("[/?#]", user) else re.sub("[?#&;=].*", "…", after, flags=re.DOTALL)
    return CameraAddress(text, f"{scheme}://{shown}", True)


def open_camera(camera: CameraAddress) -> tuple[Any, Any]:
    """Opens a camera or a stream with FFmpeg; returns it and its video stream.

    Raises:
        SourceError: it cannot be reached, refuses, or holds no video; the sentence says what to do.
    """
    file = _opened(camera, _RTSP if camera.address.lower().startswith("rtsp") else {})
    if "mpjpeg" in file.format.name:  # it tells no times, and FFmpeg would make some up
        file.close()
        file = _opened(camera, {"use_wallclock_as_timestamps": "1"})
    streams = [one for one in file.streams.video if one.codec_context is not None]
    if not streams:
        file.close()
        raise SourceError(f"{camera.name} has no video that FFmpeg can decode: give the address of the pictures")
    return file, streams[0]


def _opened(camera: CameraAddress, options: dict[str, str]) -> Any:
    import av

    kind, seconds = None if camera.of_network else "v4l2", (STALL_SECONDS, STALL_SECONDS)
    try:
        return av.open(camera.address, format=kind, options=options, timeout=seconds, metadata_errors="ignore")
    except (av.FFmpegError, OSError) as error:
        raise SourceError(f"{camera.name} {_fault(error)}") from None  # FFmpeg's own words hold the whole address
    except ValueError:
        raise SourceError(f"{camera.name}: cameras of the machine itself can be watched on Linux alone") from None


def _fault(error: Exception) -> str:
    """Says why a stream cannot be opened, and what to do."""
    import av

    kinds: dict[type[Exception] | tuple[type[Exception], ...], str] = {
        av.HTTPUnauthorizedError: "wants another user or password: give them as rtsp://USER:PASSWORD@…",
        av.HTTPForbiddenError: "forbids this user to look: ask for the right, or give another user",
        av.HTTPNotFoundError: "is not there (404): look up the stream's path in the camera's manual",
        av.ExitError: f"does not answer within {STALL_SECONDS:g} seconds: is the camera on, and its address right?",
        ConnectionRefusedError: "refuses the connection: is the camera on, and are its address and port right?",
        av.InvalidDataError: "sends no video that FFmpeg can read: look up the stream's address",
        PermissionError: "may not be opened by this user: join the group video, or change its permissions",
    }
    found = next((said for kind, said in kinds.items() if isinstance(error, kind)), None)
    return found or f"cannot be opened ({words_of(error)}): is the camera on, and its address right?"


def words_of(error: Exception) -> str:
    """Returns FFmpeg's words for an error, without the address that may stand in them."""
    import av

    if isinstance(error, av.ExitError):
        return f"no packet for {STALL_SECONDS:g} seconds"
    return str(getattr(error, "strerror", None) or type(error).__name__)
