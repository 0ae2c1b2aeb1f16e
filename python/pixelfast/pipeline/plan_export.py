"""TensorRT plans of a model's engines: what `pixelfast.export(to="plan")` does."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from pixelfast.engines.plan_build import Profile, build_plan
from pixelfast.errors import EngineError, PixelfastError
from pixelfast.manifest import PlanFacts
from pixelfast.model import Model
from pixelfast.pipeline.aloud import Notes
from pixelfast.pipeline.folders import scratch_folder
from pixelfast.pipeline.stages import RAFT_FILE
from pixelfast.pipeline.torch_parts import import_training
from pixelfast.sources import open_source

PROFILES: Final = {"ae": Profile(16, 64, 256), "motion": Profile(9, 72, 264), "raft": Profile(2, 9, 33)}
"""Frames (or flows) a call where nobody says otherwise; windows overlap, so that the best is not a power of two."""

_CHECKED_FRAMES: Final = 40


@dataclass(frozen=True)
class PlanRequest:
    """What plans to build; see `pixelfast.export`."""

    precision: str = "fp32"
    stride: int = 1
    compute_capability: str | None = None
    profile: tuple[int, int, int] | None = None
    threads: int = 1

    def profile_of(self, stem: str) -> Profile:
        """The profile of the engine called `stem`."""
        return PROFILES[stem] if self.profile is None else Profile(*self.profile)


def export_plan(model: Model, request: PlanRequest) -> Path:
    """Builds the plan of a model's engine into its folder, and of its RAFT where it has one; the engine's is returned.

    Raises:
        EngineError: TensorRT is missing or cannot build it, or there is no such precision or stride.
        ModelError: half precision changes the ranks too much, or PyTorch is missing for it.
        OutputError: the folder cannot be written.
    """
    if request.precision not in ("fp32", "fp16", "bf16"):
        raise EngineError(f"precision must be fp32, fp16 or bf16, not {request.precision!r}")
    if model.manifest.method == "motion" and (request.precision != "fp32" or request.stride != 1):
        raise EngineError("the motion method's engines are exported in fp32, and have no stride")
    onnx = model.engine(request.stride).name
    names = [onnx, *([RAFT_FILE] if RAFT_FILE in model.manifest.files else [])]
    plans: dict[str, Path] = {}
    facts: dict[str, PlanFacts] = {}
    with scratch_folder(model.folder) as scratch:
        for name in names:
            stem = Path(name).stem
            plan = f"{stem}.plan" if request.precision == "fp32" else f"{stem}.{request.precision}.plan"
            with _graph(model, name, request, scratch) as source:
                facts[plan] = build_plan(
                    source,
                    scratch / plan,
                    request.profile_of(stem.split(".")[0]),
                    precision=request.precision,
                    compute_capability=request.compute_capability,
                )
            plans[plan] = scratch / plan
        model.add(plans, plans=facts)
    return model.folder / next(iter(plans))


@contextmanager
def _graph(model: Model, name: str, request: PlanRequest, scratch: Path) -> Iterator[Path]:
    """The ONNX file to build from: the model's own, or one in half precision, which is not kept."""
    if request.precision == "fp32":
        yield model.folder / name
        return
    training = import_training()
    reduced = scratch / f"{Path(name).stem}.{request.precision}.onnx"
    agreement = training.export_reduced(
        model.folder,
        reduced,
        request.stride,
        request.precision,
        frames=_frames(model, training),
        threads=request.threads,
    )
    Notes().say(f"{request.precision} keeps the order of the frames: rank correlation {agreement:.5f} with float32")
    yield reduced


def _frames(model: Model, training: Any) -> NDArray[np.uint8]:
    """Frames of the training footage, u8[n,H,W]; made-up ones, said aloud, where it cannot be read again."""
    height, width = model.manifest.height, model.manifest.width
    try:
        if model.manifest.training is not None:
            video = open_source(model.manifest.training.sources)[0]
            chunk = next(video.chunks(height, width, "grey", _CHECKED_FRAMES))
            if len(chunk.frames) > model.manifest.window:
                return np.ascontiguousarray(chunk.frames)
    except (PixelfastError, StopIteration):
        pass
    Notes().say("the training footage cannot be read again: half precision is checked on made-up frames")
    frames: NDArray[np.uint8] = training.export.made_up_frames()
    return frames
