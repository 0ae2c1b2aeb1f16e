"""What TensorRT plans of a motion model are built of: its predictor and, where it has it, RAFT."""

from collections.abc import Generator, Iterator
from contextlib import closing
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from pixelfast.errors import EngineError, ModelError, PixelfastError
from pixelfast.flow.cache import FlowCache
from pixelfast.flow.engine import RAFT_FILE, FlowFacts, open_flow
from pixelfast.flow.footage import video_flows
from pixelfast.flow.raft import RaftFlow
from pixelfast.flow.raft_memory import call_sizes
from pixelfast.flow.stream import Flows, flow_frames, no_flows
from pixelfast.machine.imports import training_extra
from pixelfast.methods.exports import ExportRequest, PlanSource, say_agreement
from pixelfast.methods.motion import METHOD
from pixelfast.methods.motion.facts import MotionFacts
from pixelfast.methods.trained import footage_of
from pixelfast.model import Model
from pixelfast.model.names import EngineName
from pixelfast.notes import Notes
from pixelfast.training.cache import FrameCache

CALL_SIZES: Final = (9, 72, 72)
"""Flows a call of a plan where nobody says otherwise."""

_PAIRS: Final = 2
"""Pairs of frames that RAFT in half precision is checked on."""

_FLOWS: Final = {"dis": 256, "raft": 48}
"""Predictions that the order of the frames is compared on, at least where there are so many: RAFT takes seconds for a
flow on a CPU, and two of 48 frames that change places still leave a rank correlation of 0.9999."""


def export_onnx(model: Model, request: ExportRequest) -> Path:
    """Refuses: a motion model has its engine.

    Raises:
        EngineError: always.
    """
    if request.precision != "fp32":
        raise EngineError(f"{model.folder} holds a motion model: int8 and bf16 are for autoencoders")
    raise EngineError(f"{model.folder} holds a motion model: it has its only engine, motion.onnx, and no strides")


def plan_sources(model: Model, request: ExportRequest) -> list[PlanSource]:
    """Returns the graphs that the plans of a motion model are built of: its predictor and, where it has it, RAFT.

    Raises:
        EngineError: a stride was asked for.
        ModelError: RAFT's weights are missing, which less than float32 is made from.
    """
    if request.stride != 1:
        raise EngineError("the motion method's engines have no stride")
    name, raft, files = EngineName(METHOD.stem), EngineName("raft"), model.manifest.files
    known = MotionFacts.of(model)

    def reduce(out: Path, request: ExportRequest) -> None:
        with training_extra():
            from pixelfast.methods.motion.export import write_reduced_motion
            from pixelfast.methods.motion.network import load_flow_gru
        network, scale, past = load_flow_gru(model.folder / str(name.weights))
        runs = flows_of(model, known, request.threads, request.notes)
        agreement = write_reduced_motion(
            network, scale, past, out, request.precision, runs=runs, threads=request.threads
        )
        say_agreement(request, agreement)

    def reduce_raft(out: Path, request: ExportRequest) -> None:
        frames = flow_frames_of(model, request.threads, request.notes)
        with training_extra():
            from pixelfast.flow.raft_export import export_reduced_raft
        error = export_reduced_raft(model.folder, out, request.precision, frames=frames, threads=request.threads)
        request.notes.say(
            f"{request.precision} keeps RAFT's flow: it is {error.mean:.4f} pixels of a frame from that of float32 on "
            f"average, {error.most:.4f} at most"
        )

    predictor = PlanSource(name, CALL_SIZES, known.past + 1, reduce if str(name.weights) in files else None)
    if RAFT_FILE not in files:
        return [predictor]
    if request.precision != "fp32" and str(raft.weights) not in files:
        raise ModelError(
            f"{model.folder} has no {raft.weights}, which {request.precision} is made from: an older pixelfast wrote "
            "it. Train it again (pixelfast train … --flow raft), convert it again, or ask for fp32"
        )
    sizes = call_sizes(*RaftFlow(model.folder / RAFT_FILE, request.threads).size(0, 0))
    return [predictor, PlanSource(raft, sizes, None, reduce_raft)]


def held_out(model: Model, cache: FrameCache, threads: int) -> Iterator[tuple[str, NDArray[np.float16]]]:
    """Yields the name and the held-out flows f16[n, 2, 64, 64] of each video; see `MethodSpec.held_out`.

    Raises:
        ModelError: RAFT computes the flow, or a video changed while it was read.
        PixelfastError: the footage cannot be read again.
    """
    known = MotionFacts.of(model)
    if known.flow.kind == "raft":
        raise ModelError("RAFT takes long for all of the training footage; `pixelfast calibrate` takes that time")
    by_name, flow = {video.name: video for video in footage_of(model)}, open_flow(known.flow, model.folder, threads)

    def flows_of(name: str) -> Iterator[Flows]:
        return video_flows(flow, by_name[name], known.bridge_noisy, threads)

    yield from FlowCache.build(cache.videos, flows_of, cache.path.with_name("flows.f16"), {}).held_out()


def flow_frames_of(model: Model, threads: int, notes: Notes) -> NDArray[np.uint8] | None:
    """Reads neighbouring training frames u8[3,H,W,3] for RAFT; None, said aloud, where they cannot be read again."""
    try:
        video = footage_of(model)[0]
        wanted = flow_frames(open_flow(FlowFacts("raft"), model.folder, threads), video)
        chunk = next(video.chunks(wanted.height, wanted.width, wanted.color, _PAIRS + 1))
        if len(chunk.frames) > 1:
            return np.ascontiguousarray(chunk.frames)
    except (PixelfastError, StopIteration):
        pass
    notes.say("the training footage cannot be read again: RAFT in half precision is checked on a made-up scene")
    return None


def flows_of(model: Model, known: MotionFacts, threads: int, notes: Notes) -> list[Flows]:
    """Computes runs of flows f32[K+M,2,64,64], each of one training video, by the model's own flow engine.

    Makes some up, said aloud, where the footage cannot be read again or nothing moves in it.
    """
    try:
        runs, why = _runs(model, known, threads), "nothing moves in the training footage, or not for long enough"
    except PixelfastError:
        runs, why = [], "the training footage cannot be read again"
    if any(run.any() for run in runs):
        return runs
    notes.say(f"{why}: half precision is checked on made-up flows")
    from pixelfast.training.made_up import made_up_flows

    return [made_up_flows(known.past, known.scale)]


def _runs(model: Model, known: MotionFacts, threads: int) -> list[Flows]:
    runs, missing = list[Flows](), _FLOWS[known.flow.kind]
    engine = open_flow(known.flow, model.folder, threads)
    for video in footage_of(model):
        flows = video_flows(engine, video, known.bridge_noisy, threads)
        run = _first(flows, known.past + missing) if missing > 0 else no_flows()
        if len(run) > known.past:
            runs.append(run)
            missing -= len(run) - known.past
    return runs


def _first(flows: Generator[Flows, None, None], count: int) -> Flows:
    """Returns up to `count` flows of a video, f32[n,2,64,64]."""
    some, held = [no_flows()], 0
    with closing(flows):
        for piece in flows:
            some.append(piece[: count - held])
            held += len(some[-1])
            if held >= count:
                break
    return np.concatenate(some)
