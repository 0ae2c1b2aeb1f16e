"""Writes RAFT-Large as one ONNX file: frames in as bytes, flow on a grid of 64x64 out.

    python cuda_export/export_raft.py --height 360 --width 640 --weights raft_large.pth --out raft.onnx

Height and width are those of the frames and fixed in the file; the number of frames a call is free.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from pixelfast.errors import ModelError, PixelfastError
from pixelfast.networks.raft_memory import MEMORY_BYTES, pairs_within


def main(arguments: Sequence[str] | None = None) -> int:
    """Exports; returns 0, or 1 after a sentence on stderr."""
    options = _parser().parse_args(arguments)
    try:
        print(_export(options))
    except PixelfastError as error:
        print(error, file=sys.stderr)
        return 1
    except (MemoryError, RuntimeError) as error:  # how PyTorch says that a frame is too large for this machine
        reason = (str(error) or type(error).__name__).splitlines()[0]
        print(f"RAFT at {options.width}x{options.height} could not be exported: {reason}", file=sys.stderr)
        return 1
    return 0


def _export(options: argparse.Namespace) -> str:
    """Writes the file and says what it is."""
    try:
        from pixelfast.training.export_flow import export_half_raft, export_raft
    except ModuleNotFoundError as error:
        raise ModelError(
            f"exporting needs PyTorch, and {error.name} is missing: pip install 'pixelfast[train]'"
        ) from error
    height, width, updates = options.height, options.width, options.updates
    if options.precision == "fp32":
        difference = export_raft(options.weights, options.out, height, width, updates=updates)
        check = f"ONNX Runtime and PyTorch differ by {difference:.1e} of the largest flow"
    else:
        moved = export_half_raft(options.weights, options.out, height, width, options.precision, updates=updates)
        check = f"{options.precision} moves a made-up flow by {moved.mean:.4f} pixels, {moved.most:.4f} at most"
    return (
        f"{options.out}: frames u8[N,{height},{width},3] to flow f32[N-1,2,64,64], {updates} updates; {check}; "
        f"{pairs_within(MEMORY_BYTES, height, width) + 1} frames a call stay within 1 GiB (one pair at the least)"
    )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
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
    parser.add_argument("--out", type=Path, required=True, help="the ONNX file to write")
    return parser


if __name__ == "__main__":
    sys.exit(main())
