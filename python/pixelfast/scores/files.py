"""Scores as files: CSV for a submission, Parquet with everything; where they go is checked before the work."""

import json
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from pixelfast.errors import OutputError, ScoresError, first_line
from pixelfast.files.arrow import arrow_column, arrow_texts
from pixelfast.files.atomic import check_writable
from pixelfast.files.natural import natural_key, unpadded
from pixelfast.files.places import AnyPath, Elsewhere, place
from pixelfast.model.events import EventCurve, EventRate
from pixelfast.scores import why
from pixelfast.scores.schema import COLUMNS, LATER, OPTIONAL
from pixelfast.scores.why import Why

if TYPE_CHECKING:
    import pyarrow as pa

    from pixelfast.scores.table import Scores
    from pixelfast.sources import Video

Out = str | PathLike[str] | Iterable[str | PathLike[str]] | None
SUFFIXES = (".csv", ".parquet")
FORMAT = 1
_METADATA_KEY = b"pixelfast"
_PLAIN_COLUMNS = tuple(name for name in COLUMNS if name != "video_index")
_REQUIRED_COLUMNS = ("video", *(name for name in _PLAIN_COLUMNS if name not in (*OPTIONAL, *LATER)))
_FACTS = ("videos", "method", "submission", "smooth", "threshold", "notes", "phases")
_BEFORE_SUBMISSION = {"reconstruction": "rank", "motion": "score"}
"""What the first files of this format, which do not name their submission, hold by the two methods of that time."""

_CSV_ROWS = 1 << 18  # formatted at once: bounds memory, and keeps Arrow's offsets within 32 bits
_GROUP_ROWS, _GROUPS = 1 << 15, 16  # of a Parquet file: few rows at once bound memory, many groups each hold all names
_MOST_ROWS, _MOST_BYTES = 1_000_000, 2 << 30  # that any Parquet file may announce, however small it is
_SPREADS = 100  # times its own bytes that a larger one may be in memory
_NEEDS_QUOTES = frozenset(',"\r\n')


def output_paths(out: Out) -> list[AnyPath]:
    """Returns the files to write, none for None; a suffix that says nothing is an OutputError."""
    if out is None:
        return []
    paths = [place(out)] if isinstance(out, str | PathLike) else [place(path) for path in out]
    for path in paths:
        if path.suffix.lower() not in SUFFIXES:
            raise OutputError(f"{path} must end in {' or '.join(SUFFIXES)}, so that it is clear what to write")
    return paths


def check_outputs(paths: Iterable[AnyPath], videos: "Iterable[Video]") -> None:
    """Fails before hours of work where writing would fail after them.

    Raises:
        OutputError: a file cannot be written there.
        ScoresError: the videos' names collide in a CSV.
    """
    for path in paths:
        check_writable(path)
        if path.suffix.lower() == ".csv":
            csv_names([video.name for video in videos])


def make_folder(folder: AnyPath) -> None:
    """Makes a folder, its parents too; an OutputError says why it cannot be made or not be written into."""
    try:
        if isinstance(folder, Elsewhere):
            folder.make()
        else:
            folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        why = error.strerror or " ".join(str(error).split())
        raise OutputError(f"the folder {folder} cannot be made: {why}; choose another place") from error
    check_writable(folder / "part.arrow")


def csv_names(videos: Sequence[str]) -> list[str]:
    """Returns the names in an `Id`, numeric ones without leading zeros; two alike (`01` and `1`) are a ScoresError."""
    by_name: dict[str, str] = {}
    for video in videos:
        other = by_name.setdefault(unpadded(video), video)
        if other != video:
            raise ScoresError(
                f"videos {other} and {video} are both {unpadded(video)} in the CSV's Id: rename one, or write .parquet"
            )
    return list(by_name)


def write_csv(scores: "Scores", path: Path, threads: int = 1) -> None:
    """Writes `Id,Predicted`, sorted naturally by video, then by frame number; `threads` format it.

    Id is `{video}_{frame}`; Predicted is the score or the rank, as the method wants it, in the shortest digits that
    read back as the same float64.
    """
    names = csv_names(scores.videos)
    order = _csv_order(scores)
    predicted = scores.submitted

    def lines(start: int) -> memoryview:
        rows = order[start : start + _CSV_ROWS]
        return _csv_lines(names, scores.video_index[rows], scores.frame[rows], predicted[rows])

    starts = range(0, len(scores), _CSV_ROWS)
    with path.open("wb") as file, ThreadPoolExecutor(threads) as pool:
        file.write(b"Id,Predicted\n")
        for turn in range(0, len(starts), threads):  # no more at a time than there are threads: bounds memory
            file.writelines(pool.map(lines, starts[turn : turn + threads]))


