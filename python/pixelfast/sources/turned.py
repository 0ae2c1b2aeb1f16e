"""What is said of frames that were turned as their orientation says."""

from collections.abc import Iterable

from pixelfast.sources.folder import FolderVideo
from pixelfast.sources.video import Video


def turned_note(videos: Iterable[Video]) -> list[str]:
    """Returns one sentence about the frames that EXIF or TIFF orientation turned, of all frames decoded so far.

    Args:
        videos: the videos of a run, in order; only those that are folders of files can have any.

    Returns:
        The sentence, with the number of such frames and the first video that has any; nothing where there are none.

    Examples:
        >>> turned_note([])
        []
    """
    found = [video for video in videos if isinstance(video, FolderVideo) and video.turned]
    if not found:
        return []
    turned, frames = sum(len(video.turned) for video in found), sum(video.length for video in found)
    where = f"video {found[0].name}" if len(found) == 1 else f"{len(found):,} videos (first: {found[0].name})"
    return [
        f"{turned:,} of {frames:,} frames of {where} carry an orientation and are turned by it: "
        "--no-orientation (orientation=False) leaves them"
    ]
