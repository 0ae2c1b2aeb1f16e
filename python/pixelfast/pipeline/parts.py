"""Part files: the raw scores of one video, written whole, named by what they were computed from.

A part is an Arrow IPC file of one record batch, a row a frame; all else stands in its schema's metadata. Its name
carries a fingerprint of the engine, of the settings that change raw scores and of the footage, so a part that is there
need not be computed again, on any machine.
"""

import hashlib
import json
import math
import re
import zlib
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from itertools import repeat
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from pyarrow import ipc

from pixelfast.cleaning.stage import FrameRecord
from pixelfast.errors import ScoresError
from pixelfast.files.arrow import arrow_column
from pixelfast.files.atomic import atomic_path
from pixelfast.files.locks import at_work_in
from pixelfast.files.natural import natural_key
from pixelfast.files.places import AnyPath, Elsewhere, opened
from pixelfast.files.refused import write_error
from pixelfast.pipeline.listing import Listing, Place
from pixelfast.pipeline.part_blocks import check_plain
from pixelfast.pipeline.part_schema import WrongPartError, check_part
from pixelfast.scores import why
from pixelfast.scores.why import Why
from pixelfast.sources import FolderVideo, Video

FORMAT: Final = 3
"""Raised whenever the same engine, settings and footage would give other raw scores than before, or another file."""

SUFFIX: Final = ".arrow"

_NAME_BYTES: Final = 120
_DEVICES: Final = re.compile(r"(?i:con|prn|aux|nul|com\d|lpt\d)(\.|$)")  # no names of files on Windows
_DIGITS: Final = 16  # of the digest that ends a part's name
_AFTER_STEM: Final = -(1 + _DIGITS + len(SUFFIX))
_BATCH: Final = 16  # parts that a thread reads at a stretch
_SMALL: Final = 1 << 20  # bytes of a file that is read in one piece, which costs less than to leave out some of it
_REQUESTS: Final = 32  # to a store at once, each of which takes longer to answer than to send
_COLUMNS: Final[dict[str, type[np.generic]]] = {
    "raw": np.float32,
    "frame": np.int64,
    "flipped": np.bool_,
    "repaired": np.bool_,
    "noisy": np.bool_,
    "frozen": np.bool_,
    "seconds": np.float64,  # where they are known
    **why.COLUMNS,  # where the method says them
    "maps": np.float16,  # where they were asked for, as G lists of G values
}
_TYPES: Final = {name: arrow_column(np.zeros(0, np.dtype(dtype))).type for name, dtype in _COLUMNS.items()}
_ABOUT, _JOB, _CHECKSUM, _MAPS_CHECKSUM = b"part", b"job", b"crc32", b"maps_crc32"  # in the schema's metadata
_DAMAGED: Final = (
    OSError, ValueError, LookupError, TypeError, AttributeError, ArithmeticError, MemoryError, RuntimeError,
    pa.ArrowException,
)  # fmt: skip


