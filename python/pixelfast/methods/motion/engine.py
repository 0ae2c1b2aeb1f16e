"""The engine of the motion method: flows in, the error of predicting each from those before it out."""

from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from pixelfast.errors import EngineError
from pixelfast.geometry import FLOW_SIZE
from pixelfast.methods.motion.facts import MotionEngineFacts
from pixelfast.runtime.metadata import metadata_integer
from pixelfast.runtime.opening import open_runner
from pixelfast.runtime.runner import Runner
from pixelfast.runtime.tensorrt.check import PlanOrigin


class MotionEngine(Protocol):
    """Turns flows into errors of prediction."""

    @property
    def facts(self) -> MotionEngineFacts:
        """Its sizes."""

    def errors(self, flow: NDArray[np.float32]) -> NDArray[np.float32]:
        """f32[M, G, G]: of flows f32[K+M, 2, 64, 64], the sum of squared errors a cell of each but the first K.

        Raises:
            EngineError: the engine fails, or returns another shape.
        """


class GraphMotion:
    """The motion engine as a graph, in ONNX Runtime or TensorRT."""

    def __init__(self, runner: Runner, facts: MotionEngineFacts) -> None:
        self.path = runner.path
        self.facts = facts
        self._run = runner

    def errors(self, flow: NDArray[np.float32]) -> NDArray[np.float32]:
        """See `MotionEngine.errors`."""
        result = self._run(flow)
        shape = (len(flow) - self.facts.past, self.facts.grid, self.facts.grid)
        if result.shape != shape or result.dtype != np.float32:
            found = f"{result.dtype} {list(result.shape)}"
            raise EngineError(f"{self.path}: {len(flow)} flows give {found}, not float32 {list(shape)}")
        return result


def load_motion_engine(path: Path, threads: int, origin: PlanOrigin | None = None) -> MotionEngine:
    """Loads a motion engine and tries it on a still scene.

    Args:
        path: the `.onnx`, `.plan` or `.safetensors` file.
        threads: threads for one call on a CPU.
        origin: of a plan, what its model knows about it.

    Raises:
        EngineError: the file is missing, damaged, no motion engine, or cannot be run on this machine.
    """
    if path.suffix.lower() == ".safetensors":
        from pixelfast.methods.motion.engine_torch import TorchMotion

        return TorchMotion(path, threads)
    return motion_engine(open_runner(path, threads, origin))


def motion_engine(runner: Runner) -> MotionEngine:
    """The motion engine that a runner's file is, tried on a still scene.

    Raises:
        EngineError: the file is no motion engine.
    """
    wanted = (None, 2, FLOW_SIZE, FLOW_SIZE)
    past = metadata_integer(runner, "past")
    if runner.metadata.get("pixelfast.kind") != "motion" or runner.inputs[0].shape != wanted or not past:
        raise EngineError(
            f"{runner.path} is no motion engine: it has {runner.describe()}; expected flow float32 [N, 2, {FLOW_SIZE}, "
            f"{FLOW_SIZE}] -> flow_errors float32 [M, G, G]"
        )
    grid = runner.outputs[0].shape[-1]
    if grid is None:
        raise EngineError(f"{runner.path} does not tell its grid: export it with static sizes")
    engine = GraphMotion(runner, MotionEngineFacts(past, grid))
    engine.errors(np.zeros((past + 1, 2, FLOW_SIZE, FLOW_SIZE), np.float32))
    return engine
