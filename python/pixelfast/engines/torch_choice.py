"""Where and how PyTorch computes: the device, the precision, and what makes it faster than layer after layer."""

from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Final, Literal, get_args

from pixelfast.engines.torch_speedup import SPEEDUPS, USUAL, fastest_speedup
from pixelfast.errors import EngineError

Precision = Literal["fp16", "bf16", "fp32"]
PRECISIONS: Final[tuple[str, ...]] = get_args(Precision)

DEVICES: Final = ("cuda", "cpu")

_FURTHER_PACKAGES: Final = {"raft": ("torchvision",)}


@dataclass(frozen=True)
class TorchChoice:
    """How an engine of PyTorch computes.

    Attributes:
        device: "cuda" or "cpu".
        precision: "fp16", "bf16" or "fp32", of weights and activations; what must stay float32 does at any.
        speedup: on a GPU: "graph" replays CUDA graphs, "compile" has the layers compiled by torch.compile first and
            replays graphs of that, "none" runs layer after layer. A CPU always does that.
    """

    device: str
    precision: str
    speedup: str


def gpu_by_torch() -> bool:
    """Whether PyTorch is installed, can be imported, and has a GPU; this imports it."""
    try:
        import torch
    except (ImportError, OSError):  # OSError: a library of CUDA that does not load
        return False
    return torch.cuda.is_available()


def torch_choice(path: Path, kind: str, device: str | None, precision: str | None, speedup: str | None) -> TorchChoice:
    """The choice for the weights at `path`, once it is sure that PyTorch is here and can do it.

    Args:
        path: the weights, for the sentences.
        kind: "ae", "motion", "raft" or "flip".
        device: None takes the GPU where there is one.
        precision: None takes fp16 on a GPU and fp32 on a CPU.
        speedup: see `TorchChoice`; None takes what was measured to be the fastest.

    Raises:
        EngineError: a package is missing, there is no GPU, or there is no such choice.
    """
    for name in ("torch", "safetensors", *_FURTHER_PACKAGES.get(kind, ())):
        _require(path, name)
    import torch

    there = torch.cuda.is_available()
    device = device or ("cuda" if there else "cpu")
    precision = precision or ("fp16" if device == "cuda" else "fp32")
    if speedup is None:
        speedup = fastest_speedup(kind, precision) if there and device == "cuda" else USUAL
    allowed = {"device": (device, DEVICES), "precision": (precision, PRECISIONS), "speedup": (speedup, SPEEDUPS)}
    for name, (value, known) in allowed.items():
        if value not in known:
            raise EngineError(f"{path}: PyTorch has the {name} {', '.join(known)}, not {value!r}")
    if device == "cuda" and not there:
        raise EngineError(f"{path}: PyTorch finds no CUDA GPU here; take the device cpu, or leave it open")
    return TorchChoice(device, precision, speedup)


def _require(path: Path, package: str) -> None:
    try:
        import_module(package)
    except ModuleNotFoundError as error:
        raise EngineError(
            f"{path} needs PyTorch, and {error.name} is missing: pip install 'pixelfast[train]', or name the "
            f"{path.stem}.onnx beside it"
        ) from error
    except (ImportError, OSError) as error:  # OSError: a library of CUDA that does not load
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        raise EngineError(
            f"{path} needs PyTorch, which is installed and cannot be imported ({reason}): install it again, or name "
            f"the {path.stem}.onnx beside it"
        ) from error
