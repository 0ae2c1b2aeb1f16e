"""What `cuda_export/export_raft.py` does: options in, RAFT's ONNX file or plan out."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from pixelfast.errors import PixelfastError
from pixelfast.jobs.export_raft import export_raft_alone


def run(description: str, arguments: Sequence[str] | None) -> int:
    """Exports; returns 0, or 1 after a sentence on stderr."""
    options = _parser(description).parse_args(arguments)
    try:
        print(export_raft_alone(**vars(options)))
    except PixelfastError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def _parser(description: str) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--height", type=int, required=True, help="of the frames, pixels")
    parser.add_argument("--width", type=int, required=True, help="of the frames, pixels")
    parser.add_argument(
        "--weights",
        type=Path,
        help="a state dict of torchvision's raft_large (.pth); without it torchvision's own are taken from PyTorch's "
        "cache or torchvision's web site",
    )
    parser.add_argument("--updates", type=int, default=12, help="refinements of the flow; fewer are faster (12)")
    parser.add_argument(
        "--precision",
        choices=("fp32", "fp16", "bf16"),
        default="fp32",
        help="of the convolutions; less than fp32 is for GPUs, to build a plan from",
    )
    parser.add_argument("--out", type=Path, required=True, help="the file to write: .onnx, or .plan for TensorRT")
    parser.add_argument("--compute-capability", help="of a plan's GPU, such as 8.6; without it this machine's")
    return parser
