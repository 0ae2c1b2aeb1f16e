"""Which speedup PyTorch runs an engine with on a GPU: the one that was measured to be the fastest there."""

from typing import Final, Literal, get_args

from pixelfast.measured import Measured

Speedup = Literal["graph", "compile", "none"]
SPEEDUPS: Final[tuple[Speedup, ...]] = get_args(Speedup)

USUAL: Final[Speedup] = "graph"
"""Where nothing was measured: it is ready in a moment, while torch.compile takes the better part of a minute."""

WORTH_COMPILING: Final = 1.1
"""So much faster than the usual one must another be, as torch.compile costs seconds whenever an engine is loaded."""

MEASURED: Final = Measured("torch-speedups.json")


def fastest_speedup(kind: str, precision: str) -> Speedup:
    """What was remembered for the GPU in this machine, by `cuda_export/verify.py`; else the usual one.

    Args:
        kind: "ae", "motion" or "raft".
        precision: of the engine.
    """
    known = MEASURED.read().get(_key(kind, precision))
    return next((one for one in SPEEDUPS if one == known), USUAL)


def remember_speedup(kind: str, precision: str, rates: dict[Speedup, float]) -> Speedup:
    """Remembers the fastest of several, for `fastest_speedup`.

    Args:
        kind: "ae", "motion" or "raft".
        precision: of the engine.
        rates: frames a second with each speedup that runs and is right; not empty.

    Returns:
        The one that is taken from now on: as before, where it cannot be remembered.
    """
    best = max(rates, key=lambda one: rates[one])
    chosen = USUAL if USUAL in rates and rates[best] < WORTH_COMPILING * rates[USUAL] else best
    error = MEASURED.remember(_key(kind, precision), chosen)
    return chosen if error is None else fastest_speedup(kind, precision)


def _key(kind: str, precision: str) -> str:
    import torch

    gpu = torch.cuda.get_device_name() if torch.cuda.is_available() else "no GPU"
    return f"{gpu} / torch {torch.__version__} / {kind} {precision}"
