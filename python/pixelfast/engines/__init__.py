"""What turns frames into errors: loading an engine, checking it, running it. ONNX Runtime is imported on loading."""

from pixelfast.engines.choose import EngineChoice, choose_engine
from pixelfast.engines.flip import FlipEngine, load_flip_engine
from pixelfast.engines.flow import DisFlow, FlowEngine, RaftFlow, load_raft
from pixelfast.engines.motion import MotionEngine, load_motion_engine
from pixelfast.engines.window import CuboidEngine, FrameEngine, WindowEngine, load_window_engine

__all__ = [
    "CuboidEngine",
    "DisFlow",
    "EngineChoice",
    "FlipEngine",
    "FlowEngine",
    "FrameEngine",
    "MotionEngine",
    "RaftFlow",
    "WindowEngine",
    "choose_engine",
    "load_flip_engine",
    "load_motion_engine",
    "load_raft",
    "load_window_engine",
]
