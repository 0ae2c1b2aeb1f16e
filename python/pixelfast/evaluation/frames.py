"""Which frames a table speaks of: videos and frame numbers, whatever file they came from."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from pixelfast.errors import ScoresError, first_line
from pixelfast.files.natural import natural_key, unpadded

if TYPE_CHECKING:
    import pyarrow as pa

    from pixelfast.scores import Scores


@dataclass(frozen=True)
class FrameTable:
    """One value a frame, video by video, which are in natural order; each frame is there once.

    The frames of a video are in the order of time: as scores hold them; by number in a CSV, which does not tell.

    Attributes:
        videos: Names as they stand in an `Id`: numeric ones without leading zeros.
        video: i64[N], positions in `videos`.
        frame: i64[N].
        values: f64[N].
    """

    videos: tuple[str, ...]
    video: NDArray[np.int64]
    frame: NDArray[np.int64]
    values: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.frame)

    def name(self, row: int) -> str:
        """Returns the `Id` of a row."""
        return f"{self.videos[self.video[row]]}_{self.frame[row]}"

    def rows(self, video: int) -> slice:
        """Returns where a video's frames lie."""
        first, end = np.searchsorted(self.video, [video, video + 1])
        return slice(int(first), int(end))

    def by_number(self) -> NDArray[np.int64]:
        """Returns the positions i64[N] of all rows, sorted by video, then by frame number."""
        return np.lexsort((self.frame, self.video))


def from_scores(scores: "Scores") -> FrameTable:
    """Returns the values that a CSV would hold.

    Raises:
        ScoresError: two videos have one name in an `Id` (`01` and `1`).
    """
    from pixelfast.scores.files import csv_names

    values = scores.submitted
    videos, video = csv_names(scores.videos), scores.video_index.astype(np.int64)
    return _sorted(videos, video, scores.frame, values, "the scores", time=np.arange(len(scores)))


def read_csv(path: Path, column: str) -> FrameTable:
    """Reads a CSV, in UTF-8 or UTF-16, of `Id` and one column of numbers; labels may be True and False.

    Other columns are passed over.

    Raises:
        ScoresError: it cannot be read, a column is missing, an Id is no `{video}_{frame}` or is there twice, a value
            is missing or not a finite number.
    """
    import pyarrow as pa
    import pyarrow.csv as pacsv

    kinds = (pa.float64(), pa.bool_()) if column == "Label" else (pa.float64(),)
    failures: list[Exception] = []
    for kind in kinds:
        options = pacsv.ConvertOptions(
            column_types={"Id": pa.string(), column: kind},
            null_values=["", "NA", "null", "None"],
            strings_can_be_null=False,
        )
        try:
            table = pacsv.read_csv(path, pacsv.ReadOptions(encoding=_encoding(path)), convert_options=options)
            break
        except (pa.ArrowException, OSError, UnicodeError) as error:
            failures.append(error)
    else:
        raise ScoresError(f"{path} cannot be read as a CSV: {first_line(failures[0])}") from failures[0]
    for name in ("Id", column):
        if table.column_names.count(name) != 1:
            raise ScoresError(f"{path} must have the columns Id and {column}, not {', '.join(table.column_names)}")
    return _from_columns(table["Id"].combine_chunks(), table[column], column, path)


def _encoding(path: Path) -> str:
    """UTF-8, or UTF-16 by its mark or by the zero byte beside the first letter."""
    with path.open("rb") as file:
        first = file.read(2)
    if first in (b"\xff\xfe", b"\xfe\xff"):
        return "utf-16"
    return {b"\0": "utf-16-be"}.get(first[:1], "utf-16-le" if first[1:] == b"\0" else "utf-8")


def _from_columns(ids: "pa.Array", values: "pa.ChunkedArray", column: str, path: Path) -> FrameTable:
    import pyarrow as pa
    import pyarrow.compute as pc

    numbers = np.asarray(values.cast("float64").to_numpy(), dtype=np.float64)
    if not np.isfinite(numbers).all():
        row = int(np.flatnonzero(~np.isfinite(numbers))[0])
        raise ScoresError(f"{path}: {column} of {ids[row]} is missing or not a finite number")
    matched = pc.extract_regex(ids, r"(?s)^(?P<video>.*)_0*(?P<frame>[0-9]{1,19})$")
    if matched.null_count:
        row = int(np.flatnonzero(np.asarray(matched.is_null()))[0])
        raise ScoresError(f"{path}: the Id {ids[row].as_py()!r} is not VIDEO_FRAME, such as 1_25")
    digits = pc.struct_field(matched, "frame")
    try:
        frame = np.asarray(digits.cast("int64"))
    except pa.ArrowInvalid as error:
        raise ScoresError(f"{path}: a frame number is too large: {first_line(error)}") from error
    names = pc.struct_field(matched, "video").dictionary_encode()
    places: dict[str, int] = {}
    position = [places.setdefault(unpadded(name), len(places)) for name in names.dictionary.to_pylist()]
    video = np.array(position, np.int64)[np.asarray(names.indices)]
    return _sorted(list(places), video, frame, numbers, str(path), time=frame)


def _sorted(
    videos: list[str],
    video: NDArray[np.int64],
    frame: NDArray[np.int64],
    values: NDArray[np.float64],
    what: str,
    *,
    time: NDArray[np.int64],
) -> FrameTable:
    """The table with its rows sorted by video, then by `time`."""
    by_name = sorted(range(len(videos)), key=lambda index: natural_key(videos[index]))
    video = np.argsort(by_name)[video]
    order = np.lexsort((time, video))
    table = FrameTable(tuple(videos[index] for index in by_name), video[order], frame[order], values[order])
    rows = table.by_number()
    twice = np.flatnonzero((np.diff(table.video[rows]) == 0) & (np.diff(table.frame[rows]) == 0))
    if len(twice):
        raise ScoresError(f"{what}: the frame {table.name(int(rows[twice[0]]))} is there twice")
    return table
