"""The engine of the motion method: flows in, the error of predicting each from those before it out."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from pixelfast.errors import EngineError
from pixelfast.flow.dis import DisFlow
from pixelfast.geometry import FLOW_SIZE, GRID
from pixelfast.machine.threads import usable_cores
from pixelfast.runtime.opening import open_runner
from pixelfast.runtime.pieces import Ports, Span, buckets
from pixelfast.runtime.runner import MOST_STRIDE, Runner, RunnerEngine, Tensor, metadata_integer
from pixelfast.runtime.tensorrt.check import PlanOrigin
from pixelfast.runtime.torch.choice import TorchWish
from pixelfast.runtime.torch.runner import LoadedWeights, Weights
from pixelfast.runtime.trial import Agreement, EngineKind, Footage, Subject
from pixelfast.scores.agreement import agreement_in_order


@dataclass(frozen=True)
class MotionEngineFacts:
    """The facts of a motion engine.

    Attributes:
        past: K, flows that a prediction is made from.
        grid: G, cells a side of the error map.
        precision: "fp32", or what else the same file is computed in on this machine.
    """

    past: int
    grid: int
    precision: str = "fp32"


class MotionEngine(RunnerEngine[Runner]):
    """Turns flows into errors of prediction, by a graph, whatever runs it."""

    def __init__(self, runner: Runner, facts: MotionEngineFacts) -> None:
        super().__init__(runner.path, runner)
        self.facts = facts

    def errors(self, flow: NDArray[np.float32]) -> NDArray[np.float32]:
        """f32[M, G, G]: of flows f32[K+M, 2, 64, 64], the sum of squared errors a cell of each but the first K.

        Raises:
            EngineError: the engine fails, or returns another shape.
        """
        result = self._run(flow)
        shape = (len(flow) - self.facts.past, self.facts.grid, self.facts.grid)
        if result.shape != shape or result.dtype != np.float32:
            found = f"{result.dtype} {list(result.shape)}"
            raise EngineError(f"{self.path}: {len(flow)} flows give {found}, not float32 {list(shape)}")
        return result


def _load(path: Path, _device: str) -> LoadedWeights:
    from pixelfast.methods.motion.network import MotionGraph, load_flow_gru

    network, scale, past = load_flow_gru(path)
    flows = Tensor("flow", "float32", (None, 2, FLOW_SIZE, FLOW_SIZE))
    return LoadedWeights(
        Ports(Span(past + 1), flows, Tensor("flow_errors", "float32", (None, GRID, GRID))),
        buckets(256, least=16),  # 64 KiB of scaled flow and prediction each
        lambda dtype, _: MotionGraph(network, scale, past, dtype),
        {"kind": "motion", "past": str(past)},
    )


PREDICTOR: Final = Weights("motion", _load)
"""A `motion.safetensors`, as PyTorch runs it."""


def load_motion_engine(
    path: Path, threads: int, origin: PlanOrigin | None = None, wish: TorchWish | None = None
) -> MotionEngine:
    """Loads a motion engine and tries it on a still scene.

    The file is an `.onnx`, a `.plan`, of which `origin` is what its model knows, or a `.safetensors`, of which `wish`
    says where and how PyTorch shall compute; `threads` are for one call on a CPU.

    Raises:
        EngineError: the file is missing, damaged, no motion engine, or cannot be run on this machine.
    """
    return motion_engine(open_runner(path, threads, PREDICTOR, origin, wish))


def motion_engine(runner: Runner) -> MotionEngine:
    """The motion engine that a runner's file is, tried on a still scene.

    Raises:
        EngineError: the file is no motion engine.
    """
    wanted = (None, 2, FLOW_SIZE, FLOW_SIZE)
    past = metadata_integer(runner, "past", most=MOST_STRIDE)
    if runner.metadata.get("pixelfast.kind") != "motion" or runner.inputs[0].shape != wanted or not past:
        raise EngineError(
            f"{runner.path} is no motion engine: it has {runner.describe()}; expected flow float32 [N, 2, {FLOW_SIZE}, "
            f"{FLOW_SIZE}] -> flow_errors float32 [M, G, G]"
        )
    grid = runner.outputs[0].shape[-1]
    if grid is None:
        raise EngineError(f"{runner.path} does not tell its grid: export it with static sizes")
    precision = runner.metadata.get("pixelfast.precision", "fp32")
    engine = MotionEngine(runner, MotionEngineFacts(past, grid, precision))
    engine.errors(np.zeros((past + 1, 2, FLOW_SIZE, FLOW_SIZE), np.float32))
    return engine


def _subject(footage: Footage, _: MotionEngine, stride: int) -> Subject:
    """Flows of neighbouring frames, compared by the frames' raw scores."""
    flow = DisFlow("fast", usable_cores())
    frames = footage.frames(max(MOTION.lengths), *flow.size(*footage.size), "grey")

    def agreement(found: NDArray[Any], expected: NDArray[Any]) -> Agreement:
        return agreement_in_order(np.sqrt(found.sum(axis=(1, 2))), np.sqrt(expected.sum(axis=(1, 2))))

    return Subject(flow.flow(frames), lambda engine, some: engine.errors(some), agreement, stride)


MOTION: Final = EngineKind("motion", load_motion_engine, load_motion_engine, _subject, weights=PREDICTOR)
"""Predictors of motion on trial: what their engines are tried on, and when one is right."""
