"""Where and how PyTorch computes: the device, the precision, and what makes it faster than layer after layer."""

from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import Final, Literal, NamedTuple, get_args

from pixelfast.errors import EngineError, first_line
from pixelfast.machine.gpu import first_gpu
from pixelfast.machine.imports import installed_version
from pixelfast.machine.measured import Measured

DEVICES: Final = ("cuda", "cpu")
PRECISIONS: Final = ("fp16", "bf16", "fp32")

Speedup = Literal["graph", "compile", "none"]
SPEEDUPS: Final[tuple[Speedup, ...]] = get_args(Speedup)

USUAL: Final[Speedup] = "graph"
"""Where nothing was measured: it is ready in a moment, while torch.compile takes the better part of a minute."""

WORTH_COMPILING: Final = 1.1
"""So much faster than the usual one must another be, as torch.compile costs seconds whenever an engine is loaded."""

MEASURED: Final = Measured("torch-speedups.json")


class TorchWish(NamedTuple):
    """Where and how PyTorch shall compute; None leaves it open.

    Attributes:
        device: None takes the GPU where there is one.
        precision: None takes fp16 on a GPU and fp32 on a CPU.
        speedup: None takes what was measured to be the fastest.
    """

    device: str | None = None
    precision: str | None = None
    speedup: str | None = None


class TorchChoice(NamedTuple):
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


def torch_choice(path: Path, kind: str, wish: TorchWish, packages: Sequence[str] = ()) -> TorchChoice:
    """The choice for the weights at `path`, once it is sure that PyTorch is here and can do it.

    Args:
        path: the weights, for the sentences.
        kind: "ae", "motion", "raft" or "flip".
        wish: what is asked for.
        packages: what the weights need beside PyTorch.

    Raises:
        EngineError: a package is missing, there is no GPU, or there is no such choice.
    """
    for name in ("torch", "safetensors", *packages):
        _require(path, name)
    import torch

    there = torch.cuda.is_available()
    device = wish.device or ("cuda" if there else "cpu")
    precision = wish.precision or ("fp16" if device == "cuda" else "fp32")
    speedup = wish.speedup or (fastest_speedup(kind, precision) if there and device == "cuda" else USUAL)
    choice = TorchChoice(device, precision, speedup)
    for name, value, known in zip(choice._fields, choice, (DEVICES, PRECISIONS, SPEEDUPS), strict=True):
        if value not in known:
            raise EngineError(f"{path}: PyTorch has the {name} {', '.join(known)}, not {value!r}")
    if device == "cuda" and not there:
        raise EngineError(f"{path}: PyTorch finds no CUDA GPU here; take the device cpu, or leave it open")
    return choice


def _require(path: Path, package: str) -> None:
    try:
        import_module(package)
    except ModuleNotFoundError as error:
        raise EngineError(
            f"{path} needs PyTorch, and {error.name} is missing: pip install 'pixelfast[train]', or name the "
            f"{path.stem}.onnx beside it"
        ) from error
    except (ImportError, OSError) as error:  # OSError: a library of CUDA that does not load
        raise EngineError(
            f"{path} needs PyTorch, which is installed and cannot be imported ({first_line(error)}): install it again, "
            f"or name the {path.stem}.onnx beside it"
        ) from error


def fastest_speedup(kind: str, precision: str) -> Speedup:
    """What was remembered for the GPU in this machine, by `pixelfast verify`; else the usual one."""
    known = MEASURED.read().get(_key(kind, precision))
    return next((one for one in SPEEDUPS if one == known), USUAL)


def remember_speedup(kind: str, precision: str, rates: dict[Speedup, float]) -> Speedup:
    """Remembers the fastest of several for `fastest_speedup`, by the frames a second of each that runs and is right.

    Returns:
        The one that is taken from now on: as before, where it cannot be remembered.
    """
    best = max(rates, key=lambda one: rates[one])
    chosen = USUAL if USUAL in rates and rates[best] < WORTH_COMPILING * rates[USUAL] else best
    error = MEASURED.remember(_key(kind, precision), chosen)
    return chosen if error is None else fastest_speedup(kind, precision)


def _key(kind: str, precision: str) -> str:
    """Without PyTorch, as the fastest engine is looked up before that is loaded."""
    gpu = first_gpu()
    where = "no GPU" if gpu is None else f"{gpu.name}, driver {gpu.driver}"
    return f"{where} / torch {installed_version('torch')} / {kind} {precision}"