def _csv_order(scores: "Scores") -> NDArray[np.int64]:
    by_name = sorted(range(len(scores.videos)), key=lambda video: natural_key(scores.videos[video]))
    video, frame = np.argsort(by_name)[scores.video_index], scores.frame
    if np.all((video[1:] > video[:-1]) | ((video[1:] == video[:-1]) & (frame[1:] > frame[:-1]))):
        return np.arange(len(scores))  # as scoring leaves them: nothing to sort
    return np.lexsort((frame, video))


def _csv_lines(
    names: list[str], video: NDArray[np.int32], frame: NDArray[np.int64], predicted: NDArray[np.float64]
) -> memoryview:
    """Returns the lines of some rows as UTF-8 bytes, formatted and joined by Arrow: no Python object a row.

    Its functions are called by name, for `pyarrow.compute` makes three hundred of Python as it is imported: 40 ms.
    """
    import pyarrow as pa
    from pyarrow._compute import CastOptions, call_function

    ends = zip(*map(_around_frame, names), strict=True)
    before, after = (call_function("take", [arrow_texts(end), arrow_column(video)]) for end in ends)
    as_text = CastOptions.safe(pa.string())
    frames, values = (call_function("cast", [arrow_column(one)], as_text) for one in (frame, predicted))
    columns = [before, frames, after, values, *arrow_texts(["\n", ""])]
    lines = call_function("binary_join_element_wise", columns)
    _, offsets, data = lines.buffers()
    return memoryview(data)[: int(np.frombuffer(offsets, dtype=np.int32)[len(lines)])]


def _around_frame(name: str) -> tuple[str, str]:
    """Returns what stands before and after the frame number in a line of the CSV, quoted where CSV asks for it."""
    if _NEEDS_QUOTES.isdisjoint(name):
        return f"{name}_", ","
    return f'"{name.replace(chr(34), chr(34) * 2)}_', '",'


def to_arrow(scores: "Scores") -> "pa.Table":
    """Returns all columns of scores; `tail` and `seconds` only where known, with null for a time that is not."""
    import pyarrow as pa

    columns = {"video": pa.DictionaryArray.from_arrays(scores.video_index, pa.array(scores.videos, pa.string()))}
    for name in _PLAIN_COLUMNS:
        column = getattr(scores, name)
        if column is not None:
            columns[name] = pa.array(column, from_pandas=True)
    if scores.why is not None:
        columns |= {name: pa.array(getattr(scores.why, name)) for name in why.COLUMNS}
        for name in ("stream", "reason"):
            words = pa.array(getattr(scores.why, f"{name}s"), pa.string())
            columns[name] = pa.DictionaryArray.from_arrays(columns[name], words)
    # Times differ from run to run, and a file does not: its place in the format stays, empty.
    facts = {"format": FORMAT, **{name: getattr(scores, name) for name in _FACTS}, "phases": {}}
    facts |= {} if scores.why is None else {"why": scores.why.facts()}
    facts |= {} if scores.curve is None else {"alarms": {"rate": scores.alarm_rate, "curve": asdict(scores.curve)}}
    return pa.table(columns).replace_schema_metadata({_METADATA_KEY: json.dumps(facts)})


