"""The source method's own flow GRU, brought into pixelfast's files."""

import math
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path

from torch import Tensor

from pixelfast.errors import ModelError
from pixelfast.flow.facts import FlowFacts
from pixelfast.flow.opening import RAFT_FILE
from pixelfast.flow.raft_export import export_raft
from pixelfast.geometry import FLOW_SIZE, PAST_FLOWS
from pixelfast.methods.base import ConvertRequest
from pixelfast.methods.motion import METHOD
from pixelfast.methods.motion.export import write_motion
from pixelfast.methods.motion.facts import MotionFacts
from pixelfast.methods.motion.network import FlowGru, save_flow_gru
from pixelfast.methods.trained import Trained
from pixelfast.model.names import EngineName
from pixelfast.training.plain_files import fill


def convert_gru(path: Path, state: Mapping[str, Tensor], workdir: Path, request: ConvertRequest) -> Trained:
    """Writes the weights and the engine of a flow GRU, and RAFT for its frames; see `SourceWeights.convert`.

    The source's flow is in pixels of the frame, ours in those of the grid: the scale makes up for it.

    Raises:
        ModelError: the state dict is not that of the source's network, or the size of its frames is not known.
        OutputError: a file cannot be written.
    """
    if request.frame_size is None or min(request.frame_size) < 1:
        raise ModelError(
            f"{path} holds a motion GRU, whose flow is in pixels of the footage it was trained on: say how large its "
            "frames were (--frame-size 640x360)"
        )
    first, (height, width) = state["gru.weight_ih_l0"], request.frame_size
    hidden = first.shape[0] // 3
    if first.ndim != 2 or not 0 < hidden <= 4096:
        raise ModelError(f"{path}: gru.weight_ih_l0 has the shape {list(first.shape)}, not [1536, 8192]")
    network, name = FlowGru(hidden), EngineName(METHOD.stem)
    fill(network, path, state)
    scale = (FLOW_SIZE / width, FLOW_SIZE / height)
    save_flow_gru(network, workdir / str(name.weights), recipe="source", scale=scale, past=PAST_FLOWS)
    difference = write_motion(network, scale, PAST_FLOWS, workdir / str(name))
    if request.with_raft:
        request.notes.say("the source fed its RAFT frames in [0, 1]; here they are fed in [-1, 1], as RAFT was trained")
        kept = workdir / str(EngineName("raft").weights)
        export_raft(request.raft_weights, workdir / RAFT_FILE, height, width, kept=kept)
    unit = FLOW_SIZE / math.sqrt(height * width)
    known = MotionFacts(FlowFacts("raft"), PAST_FLOWS, unit, bridge_noisy=False)
    return Trained(str(name), PAST_FLOWS + 2, {}, own=asdict(known), differences={str(name): difference})
