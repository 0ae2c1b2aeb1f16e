"""The motion method on one video: frames in, the errors of predicting their flow out."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from pixelfast import _core
from pixelfast.cleaning.cleaned import Cleaned
from pixelfast.errors import EngineError, ModelError, PixelfastError
from pixelfast.flow.engine import RAFT_FILE, FlowEngine, open_flow
from pixelfast.flow.stream import Flows, FlowStream, flow_frames
from pixelfast.geometry import FLOW_SIZE
from pixelfast.machine.stopwatch import Stopwatch
from pixelfast.methods.base import EngineChoice, ErrorsOf, Features, Maps, Opening
from pixelfast.methods.motion.engine import MotionEngine, load_motion_engine
from pixelfast.methods.motion.facts import MotionFacts
from pixelfast.methods.overlap import Overlap
from pixelfast.methods.settings import Settings
from pixelfast.model import Model
from pixelfast.model.names import EngineName
from pixelfast.notes import Notes
from pixelfast.options import OwnPool
from pixelfast.runtime.tensorrt.check import plan_origin
from pixelfast.sources import Video
from pixelfast.sources.video import FrameFormat


@dataclass(frozen=True)
class Motion:
    """The method with its engines; see `methods.base.Method`.

    Attributes:
        flow: the engine of optical flow.
        engine: the engine that predicts it.
        known: what the model says about both.
        stopwatch: gets the times of the `flow` and `engine` phases.
        flow_sha256: of the flow's file; None where OpenCV computes it.
    """

    flow: FlowEngine
    engine: MotionEngine
    known: MotionFacts
    stopwatch: Stopwatch
    flow_sha256: str | None = None

    stride: Final = 1

    @property
    def frame_bytes(self) -> int:
        """See `Method.frame_bytes`."""
        return self.flow.frame_bytes

    def facts(self) -> dict[str, Any]:
        """See `Method.facts`."""
        flow = self.known.flow
        settings = [flow.preset, flow.shorter_side] if self.flow_sha256 is None else [self.flow_sha256]
        precision = self.engine.facts.precision
        facts = {"flow": [flow.kind, *settings], "bridge_noisy": self.known.bridge_noisy}
        return facts if precision == "fp32" else {**facts, "precision": precision}

    def frames(self, video: Video) -> FrameFormat:
        """The size that the flow engine wants of this video; flow between frames of two sizes means nothing."""
        return flow_frames(self.flow, video)

    def maps(self, video: Video) -> "MotionMaps":
        """See `Method.maps`."""
        errors = FlowErrors(
            self.engine, self.stopwatch, lambda index: f"video {video.name}, frame {video.describe(index)}"
        )
        return MotionMaps(FlowStream(self.flow, self.stopwatch), errors)

    def remarks(self, video: Video, frames: int) -> list[str]:
        """Names a video that holds no motion, and one in which nothing can be predicted from true past."""
        if frames == 1:
            return [f"video {video.name} has one frame, so no motion: it is scored as a still scene"]
        past = self.engine.facts.past
        if frames <= past + 1:
            return [f"video {video.name} has {frames} frames, too few to predict a flow from {past} others"]
        return []


@dataclass(frozen=True)
class MotionMaps:
    """Flow and motion engine: from the frames of one video to its error maps, streaming."""

    flows: FlowStream
    errors: "FlowErrors"

    def run(self, cleaned: Iterable[Cleaned]) -> Iterator[Maps]:
        """Yields the maps f32[m, G, G] of the frames of a whole video, in order."""
        return self.errors.errors(self.flows.run(cleaned))


@dataclass(eq=False)
class FlowErrors:
    """The motion engine on one video: from its flows to its error maps, streaming.

    The map of frame i+1 is the error of flow i; frame 0 takes that of frame 1. Before a video the past is its first
    flow, repeated.
    """

    engine: MotionEngine
    stopwatch: Stopwatch
    place: Callable[[int], str]
    _past: Flows | None = None
    _done: int = 0

    def errors(self, flows: Iterable[Flows]) -> Iterator[Maps]:
        """Yields the maps of a whole video from its flows f32[m, 2, 64, 64]; one map more than flows."""
        for some in flows:
            if not len(some):
                continue
            maps = self._errors(some)
            yield np.concatenate([maps[:1], maps]) if self._done == 0 else maps
            self._done += len(some)
        if self._done == 0:  # one frame: nothing moves
            yield self._errors(np.zeros((1, 2, FLOW_SIZE, FLOW_SIZE), np.float32))

    def _errors(self, flows: Flows) -> Maps:
        past = self.engine.facts.past
        before = np.repeat(flows[:1], past, axis=0) if self._past is None else self._past
        joined = np.concatenate([before, flows])
        self._past = joined[-past:].copy()
        with self.stopwatch.phase("engine", joined.nbytes):
            maps = self.engine.errors(joined)
        self._check_finite(maps)
        return maps

    def _check_finite(self, maps: Maps) -> None:
        if np.isfinite(maps).all():
            return
        index = self._done + 1 + int(np.argwhere(~np.isfinite(maps))[0, 0])
        raise EngineError(
            f"the motion engine gives an error that is not finite in {self.place(index)}: the engine is damaged; "
            "train it again"
        )


def raw(maps: Maps, pool: OwnPool) -> NDArray[np.float32]:
    """Returns the norm of the error over all cells (METHOD), or the root of the mean of the three worst cells."""
    cells = maps.shape[1] * maps.shape[2] if pool == "mean" else 1
    return np.sqrt(cells * _core.pool(maps, pool, threads=1)).astype(np.float32)


def errors_of(engine: Path, own: Mapping[str, Any], stride: int, threads: int) -> ErrorsOf:
    """Returns what makes error maps of the held-out flows f16[n, 2, 64, 64] of a video; see `MethodSpec.errors_of`."""
    del own, stride
    loaded, watch = load_motion_engine(engine, threads), Stopwatch()

    def errors(flows: Features) -> Maps:
        maps = FlowErrors(loaded, watch, lambda index: f"held-out frame {index}")
        return np.concatenate(list(maps.errors([flows.astype(np.float32)])))

    return errors


def open_motion(opening: Opening) -> Motion:
    """Loads the engines of a motion model; see `MethodSpec.open`.

    Raises:
        EngineError: an engine cannot be loaded.
        ModelError: the engine has no model, or one that does not know its flow.
        PixelfastError: windows were asked for, which this method does not have.
    """
    choice = opening.choice
    check(choice, opening.settings)
    if choice.model is None:
        raise ModelError(f"{choice.path} does not say which flow it was trained on: train the model again")
    model, known = choice.model, MotionFacts.of(choice.model)
    engine = load_motion_engine(choice.path, opening.threads, choice.origin)
    opening.say_precision(engine.facts.precision)
    raft = _raft_file(choice, model, known, opening.notes)
    flow = open_flow(known.flow, model.folder, opening.threads, raft, plan_origin(model, raft))
    opening.say_remarks(engine, flow)
    sha256 = model.manifest.files[raft].sha256 if known.flow.kind == "raft" else None
    return Motion(flow, engine, known, opening.stopwatch, sha256)


def overlap(method: Motion) -> Overlap:
    """See `MethodSpec.overlap`: the flows that the first one is predicted from, and the frames around these."""
    return Overlap(method.engine.facts.past + 1, 0)


def check(_: EngineChoice, settings: Settings) -> None:
    """See `MethodSpec.check`: a PixelfastError where windows are asked for, which this method does not have."""
    if settings.stride not in (None, 1) or settings.how != "mean":
        raise PixelfastError("the motion method has no overlapping windows: leave out stride and how")


def _raft_file(choice: EngineChoice, model: Model, known: MotionFacts, notes: Notes) -> str:
    """RAFT as the engine is: `raft.fp16.plan` with `motion.fp16.plan`; else its ONNX file."""
    name = EngineName.parse(choice.path.name)
    same = RAFT_FILE if name is None else str(name._replace(stem="raft"))
    if model.goes_with(choice.path.name, same):
        return same
    if known.flow.kind == "raft":
        notes.say(f"{RAFT_FILE} runs as it can here: {model.folder} has no {same} that goes with {choice.path.name}")
    return RAFT_FILE
