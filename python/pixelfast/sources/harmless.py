"""What is said of files that are read whole though they have a fault."""

from collections.abc import Iterable

from pixelfast.sources.folder import FolderVideo
from pixelfast.sources.video import Video


def harmless_note(videos: Iterable[Video]) -> list[str]:
    """Returns one sentence about the files with a fault that costs no pixel, of all frames decoded so far.

    Args:
        videos: the videos of a run, in order; only those that are folders of files can have any.

    Returns:
        The sentence, with the number of such files and the first of them; nothing where there are none.

    Examples:
        >>> harmless_note([])
        []
    """
    files = [
        video.describe(index) for video in videos if isinstance(video, FolderVideo) for index in sorted(video.harmless)
    ]
    if not files:
        return []
    return [
        f"{len(files):,} files have a fault that costs no pixel (no end marker, or stray bytes before a marker) and "
        f"were read whole (first: {files[0]})"
    ]