@dataclass(frozen=True)
class Job:
    """What all parts of one run share.

    Attributes:
        engine: the engine file's name.
        settings: everything that changes raw scores, as plain values, the engine's SHA-256 among them.
        smooth: frames of the centred mean in the global pass.
        calibration: of this engine and these settings, as a plain mapping; None where there is none.
        videos: how many videos the whole source has.
        source: digest of the source's list of videos; "" where it is not known.
        shares: into how many shares the source was cut.
    """

    engine: str
    settings: dict[str, Any]
    smooth: int
    calibration: dict[str, Any] | None = None
    videos: int = 0
    source: str = ""
    shares: int = 1

    def fingerprint(self) -> str:
        """64 hex digits that differ between jobs whose raw scores must not be mixed."""
        text = json.dumps({"format": FORMAT, **self.settings}, sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()


@dataclass(frozen=True, eq=False)
class Part:
    """The raw scores of one video, with what they were computed from.

    Attributes:
        video: its name.
        footage: fingerprint of the video's files, hex; "" where parts are not kept.
        raw: f32[N].
        record: what else is known of each frame.
        maps: f16[N, G, G], the square roots of the error maps; None where they were not asked for.
        job: what all parts of the run share.
        notes: what was said aloud about this video.
        frames: how many frames the video has; None takes the rows.
        place: where the video stands in its source's list; None where that is not known.
        source: the folder or file that it came from, for messages; "" where that is not known.
        why: where and why each frame's score is what it is, where the method says it.
    """

    video: str
    footage: str
    raw: NDArray[np.float32]
    record: FrameRecord
    maps: NDArray[np.float16] | None
    job: Job
    notes: list[str] = field(default_factory=list)
    frames: int | None = None
    place: Place | None = None
    source: str = ""
    why: Why | None = None


class PartStore:
    """A folder of parts; None keeps nothing.

    Args:
        folder: made on the first write; what is in it is looked at now.
        job: what all parts of this run share.
        maps: whether a part without error maps is of no use.
        listing: of the whole source; None where it is not known.
    """

    def __init__(self, folder: AnyPath | None, job: Job, maps: bool, listing: Listing | None = None) -> None:
        self.folder = folder
        self.job = job
        self._maps = maps
        self._listing = listing
        self.reused = 0  # parts that were found
        self._there = set() if folder is None else {path.name[:_AFTER_STEM] for path in folder.glob(f"*{SUFFIX}")}

    @contextmanager
    def at_work(self) -> Iterator[None]:
        """Holds one lock in the folder for all the parts of a run."""
        if not isinstance(self.folder, Path):
            yield
            return
        with ExitStack() as stack:
            try:
                stack.enter_context(at_work_in(self.folder))
            except OSError as error:
                raise write_error(self.folder, error) from error
            yield

    def place(self, video: str) -> Place | None:
        """Where a video stands in the source's list; None where that is not known."""
        return None if self._listing is None else self._listing.place(video)

    def footage(self, video: Video, files: bytes) -> str:
        """Fingerprint of a video's files, hex, as they were decoded; "" where nothing is kept."""
        if self.folder is None:
            return ""
        return (video.fingerprint_of(files) if isinstance(video, FolderVideo) else video.fingerprint()).hex()

    def may_have(self, video: Video) -> bool:
        """Whether there was a part that may be this video's when the store was opened."""
        return _stem(video.name) in self._there

    def find(self, video: Video) -> Part | None:
        """The part of a video that is there already; None where there is none, or a damaged one.

        The video's files are looked at only where there is a part that may be of them.
        """
        if self.folder is None or not self.may_have(video):
            return None
        footage = video.fingerprint().hex()
        path = self._path(video.name, footage)
        if not path.exists():
            return None
        try:
            part = read_part(path)
        except ScoresError:
            return None
        if part.video != video.name or part.footage != footage or (self._maps and part.maps is None):
            return None
        if (part.job, part.place) != (self.job, self.place(video.name)):
            # What changes no raw score (smoothing, the source's list) is brought up to this run, for a later merge.
            part = replace(part, job=self.job, place=self.place(video.name))
            write_part(path, part)
        self.reused += 1
        return part

    def keep(self, part: Part) -> None:
        """Writes a part, whole or not at all.

        Raises:
            OutputError: the folder cannot be made or written.
        """
        if self.folder is not None:
            write_part(self._path(part.video, part.footage), part)

    def _path(self, video: str, footage: str) -> AnyPath:
        assert self.folder is not None, "a path is asked for only where parts are kept"
        text = json.dumps([self.job.fingerprint(), video, footage])
        return self.folder / f"{_stem(video)}.{hashlib.sha256(text.encode()).hexdigest()[:_DIGITS]}{SUFFIX}"


def _stem(video: str) -> str:
    """How a part's name begins: what a file system may refuse is escaped; long names are cut."""
    stem = quote(video, safe=" +,=@()[]")[:_NAME_BYTES].lstrip(".") or "video"
    return f"_{stem}" if _DEVICES.match(stem) else stem


def write_part(path: AnyPath, part: Part) -> None:
    """Writes a part file, whole or not at all, in the place of a symbolic link that has its name.

    Raises:
        OutputError: it cannot be written.
    """
    values = {"raw": part.raw, **vars(part.record), **({} if part.why is None else vars(part.why)), "maps": part.maps}
    columns = {name: arrow_column(values[name]) for name in _COLUMNS if values.get(name) is not None}
    frames = len(part.raw) if part.frames is None else part.frames
    about = {"video": part.video, "footage": part.footage, "format": FORMAT, "notes": part.notes}
    about |= {"frames": frames, "place": part.place, "source": part.source}
    about |= {} if part.why is None else {"why": part.why.facts()}
    texts = json.dumps({**about, "columns": list(columns)}).encode(), json.dumps(vars(part.job)).encode()
    data = [column.buffers()[-1] for column in columns.values()]
    checksums = _checksums(list(columns), data, *texts)
    batch = pa.record_batch(list(columns.values()), list(columns))
    batch = batch.replace_schema_metadata(dict([*zip((_ABOUT, _JOB), texts, strict=True), *checksums]))
    if isinstance(path, Path) and path.is_symlink():  # else what it leads to would be written, wherever that is
        path.unlink()
    with atomic_path(path) as temporary, temporary.open("wb") as file, ipc.new_file(file, batch.schema) as writer:
        writer.write_batch(batch)


def part_files(folder: AnyPath) -> list[AnyPath]:
    """Returns the part files in a folder in natural order, hidden ones left out; none where there is no such folder."""
    found: Iterable[AnyPath] = folder.glob(f"[!.]*{SUFFIX}")
    return sorted(found, key=lambda path: natural_key(path.name))


def read_parts(paths: Sequence[AnyPath], threads: int) -> list[Part]:
    """Reads part files without their error maps, `threads` of them at a time; those of one run share their job.

    Raises:
        ScoresError: one is missing, damaged, or no part.
    """
    jobs: dict[bytes, Job] = {}
    if any(isinstance(path, Elsewhere) for path in paths):
        threads = max(threads, _REQUESTS)
    with ThreadPoolExecutor(threads) as pool:
        batches = [paths[start : start + _BATCH] for start in range(0, len(paths), _BATCH)]
        read = pool.map(lambda batch: [read_part(path, maps=False, jobs=jobs) for path in batch], batches)
        return [part for batch in read for part in batch]


def read_part(path: AnyPath, maps: bool = True, jobs: dict[bytes, Job] | None = None) -> Part:
    """Reads a part file.

    Args:
        path: the file.
        maps: whether its error maps are wanted, which are several times as large as all the rest.
        jobs: the jobs of parts that were read before, by their text, which is most of a small part's; gains this one's.

    Raises:
        ScoresError: it is missing, damaged, or no part.
    """
    try:
        small = path.stat().st_size <= _SMALL
        with pa.BufferReader(path.read_bytes()) if small else opened(path) as file:
            return _part(_read_batch(file, maps), maps, {} if jobs is None else jobs)
    except FileNotFoundError as error:
        raise ScoresError(f"{path} does not exist") from error
    except _DAMAGED as error:
        why = f" ({error})" if isinstance(error, WrongPartError) else ""
        raise ScoresError(
            f"{path} is damaged or no part of pixelfast{why}; delete it and score its video again"
        ) from error


def _read_batch(file: pa.NativeFile, maps: bool) -> pa.RecordBatch:
    """The columns, long enough for their rows; the bytes of error maps that are not wanted are left where they are."""
    check_plain(file)
    reader = ipc.open_file(file)
    names = reader.schema.names
    if not maps and "maps" in names:
        wanted = [index for index, name in enumerate(names) if name != "maps"]
        reader = ipc.open_file(file, options=ipc.IpcReadOptions(included_fields=wanted))
    batch = reader.get_batch(0)
    batch.validate()
    return batch


def _part(batch: pa.RecordBatch, maps: bool, jobs: dict[bytes, Job]) -> Part:
    names, kinds, metadata = batch.schema.names, batch.schema.types, batch.schema.metadata
    about_text, job_text = metadata[_ABOUT], metadata[_JOB]
    data = [column.buffers()[-1] for column in batch.columns]
    if any(metadata[name] != checksum for name, checksum in _checksums(names, data, about_text, job_text)):
        raise ValueError("a checksum that does not fit")
    about, job = json.loads(about_text), jobs.get(job_text)
    if about["format"] != FORMAT or names != [name for name in about["columns"] if maps or name != "maps"]:
        raise ValueError("another format, or a column that is missing")
    if names != [name for name in _COLUMNS if name in names]:
        raise ValueError("columns in another order, or twice")
    if job is None:
        job = jobs.setdefault(job_text, Job(**json.loads(job_text)))
    rows = batch.num_rows
    raw, frame, flipped, repaired, noisy, frozen, *more = map(_values, names, kinds, data, repeat(rows, len(names)))
    known = dict(zip(names[6:], more, strict=True))
    record = FrameRecord(frame, flipped, repaired, noisy, known.get("seconds"), frozen)
    place = None if about["place"] is None else Place(about["place"][0], tuple(about["place"][1]))
    part = Part(about["video"], about["footage"], raw, record, known.get("maps"), job, about["notes"])
    told = None if "why" not in about else Why.read(about["why"], [known[name] for name in why.COLUMNS])
    part = replace(part, frames=about["frames"], place=place, source=about["source"], why=told)
    check_part(part)
    return part


def _values(name: str, kind: pa.DataType, data: pa.Buffer, rows: int) -> NDArray[Any]:
    """The values of a column, copied, so that the rest of the file need not be kept for them.

    Raises:
        LookupError, AttributeError, ValueError: no part has such a column, it is of another type, or too short.
    """
    shape = [rows]
    while kind != _TYPES[name]:
        shape.append(kind.list_size)
        kind = kind.value_type
    values: NDArray[Any] = np.frombuffer(data, np.dtype(_COLUMNS[name]), math.prod(shape)).reshape(shape)
    return values.copy()


def _checksums(names: Sequence[str], data: Sequence[Any], *texts: bytes) -> list[tuple[bytes, bytes]]:
    """The checksum of all but the error maps, and that of these, which come last, where they are there."""
    others = len(names) - ("maps" in names)
    checksums = [(_CHECKSUM, _checksum([*texts, *data[:others]]))]
    return checksums if others == len(names) else [*checksums, (_MAPS_CHECKSUM, _checksum(data[others:]))]


def _checksum(pieces: Iterable[Any]) -> bytes:
    value = 0
    for piece in pieces:
        value = zlib.crc32(piece, value)
    return b"%08x" % value
