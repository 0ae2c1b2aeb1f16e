"""The flows that the motion method is trained on, through the same stages that scoring goes through."""

from collections.abc import Generator, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from os import PathLike
from pathlib import Path
from typing import Any, Self

from pixelfast.cleaning.footage import cleaned_footage
from pixelfast.errors import ModelError
from pixelfast.files.atomic import file_sha256
from pixelfast.flow.cache import FlowCache
from pixelfast.flow.dis import PRESETS, SHORTER_SIDE
from pixelfast.flow.engine import RAFT_FILE, FlowEngine, FlowFacts, open_flow
from pixelfast.flow.stream import Flows, FlowStream, flow_frames
from pixelfast.machine.imports import training_extra
from pixelfast.machine.stopwatch import Stopwatch
from pixelfast.progress import Progress, ProgressCallback
from pixelfast.sources import Video
from pixelfast.training.cache import FrameCache

_CACHE = "flows.f16"


@dataclass(frozen=True)
class FlowRequest:
    """Where the flow shall come from; see `pixelfast.train`."""

    kind: str = "dis"
    preset: str = "medium"
    raft_weights: str | PathLike[str] | None = None

    @classmethod
    def of(cls, options: Mapping[str, Any]) -> Self:
        """Takes it from the training options of a method that has these."""
        return cls(options["flow"], options["flow_preset"], options["raft_weights"])

    def check(self) -> None:
        """Refuses what cannot be, before any work is done.

        Raises:
            ModelError: naming what it may be.
        """
        if self.kind not in ("dis", "raft"):
            raise ModelError(f"flow must be dis or raft, not {self.kind!r}")
        if self.preset not in PRESETS:
            raise ModelError(f"flow_preset must be one of {', '.join(PRESETS)}, not {self.preset!r}")
        if self.raft_weights is not None and self.kind != "raft":
            raise ModelError("raft_weights are for flow='raft' only")

    def facts(self) -> FlowFacts:
        """What the manifest says about it."""
        return FlowFacts("raft") if self.kind == "raft" else FlowFacts("dis", self.preset, SHORTER_SIDE)


def open_flows(
    cache: FrameCache,
    videos: Sequence[Video],
    workdir: Path,
    request: FlowRequest,
    *,
    bridge_noisy: bool,
    threads: int,
    progress: ProgressCallback | None,
) -> FlowCache:
    """The flows of the training footage: those of an earlier attempt, or newly computed.

    Raises:
        ModelError: RAFT's weights cannot be had.
        SourceError: frames of a video differ in size.
        OutputError: the cache cannot be written.
    """
    facts = {"footage": cache.digest, "flow": asdict(request.facts()), "bridge_noisy": bridge_noisy}
    if request.kind == "raft":
        facts["raft"] = _write_raft(videos[0].size(), workdir / RAFT_FILE, request, threads=threads, progress=progress)
    found = FlowCache.open(workdir / _CACHE, facts)
    if found is not None:
        return found
    engine, by_name = open_flow(request.facts(), workdir, threads), {video.name: video for video in videos}

    def flows_of(name: str) -> Iterator[Flows]:
        return video_flows(engine, by_name[name], bridge_noisy, threads)

    return FlowCache.build(cache.videos, flows_of, workdir / _CACHE, facts, progress)


def video_flows(engine: FlowEngine, video: Video, bridge_noisy: bool, threads: int) -> Generator[Flows, None, None]:
    """The flows f32[m, 2, 64, 64] of a video, whose frames are taken as upright; they may leap over noisy ones."""
    frames = cleaned_footage(video, flow_frames(engine, video), bridge_noisy=bridge_noisy, threads=threads)
    yield from FlowStream(engine, Stopwatch()).run(frames)


def _write_raft(
    size: tuple[int, int], path: Path, request: FlowRequest, *, threads: int, progress: ProgressCallback | None
) -> str:
    """Writes RAFT for frames of this size, and its weights, unless it is there; returns the ONNX file's SHA-256."""
    if not path.exists():
        if progress is not None:
            progress(Progress("export", 0, 1, path.name))
        with training_extra():
            from pixelfast.flow.raft_export import export_raft
        weights = None if request.raft_weights is None else Path(request.raft_weights)
        export_raft(weights, path, *size, kept=path.with_suffix(".safetensors"), threads=threads)
    return file_sha256(path)
