"""RAFT-Large as an ONNX file or a TensorRT plan by itself: what `cuda_export/export_raft.py` does."""

from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from pixelfast.arguments import MOST_PIXELS, checked, whole
from pixelfast.errors import ModelError, first_line
from pixelfast.flow.raft_memory import MEMORY_BYTES, call_sizes, pairs_within
from pixelfast.machine.imports import training_extra
from pixelfast.runtime.tensorrt.build import CallSizes, build_plan

_SIDE: Final = partial(whole, least=1, most=MOST_PIXELS)


@checked(height=_SIDE, width=_SIDE, updates=partial(whole, least=1, most=1000))
def export_raft_alone(
    out: Path,
    height: int,
    width: int,
    *,
    weights: Path | None = None,
    updates: int = 12,
    precision: str = "fp32",
    compute_capability: str | None = None,
) -> str:
    """Writes the file, or builds a plan of it, and says what it is.

    Args:
        out: the file to write: `.onnx`, or `.plan` for TensorRT.
        height: of the frames, pixels.
        width: of the frames, pixels.
        weights: a state dict of torchvision's raft_large; None takes torchvision's own.
        updates: refinements of the flow.
        precision: "fp32", "fp16" or "bf16", of the convolutions.
        compute_capability: of a plan's GPU, such as "8.6"; None takes this machine's.

    Raises:
        ModelError: PyTorch is missing or fails on such frames, there are no such weights, or the file is not right.
        EngineError: TensorRT is missing or cannot build the plan.
        OutputError: the file cannot be written.
    """
    try:
        if out.suffix != ".plan":
            return _graph(out, height, width, weights=weights, updates=updates, precision=precision)
        with TemporaryDirectory(prefix="pixelfast-raft-") as folder:
            graph = Path(folder) / "raft.onnx"
            words = _graph(graph, height, width, weights=weights, updates=updates, precision=precision)
            sizes = CallSizes(*call_sizes(height, width))
            facts = build_plan(graph, out, sizes, precision=precision, compute_capability=compute_capability)
    except (MemoryError, RuntimeError) as error:  # how PyTorch says that a frame is too large for this machine
        raise ModelError(f"RAFT at {width}x{height} could not be exported: {first_line(error)}") from error
    built = f"{facts.precision}, {sizes} frames a call, for {facts.compute_capability}"
    return f"{words}\n{out}: {built}, by {facts.flavour} {facts.version}"


def _graph(out: Path, height: int, width: int, *, weights: Path | None, updates: int, precision: str) -> str:
    """Writes the ONNX file and says what it is."""
    with training_extra():
        from pixelfast.flow.raft_export import export_half_raft, export_raft
    if precision == "fp32":
        difference = export_raft(weights, out, height, width, updates=updates)
        check = f"ONNX Runtime and PyTorch differ by {difference:.1e} of the largest flow"
    else:
        moved = export_half_raft(weights, out, height, width, precision, updates=updates)
        check = f"{precision} moves a made-up flow by {moved.mean:.4f} pixels, {moved.most:.4f} at most"
    return (
        f"{out.name}: frames u8[N,{height},{width},3] to flow f32[N-1,2,64,64], {updates} updates; {check}; "
        f"{pairs_within(MEMORY_BYTES, height, width) + 1} frames a call stay within 1 GiB (one pair at the least)"
    )
