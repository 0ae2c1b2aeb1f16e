"""The training footage's flows, computed once: a file of float16 that every epoch reads through the page cache."""

import json
import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from itertools import accumulate
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from pixelfast.errors import ModelError
from pixelfast.files.atomic import atomic_path
from pixelfast.geometry import FLOW_SIZE
from pixelfast.progress import Progress, ProgressCallback
from pixelfast.training.cache import CachedVideo

_FORMAT: Final = 1
_LARGEST: Final = np.finfo(np.float16).max

Flows = NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class FlowCache:
    """Flows f16[F,2,64,64] in a memory-mapped file, video after video.

    Of each video those flows are held out that lead to a held-out frame.

    Attributes:
        flows: f16[F,2,64,64], pixels of the grid a frame, read-only.
        videos: where each video's flows lie; lengths count flows.
        deviation: standard deviation of all values that are trained on, at least a millionth.
    """

    flows: NDArray[np.float16]
    videos: tuple[CachedVideo, ...]
    deviation: float

    @classmethod
    def build(
        cls,
        videos: Sequence[CachedVideo],
        flows_of: Callable[[str], Iterable[Flows]],
        path: Path,
        facts: dict[str, Any],
        progress: ProgressCallback | None = None,
    ) -> "FlowCache":
        """Computes and writes the flows of `videos`, whose lengths count frames.

        Args:
            videos: as the frame cache has them.
            flows_of: the flows f32[m,2,64,64] of the video of a name, in order.
            path: the file to write; its index is beside it, with the suffix `.json`.
            facts: where the flows come from; a cache with others is not opened.
            progress: told as flows are done.

        Raises:
            ModelError: a video has not as many flows as it had frames before.
            OutputError: the file cannot be written.
        """
        path.with_suffix(".json").unlink(missing_ok=True)
        lengths = [video.length - 1 for video in videos]
        entries = [
            CachedVideo(video.name, offset, length, min(video.held_out, length))
            for video, length, offset in zip(videos, lengths, accumulate(lengths, initial=0), strict=False)
        ]
        moments = np.zeros(3)  # of the values that are trained on: their number, their sum, the sum of their squares
        with atomic_path(path) as temporary, temporary.open("wb") as file:
            for entry in entries:
                count = 0
                for flows in flows_of(entry.name):
                    trained = flows[: max(0, entry.training - count)]
                    squares = np.square(trained, dtype=np.float64)
                    moments += trained.size, trained.sum(dtype=np.float64), squares.sum()
                    file.write(np.ascontiguousarray(flows.clip(-_LARGEST, _LARGEST), np.float16).data)
                    count += len(flows)
                    if progress is not None:
                        progress(Progress("flow", entry.offset + count, sum(lengths), f"video {entry.name}"))
                if count != entry.length:
                    raise ModelError(f"video {entry.name} changed while it was read: train again")
        index = {"format": _FORMAT, "facts": facts, "videos": [asdict(entry) for entry in entries]}
        index["deviation"] = deviation = _deviation(*moments.tolist())
        with atomic_path(path.with_suffix(".json")) as temporary:
            temporary.write_text(json.dumps(index), encoding="utf-8", newline="\n")
        return cls._opened(path, entries, deviation)

    @classmethod
    def open(cls, path: Path, facts: dict[str, Any]) -> "FlowCache | None":
        """The cache at `path`; None where there is none, or one of other flows."""
        try:
            index = json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))
            if index["format"] != _FORMAT or index["facts"] != facts:
                return None
            return cls._opened(path, [CachedVideo(**entry) for entry in index["videos"]], index["deviation"])
        except (OSError, ValueError, KeyError, TypeError):
            return None

    @classmethod
    def _opened(cls, path: Path, entries: Sequence[CachedVideo], deviation: float) -> "FlowCache":
        count = sum(entry.length for entry in entries)
        flows = np.memmap(path, np.float16, mode="r", shape=(count, 2, FLOW_SIZE, FLOW_SIZE))
        return cls(flows, tuple(entries), deviation)

    def train_starts(self, length: int) -> NDArray[np.int64]:
        """i64[S]: where runs of `length` flows that are trained on begin; none straddles two videos."""
        return _starts(((video.offset, video.training) for video in self.videos), length)

    def held_out_starts(self, length: int) -> NDArray[np.int64]:
        """i64[S]: the same for held-out flows."""
        return _starts(((video.offset + video.training, video.held_out) for video in self.videos), length)

    def held_out(self) -> Iterator[tuple[str, NDArray[np.float16]]]:
        """Name and held-out flows f16[n,2,64,64] of each video that has some."""
        for video in self.videos:
            if video.held_out:
                yield video.name, self.flows[video.offset + video.training : video.offset + video.length]


def _deviation(count: float, total: float, squares: float) -> float:
    """The standard deviation of so many values with this sum and this sum of squares, at least a millionth."""
    if count == 0:
        return 1.0
    mean = total / count
    return max(1e-6, math.sqrt(max(0.0, squares / count - mean * mean)))


def _starts(spans: Iterable[tuple[int, int]], length: int) -> NDArray[np.int64]:
    starts = [np.arange(offset, offset + count - length + 1) for offset, count in spans if count >= length]
    return np.concatenate([np.empty(0, np.int64), *starts]).astype(np.int64)
