"""Why something is no source of videos, and what to give instead."""

from pathlib import Path

from pixelfast.files.natural import natural_key
from pixelfast.sources.listing import FRAME_SUFFIXES, Contents
from pixelfast.sources.picture_file import suffix


def no_folder(path: Path) -> str:
    """Says why a file is no source, and what to give instead."""
    if suffix(path.name) in FRAME_SUFFIXES:
        return f"{path} is a single frame: give the folder that holds it, {path.parent}"
    return f"{path} is a file, not a folder: give a folder of frames, a video file, or a folder of either"


def no_frames(folder: Path, listing: Contents, below: dict[Path, Contents]) -> str:
    """Says why a folder is no source, by what it and the folders below it hold instead of frames."""
    inside = {path: found for path, found in below.items() if path != folder}
    files = [folder / name for name in sorted(listing.others, key=natural_key)]
    files += [path / other for path, found in inside.items() for other in found.others]
    names = some_of([path.relative_to(folder) for path in inside])
    what = f"its folders are empty of them: {names}" if inside else "it is empty"
    if files:
        what = f"it holds other files, such as {files[0]}" + f"; without frames: {names}" * bool(inside)
    kinds = ", ".join(sorted(FRAME_SUFFIXES))
    return (
        f"{folder} holds no frames ({what}). Give a folder of images ({kinds}) or of video "
        "files, or a folder of such folders"
    )


def some_of(things: list[str] | list[Path], most: int = 10) -> str:
    """Returns the first things of a list, and how many more there are."""
    more = f" and {len(things) - most} more" if len(things) > most else ""
    return ", ".join(map(str, things[:most])) + more
