"""Part files: the raw scores of one video, written whole, named by what they were computed from.

A part is a NumPy archive without pickled objects. Its name carries a fingerprint of the engine, of the settings that
change raw scores and of the footage, so a part that is there need not be computed again, on any machine.
"""

import hashlib
import json
import zipfile
import zlib
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path
from typing import Any, BinaryIO
from urllib.parse import quote

import numpy as np
from numpy.typing import NDArray

from pixelfast.cleaning.stage import FrameRecord
from pixelfast.errors import ScoresError
from pixelfast.files.atomic import atomic_path
from pixelfast.pipeline.archive import read_archive
from pixelfast.sources import Video

# Raised whenever the same engine, settings and footage would give other raw scores than before.
FORMAT = 1
_NAME_BYTES = 120
_SHARED = ', "engine": '  # where a part's text goes on with what all parts of its run say
_BATCH = 16  # parts that a thread reads at a stretch
_DAMAGED = (OSError, ValueError, LookupError, EOFError, TypeError, AttributeError, zipfile.BadZipFile, zlib.error)


@dataclass(frozen=True)
class Job:
    """What all parts of one run share.

    Attributes:
        engine: the engine file's name.
        settings: everything that changes raw scores, as plain values, the engine's SHA-256 among them.
        smooth: frames of the centred mean in the global pass.
        calibration: of this engine and these settings, as a plain mapping; None where there is none.
        videos: how many videos the whole source has.
    """

    engine: str
    settings: dict[str, Any]
    smooth: int
    calibration: dict[str, Any] | None = None
    videos: int = 0

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
    """

    video: str
    footage: str
    raw: NDArray[np.float32]
    record: FrameRecord
    maps: NDArray[np.float16] | None
    job: Job
    notes: list[str] = field(default_factory=list)


class PartStore:
    """A folder of parts; None keeps nothing.

    Args:
        folder: made on the first write.
        job: what all parts of this run share.
        maps: whether a part without error maps is of no use.
    """

    def __init__(self, folder: Path | None, job: Job, maps: bool) -> None:
        self._folder = folder
        self.job = job
        self._maps = maps

    def footage(self, video: Video) -> str:
        """Fingerprint of the video's files, hex; "" where nothing is kept, since it would be read for nothing."""
        return "" if self._folder is None else video.fingerprint().hex()

    def find(self, video: str, footage: str) -> Part | None:
        """The part of a video that is there already; None where there is none, or a damaged one."""
        if self._folder is None or not (path := self._path(video, footage)).exists():
            return None
        try:
            part = read_part(path)
        except ScoresError:
            return None
        if part.video != video or part.footage != footage or (self._maps and part.maps is None):
            return None
        if part.job != self.job:
            # What changes no raw score (smoothing, calibration) is brought up to this run, so that parts can be merged.
            part = replace(part, job=self.job)
            write_part(path, part)
        return part

    def keep(self, part: Part) -> None:
        """Writes a part, whole or not at all.

        Raises:
            OutputError: the folder cannot be made or written.
        """
        if self._folder is not None:
            write_part(self._path(part.video, part.footage), part)

    def _path(self, video: str, footage: str) -> Path:
        assert self._folder is not None, "a path is asked for only where parts are kept"
        text = json.dumps([self.job.fingerprint(), video, footage])
        return self._folder / f"{_file_name(video)}.{hashlib.sha256(text.encode()).hexdigest()[:16]}.npz"


def _file_name(video: str) -> str:
    """A file name for a video's name: what a file system may refuse is escaped; long names are cut."""
    return quote(video, safe=" +,=@()[]")[:_NAME_BYTES].lstrip(".") or "video"


def write_part(path: Path, part: Part) -> None:
    """Writes a part file, whole or not at all.

    Raises:
        OutputError: it cannot be written.
    """
    with atomic_path(path) as temporary, temporary.open("wb") as file:
        save_part(file, part)


def save_part(file: BinaryIO, part: Part) -> None:
    """Writes a part's bytes."""
    about = {"video": part.video, "footage": part.footage, "format": FORMAT, "notes": part.notes, **vars(part.job)}
    record = part.record
    arrays: dict[str, NDArray[Any]] = {
        "about": np.frombuffer(json.dumps(about).encode(), np.uint8),
        "raw": part.raw,
        "frame": record.frame,
        "flipped": record.flipped,
        "repaired": record.repaired,
        "noisy": record.noisy,
    }
    arrays |= {} if record.seconds is None else {"seconds": record.seconds}
    arrays |= {} if part.maps is None else {"maps": part.maps}
    np.savez(file, **arrays)  # type: ignore[arg-type]  # the stub takes a keyword for allow_pickle


def read_parts(paths: Sequence[Path], threads: int) -> list[Part]:
    """Reads part files without their error maps, `threads` of them at a time.

    Raises:
        ScoresError: one is missing, damaged, or no part.
    """
    with ThreadPoolExecutor(threads) as pool:
        batches = [paths[start : start + _BATCH] for start in range(0, len(paths), _BATCH)]
        read = pool.map(lambda batch: [read_part(path, maps=False) for path in batch], batches)
        return [part for batch in read for part in batch]


def read_part(path: Path, maps: bool = True) -> Part:
    """Reads a part file; its arrays cannot be written to.

    Args:
        path: the file.
        maps: whether its error maps are wanted, which are several times as large as all the rest.

    Raises:
        ScoresError: it is missing, damaged, or no part.
    """
    try:
        return _part(read_archive(path, () if maps else ("maps",)))
    except FileNotFoundError as error:
        raise ScoresError(f"{path} does not exist") from error
    except _DAMAGED as error:
        raise ScoresError(f"{path} is damaged or no part of pixelfast; delete it and score its video again") from error


def _part(arrays: dict[str, NDArray[Any]]) -> Part:
    about, job = _about(arrays["about"].tobytes().decode())
    if about["format"] != FORMAT:
        raise ValueError("another format")
    raw = arrays["raw"]
    columns = (arrays["frame"], arrays["flipped"], arrays["repaired"], arrays["noisy"])
    if any(column.shape != raw.shape for column in columns) or raw.dtype != np.float32 or not np.isfinite(raw).all():
        raise ValueError("columns that do not fit")
    record = FrameRecord(*columns, arrays.get("seconds"))
    return Part(about["video"], about["footage"], raw, record, arrays.get("maps"), job, about["notes"])


def _about(text: str) -> tuple[dict[str, Any], Job]:
    """What a part says of itself alone, and what all parts of its run share.

    The text is taken apart where the shared facts begin; no value can hold that mark, for its quotes would have
    backslashes before them.
    """
    own, mark, shared = text.partition(_SHARED)
    return json.loads(own + "}"), _job(mark.removeprefix(", ") + shared)


@lru_cache(maxsize=64)
def _job(shared: str) -> Job:
    """One job for all parts of a run: most of a small part's text is its calibration."""
    about = json.loads("{" + shared)
    return Job(about["engine"], about["settings"], about["smooth"], about["calibration"], about["videos"])
