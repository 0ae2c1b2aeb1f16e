"""The graphs of our engines as PyTorch runs them, small ones of random weights, each with its ports."""

import pytest
import torch
from torch import nn

from made_raft import seeded_raft
from pixelfast.flip.network import FlipClassifier, FlipGraph
from pixelfast.flow.raft_network import RaftGraph
from pixelfast.methods.motion.network import FlowGru, MotionGraph
from pixelfast.methods.reconstruction.network import ReconstructionGraph, TemporalAutoencoder
from pixelfast.runtime.pieces import Ports, Span
from ports import ends


def real_graph(name: str, dtype: torch.dtype = torch.float32) -> tuple[nn.Module, Ports]:
    if name == "autoencoder":
        module: nn.Module = ReconstructionGraph(TemporalAutoencoder(4).eval(), dtype=dtype)
        return module, ends(Span(16), (128, 128), "uint8", (16, 8, 8))
    if name == "motion":
        return MotionGraph(FlowGru(6).eval(), 0.5, dtype=dtype), ends(Span(9), (2, 64, 64), "float32", (8, 8))
    if name == "flip":
        return FlipGraph(FlipClassifier().eval()), ends(Span(1), (128, 128), "uint8", ())
    return RaftGraph(seeded_raft(0), 128, 128, 1, dtype), ends(Span(2), (128, 128, 3), "uint8", (2, 64, 64))


real = pytest.mark.parametrize("name", ["autoencoder", "motion", "raft", "flip"])
