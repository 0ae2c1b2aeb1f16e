"""Opens the flow engine that a model was trained with."""

from pathlib import Path

from pixelfast.flow.dis import DisFlow
from pixelfast.flow.engine import FlowEngine
from pixelfast.flow.facts import FlowFacts
from pixelfast.flow.raft import RaftFlow
from pixelfast.runtime.tensorrt.check import PlanOrigin

RAFT_FILE = "raft.onnx"


def open_flow(
    flow: FlowFacts, folder: Path, threads: int, raft: str = RAFT_FILE, origin: PlanOrigin | None = None
) -> FlowEngine:
    """The flow engine that a model was trained with.

    Args:
        flow: what it was trained with.
        folder: where RAFT's file lies, if that is it.
        threads: of its calls on a CPU.
        raft: that file's name.
        origin: of a plan, what its model knows about it.

    Raises:
        EngineError: it cannot be loaded.
    """
    if flow.kind == "raft":
        return RaftFlow(folder / raft, threads, origin)
    return DisFlow(flow.preset or "", threads, flow.shorter_side or 0)
