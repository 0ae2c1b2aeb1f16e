"""Where results go, checked before the work and written after it."""

from collections.abc import Iterable
from os import PathLike, fspath
from pathlib import Path

from pixelfast.errors import OutputError
from pixelfast.files.atomic import check_writable
from pixelfast.scores.files import csv_names
from pixelfast.scores.table import Scores
from pixelfast.sources import Video

Out = str | PathLike[str] | Iterable[str | PathLike[str]] | None
SUFFIXES = (".csv", ".parquet")


def output_paths(out: Out) -> list[Path]:
    """Returns the files to write, none for None.

    Raises:
        OutputError: a suffix that says nothing.
    """
    if out is None:
        return []
    paths = [Path(out)] if isinstance(out, str | PathLike) else [Path(fspath(path)) for path in out]
    for path in paths:
        if path.suffix.lower() not in SUFFIXES:
            raise OutputError(f"{path} must end in {' or '.join(SUFFIXES)}, so that it is clear what to write")
    return paths


def check_outputs(paths: Iterable[Path], videos: Iterable[Video]) -> None:
    """Fails before hours of work where writing would fail after them.

    Raises:
        OutputError: a file cannot be written there.
        ScoresError: the videos' names collide in a CSV.
    """
    for path in paths:
        check_writable(path)
        if path.suffix.lower() == ".csv":
            csv_names([video.name for video in videos])


def make_folder(folder: Path) -> None:
    """Makes a folder, its parents too.

    Raises:
        OutputError: it cannot be made, or not be written into.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"the folder {folder} cannot be made: {error.strerror}; choose another place") from error
    check_writable(folder / "part.arrow")


def write_outputs(scores: Scores, paths: Iterable[Path], threads: int = 1) -> None:
    """Writes the scores to each path by its suffix.

    Raises:
        OutputError: a file cannot be written.
    """
    for path in paths:
        scores.write(path, threads=threads)
