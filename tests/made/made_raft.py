"""RAFT of random weights as files, exported by the command; an export takes long, so that the tests share it."""

from contextlib import redirect_stdout
from pathlib import Path

import torch
from torchvision.models.optical_flow import RAFT, raft_large

import export_raft
from pixelfast.flow.raft_network import save_raft

HEIGHT, WIDTH, UPDATES = 120, 150, 2  # neither side is fit for RAFT: 128x152 after padding


def seeded_raft(seed: int) -> RAFT:
    """RAFT-Large with random weights, the same for the same seed, in evaluation mode.

    Its flow means nothing, but depends on both frames and stays within a few pixels. The global random state of
    PyTorch is left as it was.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return raft_large(weights=None).eval()


def write_raft_files(folder: Path, *options: str) -> None:
    """Writes raft_large.pth, raft.safetensors, raft.onnx, and raft.txt with what the command said."""
    raft, weights = seeded_raft(0), folder / "raft_large.pth"
    torch.save(raft.state_dict(), weights)
    save_raft(raft, folder / "raft.safetensors", height=HEIGHT, width=WIDTH, updates=UPDATES)
    size = ["--height", str(HEIGHT), "--width", str(WIDTH), "--updates", str(UPDATES)]
    with (folder / "raft.txt").open("w") as said, redirect_stdout(said):
        assert export_raft.main([*size, "--weights", str(weights), "--out", str(folder / "raft.onnx"), *options]) == 0