def write_parquet(scores: "Scores", path: Path) -> None:
    """Writes all columns and facts."""
    import pyarrow.parquet as pq

    rows = max(_GROUP_ROWS, len(scores) // _GROUPS)
    dictionaries = ["video", "stream", "reason"]
    pq.write_table(to_arrow(scores), path, row_group_size=rows, compression="zstd", use_dictionary=dictionaries)


def read_parquet(path: AnyPath) -> dict[str, Any]:
    """Reads what `write_parquet` wrote, as the arguments of `Scores`.

    Raises:
        ScoresError: there is no such file, or it is not one of pixelfast's, or it is damaged.
    """
    table = _read_table(path)
    facts = _read_facts(table.schema.metadata or {}, path)
    missing = [name for name in _REQUIRED_COLUMNS if name not in table.column_names]
    if missing:
        raise ScoresError(f"{path} is damaged: it has no column {missing[0]}; score again")
    columns = {name: table[name].to_numpy() for name in _PLAIN_COLUMNS if name in table.column_names}
    told, alarms = facts.pop("why", None), _alarms(facts.pop("alarms", None), path)
    index = {"video_index": _index(table["video"], facts["videos"], path, "video")}
    return {**facts, **alarms, **columns, **index, "why": None if told is None else _why(table, told, path)}


def _read_table(path: AnyPath) -> "pa.Table":
    import pyarrow as pa
    import pyarrow.parquet as pq

    if not path.is_file():
        what = "is a folder, not a file of scores" if path.is_dir() else "does not exist"
        raise ScoresError(f"{path} {what}: give a .parquet that pixelfast wrote")
    if path.suffix.lower() == ".csv":
        raise ScoresError(f"{path} is a CSV, which holds no raw scores: give the .parquet")
    try:
        with pq.ParquetFile(path.open_file() if isinstance(path, Elsewhere) else path) as file:
            _check_size(file.metadata, path)
            return file.read()
    except ScoresError:
        raise
    except (pa.ArrowException, OSError, ValueError, ArithmeticError, MemoryError, RuntimeError) as error:
        raise ScoresError(f"{path} cannot be read as Parquet: {' '.join(str(error).split())[:200]}") from error


def _check_size(about: Any, path: AnyPath) -> None:
    """Refuses a table that would fill memory, by what the file says of it: a row of ours takes more than a byte."""
    bytes_there = path.stat().st_size
    # Not of its columns one by one: where their statistics do not fit, Arrow ends the process.
    groups = [about.row_group(at) for at in range(about.num_row_groups)]
    rows, spread = about.num_rows, sum(group.total_byte_size for group in groups)
    if any(not 0 <= group.num_rows <= rows for group in groups):
        raise ScoresError(f"{path} is damaged: a group of its rows has more than there are; score again")
    if rows > max(bytes_there, _MOST_ROWS) or spread > max(_SPREADS * bytes_there, _MOST_BYTES):
        raise ScoresError(f"{path} has {rows:,} rows in {bytes_there:,} bytes, which no scores have")


def _read_facts(metadata: dict[bytes, bytes], path: AnyPath) -> dict[str, Any]:
    try:
        facts: dict[str, Any] = json.loads(metadata[_METADATA_KEY])
        version = facts.pop("format")
        facts = {"submission": _BEFORE_SUBMISSION.get(facts.get("method", ""), "rank"), **facts}
    except (KeyError, ValueError, TypeError, AttributeError, RecursionError) as error:
        raise ScoresError(f"{path} is Parquet, but not scores that pixelfast wrote") from error
    if version != FORMAT:
        raise ScoresError(f"{path} has format {version} and this pixelfast reads format {FORMAT}: update pixelfast")
    if set(facts) - {"why", "alarms"} != set(_FACTS):
        raise ScoresError(f"{path} is damaged: its facts are {sorted(facts)}, not {sorted(_FACTS)}; score again")
    if not isinstance(facts["videos"], list) or not all(isinstance(name, str) for name in facts["videos"]):
        raise ScoresError(f"{path} is damaged: its list of videos is none; score again")
    return facts


def _alarms(told: dict[str, Any] | None, path: AnyPath) -> dict[str, Any]:
    if told is None:
        return {}
    try:
        EventRate.parse(told["rate"])
        return {"alarm_rate": told["rate"], "curve": EventCurve.of_plain(told["curve"])}
    except (LookupError, TypeError, ValueError, OverflowError) as error:
        raise ScoresError(f"{path} is damaged: its rate of alarms does not fit ({error}); score again") from error


def _why(table: "pa.Table", facts: dict[str, Any], path: AnyPath) -> Why:
    try:
        cell = table["cell"].to_numpy()
        stream, reason = (_index(table[name], list(facts[f"{name}s"]), path, name) for name in ("stream", "reason"))
        return Why.read(facts, [cell, stream.astype(np.int8), reason])
    except (LookupError, TypeError, ValueError, OverflowError) as error:
        raise ScoresError(f"{path} is damaged: its reasons do not fit ({error}); score again") from error


def _index(texts: "pa.ChunkedArray", known: list[str], path: AnyPath, what: str) -> NDArray[np.int32]:
    """Returns the position of each row's text in `known`, whatever order the file's own dictionary has."""
    import pyarrow as pa
    import pyarrow.compute as pc

    try:
        found = pc.index_in(texts.cast(pa.string()), value_set=pa.array(known, pa.string()))
    except (pa.ArrowException, ValueError) as error:
        raise ScoresError(f"{path} is damaged: its {what} is no text ({first_line(error)}); score again") from error
    if found.null_count:
        raise ScoresError(f"{path} is damaged: it has rows of a {what} that is not in its list; score again")
    return np.asarray(found.to_numpy(), dtype=np.int32)
