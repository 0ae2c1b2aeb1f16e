"""What `export_raft.py` does: options in, RAFT's ONNX file or plan out."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from pixelfast.errors import ModelError, PixelfastError
from pixelfast.flow.raft_memory import MEMORY_BYTES, call_sizes, pairs_within
from pixelfast.runtime.tensorrt.build import CallSizes, build_plan


def run(description: str, arguments: Sequence[str] | None) -> int:
    """Exports; returns 0, or 1 after a sentence on stderr."""
    options = _parser(description).parse_args(arguments)
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
    """Writes the file, or builds a plan of it, and says what it is."""
    if options.out.suffix != ".plan":
        return _write(options, options.out)
    with TemporaryDirectory(prefix="pixelfast-raft-") as folder:
        graph = Path(folder) / "raft.onnx"
        words = _write(options, graph)
        sizes = CallSizes(*call_sizes(options.height, options.width))
        facts = build_plan(
            graph, options.out, sizes, precision=options.precision, compute_capability=options.compute_capability
        )
    built = f"{facts.precision}, {sizes} frames a call, for {facts.compute_capability}"
    return f"{words}\n{options.out}: {built}, by {facts.flavour} {facts.version}"


def _write(options: argparse.Namespace, out: Path) -> str:
    """Writes the ONNX file and says what it is."""
    try:
        from pixelfast.flow.raft_export import export_half_raft, export_raft
    except ModuleNotFoundError as error:
        raise ModelError(
            f"exporting needs PyTorch, and {error.name} is missing: pip install 'pixelfast[train]'"
        ) from error
    height, width, updates = options.height, options.width, options.updates
    if options.precision == "fp32":
        difference = export_raft(options.weights, out, height, width, updates=updates)
        check = f"ONNX Runtime and PyTorch differ by {difference:.1e} of the largest flow"
    else:
        moved = export_half_raft(options.weights, out, height, width, options.precision, updates=updates)
        check = f"{options.precision} moves a made-up flow by {moved.mean:.4f} pixels, {moved.most:.4f} at most"
    return (
        f"{out.name}: frames u8[N,{height},{width},3] to flow f32[N-1,2,64,64], {updates} updates; {check}; "
        f"{pairs_within(MEMORY_BYTES, height, width) + 1} frames a call stay within 1 GiB (one pair at the least)"
    )


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
