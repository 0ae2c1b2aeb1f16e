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
    """One value a frame, sorted naturally by video, then by frame number; each frame is there once.

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


def from_scores(scores: "Scores") -> FrameTable:
    """Returns the values that a CSV would hold.

    Raises:
        ScoresError: two videos have one name in an `Id` (`01` and `1`).
    """
    from pixelfast.scores.files import csv_names

    values = scores.submitted
    return _sorted(csv_names(scores.videos), scores.video_index.astype(np.int64), scores.frame, values, "the scores")


def read_csv(path: Path, column: str) -> FrameTable:
    """Reads a CSV of `Id` and one column of numbers; other columns are passed over.

    Raises:
        ScoresError: it cannot be read, a column is missing, an Id is no `{video}_{frame}` or is there twice, a value
            is missing or not a finite number.
    """
    import pyarrow as pa
    import pyarrow.csv as pacsv

    try:
        options = pacsv.ConvertOptions(
            column_types={"Id": pa.string(), column: pa.float64()},
            null_values=["", "NA", "null", "None"],
            strings_can_be_null=False,
        )
        table = pacsv.read_csv(path, convert_options=options)
    except (pa.ArrowException, OSError) as error:
        raise ScoresError(f"{path} cannot be read as a CSV: {first_line(error)[:200]}") from error
    for name in ("Id", column):
        if table.column_names.count(name) != 1:
            raise ScoresError(f"{path} must have the columns Id and {column}, not {', '.join(table.column_names)}")
    return _from_columns(table["Id"].combine_chunks(), table[column], column, path)


def _from_columns(ids: "pa.Array", values: "pa.ChunkedArray", column: str, path: Path) -> FrameTable:
    import pyarrow.compute as pc

    numbers = np.asarray(values.to_numpy(), dtype=np.float64)
    if not np.isfinite(numbers).all():
        row = int(np.flatnonzero(~np.isfinite(numbers))[0])
        raise ScoresError(f"{path}: {column} of {ids[row]} is missing or not a finite number")
    matched = pc.extract_regex(ids, r"(?s)^(?P<video>.*)_0*(?P<frame>[0-9]{1,18})$")
    if matched.null_count:
        row = int(np.flatnonzero(np.asarray(matched.is_null()))[0])
        raise ScoresError(f"{path}: the Id {ids[row].as_py()!r} is not VIDEO_FRAME, such as 1_25")
    frame = np.asarray(pc.struct_field(matched, "frame").cast("int64"))
    names = pc.struct_field(matched, "video").dictionary_encode()
    places: dict[str, int] = {}
    position = [places.setdefault(unpadded(name), len(places)) for name in names.dictionary.to_pylist()]
    video = np.array(position, np.int64)[np.asarray(names.indices)]
    return _sorted(list(places), video, frame, numbers, str(path))


def _sorted(
    videos: list[str], video: NDArray[np.int64], frame: NDArray[np.int64], values: NDArray[np.float64], what: str
) -> FrameTable:
    by_name = sorted(range(len(videos)), key=lambda index: natural_key(videos[index]))
    video = np.argsort(by_name)[video]
    order = np.lexsort((frame, video))
    table = FrameTable(tuple(videos[index] for index in by_name), video[order], frame[order], values[order])
    twice = np.flatnonzero((np.diff(table.video) == 0) & (np.diff(table.frame) == 0))
    if len(twice):
        raise ScoresError(f"{what}: the frame {table.name(int(twice[0]))} is there twice")
    return table
