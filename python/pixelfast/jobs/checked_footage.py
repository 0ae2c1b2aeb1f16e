"""Footage that half precision is checked on: a model's training footage, or what is made up in its place."""

from contextlib import closing
from typing import Final

import numpy as np
from numpy.typing import NDArray

from pixelfast.errors import PixelfastError, SourceError
from pixelfast.flow.facts import FlowFacts
from pixelfast.flow.footage import FlowSource
from pixelfast.flow.opening import open_flow
from pixelfast.flow.stream import flow_frames
from pixelfast.geometry import FLOW_SIZE
from pixelfast.machine.threads import share_threads
from pixelfast.methods.motion.facts import MotionFacts
from pixelfast.model import Model
from pixelfast.notes import Notes
from pixelfast.sources import Video, open_source
from pixelfast.training.made_up import made_up_flows, made_up_frames

Flows = NDArray[np.float32]

_FRAMES: Final = 40
_PAIRS: Final = 2
_FLOWS: Final = {"dis": 256, "raft": 48}
"""Predictions that the order of the frames is compared on, at least where there are so many: RAFT takes seconds for a
flow on a CPU, and two of 48 frames that change places still leave a rank correlation of 0.9999."""


def frames_of(model: Model) -> NDArray[np.uint8]:
    """Frames for the autoencoder, u8[n,H,W]; made-up ones, said aloud, where the footage cannot be read again."""
    height, width = model.manifest.height, model.manifest.width
    try:
        chunk = next(_videos(model)[0].chunks(height, width, "grey", _FRAMES))
        if len(chunk.frames) > model.manifest.window:
            return np.ascontiguousarray(chunk.frames)
    except (PixelfastError, StopIteration):
        pass
    Notes().say("the training footage cannot be read again: half precision is checked on made-up frames")
    frames: NDArray[np.uint8] = made_up_frames()
    return frames


def flow_frames_of(model: Model, threads: int) -> NDArray[np.uint8] | None:
    """Neighbouring frames for RAFT, u8[3,H,W,3]; None, said aloud, where the footage cannot be read again."""
    try:
        video = _videos(model)[0]
        wanted = flow_frames(open_flow(FlowFacts("raft"), model.folder, share_threads(threads)), video)
        chunk = next(video.chunks(wanted.height, wanted.width, wanted.color, _PAIRS + 1))
        if len(chunk.frames) > 1:
            return np.ascontiguousarray(chunk.frames)
    except (PixelfastError, StopIteration):
        pass
    Notes().say("the training footage cannot be read again: RAFT in half precision is checked on a made-up scene")
    return None


def flows_of(model: Model, threads: int) -> list[Flows]:
    """Runs of flows f32[K+M,2,64,64], each of one video, by the model's own flow engine.

    Made-up ones, said aloud, where the footage cannot be read again or nothing moves in it.
    """
    known = model.manifest.motion
    assert known is not None, "a motion model knows its flow"
    why = "the training footage cannot be read again"
    try:
        runs = _runs(model, known, threads)
        if any(run.any() for run in runs):
            return runs
        why = "nothing moves in the training footage, or not for long enough"
    except PixelfastError:
        pass
    Notes().say(f"{why}: half precision is checked on made-up flows")
    return [made_up_flows(known.past, known.scale)]


def _runs(model: Model, known: MotionFacts, threads: int) -> list[Flows]:
    videos = _videos(model)
    cores = share_threads(threads)
    engine = open_flow(known.flow, model.folder, cores)
    source = FlowSource(engine, {one.name: one for one in videos}, known.bridge_noisy, cores)
    runs: list[Flows] = []
    for video in videos:
        missing = _FLOWS[known.flow.kind] - sum(len(run) - known.past for run in runs)
        run = _first(source, video.name, known.past + missing) if missing > 0 else _none()
        if len(run) > known.past:
            runs.append(run)
    return runs


def _first(source: FlowSource, name: str, count: int) -> Flows:
    """Up to `count` flows of a video, f32[n,2,64,64]."""
    some: list[Flows] = [_none()]
    with closing(source.flows(name)) as flows:
        for piece in flows:
            some.append(piece[: count - sum(map(len, some))])
            if sum(map(len, some)) >= count:
                break
    return np.concatenate(some)


def _none() -> Flows:
    return np.zeros((0, 2, FLOW_SIZE, FLOW_SIZE), np.float32)


def _videos(model: Model) -> list[Video]:
    if model.manifest.training is None:
        raise SourceError("the model was not trained here")
    return open_source(model.manifest.training.sources)
