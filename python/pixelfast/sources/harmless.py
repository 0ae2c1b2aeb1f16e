"""What is said of files once they are read: a fault that costs no pixel, and pictures that are not read."""

from collections.abc import Iterable

from pixelfast.sources.folder import FolderVideo
from pixelfast.sources.picture_file import first_picture_note
from pixelfast.sources.video import Video


def harmless_note(videos: Iterable[Video]) -> list[str]:
    """Returns a sentence about the files with a fault that costs no pixel, and one about frames of several pictures.

    Args:
        videos: the videos of a run, in order; only those that are folders of files can have any.

    Returns:
        The sentences, with the number of such files and the first of them; none where there are no such files.

    Examples:
        >>> harmless_note([])
        []
    """
    folders = [video for video in videos if isinstance(video, FolderVideo)]
    several = ((video.describe(index), video.several[index]) for video in folders for index in sorted(video.several))
    notes = first_picture_note(several)
    files = [video.describe(index) for video in folders for index in sorted(video.harmless)]
    if files:
        notes.append(
            f"{len(files):,} files have a fault that costs no pixel (no end marker, or stray bytes before a marker) "
            f"and were read whole (first: {files[0]})"
        )
    return notes
