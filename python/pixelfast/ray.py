"""Scoring on a Ray cluster: `pixelfast.ray.score` is `pixelfast.score` on many machines, with the same results.

It needs `pip install 'pixelfast[ray]'` on every node, footage that all nodes see under the same path, and so a model.
"""

from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

from pixelfast.api.given import StrPath
from pixelfast.arguments import checked, number, paths, whole
from pixelfast.errors import ArgumentError
from pixelfast.options import USUAL_RATE, EngineInput, EngineRange, FlipMode, How, OnError, Pool
from pixelfast.progress import ProgressCallback

if TYPE_CHECKING:
    from pixelfast.scores import Scores
    from pixelfast.scores.files import Out
    from pixelfast.sources import Source

__all__ = ["score"]

_LEAST_SEGMENT = 64


def _mapping(name: str, value: Any) -> dict[str, Any]:
    if not isinstance(value, Mapping):
        raise ArgumentError(f"{name} must be a mapping of what `ray.remote` takes, not {value!r}")
    return dict(value)


@checked(
    out=paths,
    concurrency=partial(whole, least=1),
    num_cpus=partial(number, least=0),
    num_gpus=partial(number, least=0),
    max_restarts=partial(whole, least=-1),
    max_task_retries=partial(whole, least=-1),
    segment_frames=partial(whole, least=_LEAST_SEGMENT),
    ray_remote_args=_mapping,
)
def score(
    source: "Source",
    engine: StrPath,
    *,
    out: "Out" = None,
    stride: int | None = None,
    how: How = "mean",
    pool: Pool = "mean",
    smooth: int | None = None,
    flip: FlipMode = "auto",
    on_error: OnError = "repair",
    maps: bool = False,
    parts: StrPath | None = None,
    exact: bool = False,
    threads: int | None = None,
    chunk: int = 64,
    engine_input: EngineInput | None = None,
    engine_range: EngineRange | None = None,
    orientation: bool | None = None,
    depth: int | None = None,
    deinterlace: bool | None = None,
    fps: float | None = None,
    sample_fps: float | None = None,
    alarm_rate: str = USUAL_RATE,
    events: StrPath | None = None,
    progress: ProgressCallback | None = None,
    concurrency: int | None = None,
    num_cpus: float = 1,
    num_gpus: float = 0,
    max_restarts: int = 4,
    max_task_retries: int = 4,
    segment_frames: int = 4096,
    ray_remote_args: Mapping[str, Any] | None = None,
) -> "Scores":
    """Gives every frame an anomaly score, on a Ray cluster: scores, files and notes are those of `pixelfast.score`.

    Each worker opens the engine once. A row of the data set is a video; one that is a folder of more frames than
    `segment_frames` is cut into segments, which overlap by what the method needs, where the method bears that
    (reconstruction and motion; density looks back to a video's start, and a video file is read forward only). Where
    segments would not come to what one run comes to, the video is scored again, in one piece.

    Args:
        source: as in `pixelfast.score`, and so is all that follows up to `progress`; all nodes must see it under the
            same path, and so the model and the parts.
        engine: a folder stands for the engine that is the fastest on the machine of the caller; name a file where the
            workers have a GPU that this machine has not.
        out: files to write, by the caller.
        stride: frames between the starts of windows.
        how: over the windows that hold a frame.
        pool: over the cells of a frame.
        smooth: frames (odd) of the centred mean.
        flip: what is done about upside-down frames.
        on_error: what is done about unreadable frames.
        maps: keep the error maps in the parts.
        parts: the folder of raw scores, into which the workers write; a rerun takes what is there. It and the files may
            lie on any file system that PyArrow knows, as `s3://bucket/parts`.
        exact: of a model folder take the float32 engine, not the fastest one of the caller's machine.
        threads: of each worker, for decoding and for the engine, each; None takes as many as `num_cpus`.
        chunk: frames to a call of the engine.
        engine_input: of somebody else's autoencoder.
        engine_range: likewise.
        orientation: whether pictures are turned as they say.
        depth: the bits that deep samples use.
        deinterlace: whether interlaced files are made whole.
        fps: frames a second of folders of frames.
        sample_fps: frames a second to score of footage that has more.
        alarm_rate: at which normal footage may give events.
        events: a file of the events.
        progress: told as videos and segments are done.
        concurrency: workers; None takes as many as the cluster has room for.
        num_cpus: that Ray keeps for each worker.
        num_gpus: likewise; a fraction shares a GPU.
        max_restarts: how often a worker that died is started again; -1 for without end.
        max_task_retries: how often a video or segment is tried again whose worker died; -1 for without end.
        segment_frames: frames of a segment, at least 64.
        ray_remote_args: whatever else Ray shall know of each worker, as `{"resources": {"big_disk": 1}}`.

    Raises:
        PixelfastError: Ray is not installed, or the cluster gives up: a worker died too often.
        SourceError, EngineError, ModelError, LostFootageError, DecodeError, OutputError, ArgumentError: as in
            `pixelfast.score`.

    Examples:
        >>> import pixelfast.ray
        >>> pixelfast.ray.score("new", engine="model", out="scores.parquet", concurrency=2)
        Scores(2 videos, 80 frames, reconstruction)
    """
    from pixelfast.jobs.line import Line
    from pixelfast.jobs.ray.cluster import Pool as Workers
    from pixelfast.jobs.ray.run import run
    from pixelfast.jobs.score import Request
    from pixelfast.methods.settings import Settings

    settings = Settings(
        stride, how, pool, smooth, flip, on_error, chunk, engine_input, engine_range, orientation, depth,
        deinterlace, fps, sample_fps, alarm_rate, exact,
    )  # fmt: skip
    line, request = Line(engine, settings), Request(out, parts, None, maps, progress, None, events)
    workers = Workers(threads, concurrency, num_cpus, num_gpus, max_restarts, max_task_retries, ray_remote_args or {})
    return run(source, line, request, workers, segment_frames)
