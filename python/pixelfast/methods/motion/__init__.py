"""The motion method: a GRU predicts the next optical flow from the past ones, and its error is the score (METHOD)."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pixelfast.machine.imports import require_training, training_extra
from pixelfast.methods.base import (
    ConvertRequest,
    ErrorsOf,
    ExportRequest,
    Exports,
    GlobalPass,
    Maps,
    Method,
    MethodSpec,
    Opening,
    PlanSource,
    SourceWeights,
    TrainingOption,
)
from pixelfast.methods.motion.recipe import RECIPES
from pixelfast.methods.trained import Recipe, Trained, TrainingJob
from pixelfast.model import Manifest, Model
from pixelfast.options import Pool
from pixelfast.runtime.trial import EngineKind


def _open(opening: Opening) -> Method:
    from pixelfast.methods.motion.opening import open_motion

    return open_motion(opening)


def _train(job: TrainingJob) -> Trained:
    with training_extra():
        from pixelfast.methods.motion.training import train_motion
    return train_motion(job)


def _errors_of(engine: Path, own: Mapping[str, Any], stride: int, threads: int) -> ErrorsOf:
    from pixelfast.methods.motion.scoring import errors_of

    return errors_of(engine, own, stride, threads)


def _raw(maps: Maps, pool: Pool) -> NDArray[np.float32]:
    from pixelfast.methods.motion.scoring import raw

    return raw(maps, pool)


def _export_onnx(model: Model, request: ExportRequest) -> Path:
    from pixelfast.methods.motion.exporting import export_onnx

    return export_onnx(model, request)


def _plan_sources(model: Model, request: ExportRequest) -> list[PlanSource]:
    from pixelfast.methods.motion.exporting import plan_sources

    return plan_sources(model, request)


def _convert(path: Path, state: Mapping[str, Any], workdir: Path, request: ConvertRequest) -> Trained:
    from pixelfast.methods.motion.convert import convert_gru

    return convert_gru(path, state, workdir, request)


def _prepare(recipe: Recipe, options: Mapping[str, Any]) -> Recipe:
    from pixelfast.flow.footage import FlowRequest

    FlowRequest.of(options).check()
    return recipe


def _outcome(report: Mapping[str, Any]) -> str:
    names = ("held_out_loss", "persistence_loss", "mean_flow_loss", "zero_loss")
    if not all(isinstance(report.get(name), int | float) for name in names):
        return "not measured"
    own, persistence, mean, zero = (report[name] for name in names)
    return (
        f"error of the predicted flow {own:.3f} on held-out frames; {persistence:.3f} for the flow before, "
        f"{mean:.3f} for the mean flow, {zero:.3f} for none"
    )


def _describe(manifest: Manifest) -> list[tuple[str, str]]:
    flow, noisy = manifest.own["flow"], "bridged" if manifest.own["bridge_noisy"] else "taken as they are"
    dis = f"DIS {flow.get('preset')}, shorter side at most {flow.get('shorter_side')}"
    name = "RAFT-Large" if flow["kind"] == "raft" else dis
    return [("frames", f"flow by {name}, predicted from the {manifest.own['past']} before; noisy frames are {noisy}")]


def _engines(manifest: Manifest) -> list[EngineKind]:
    from pixelfast.flow.raft import RAFT
    from pixelfast.methods.motion.kind import MOTION

    return [MOTION, RAFT] if manifest.own["flow"]["kind"] == "raft" else [MOTION]


METHOD = MethodSpec(
    name="motion",
    says="how things move",
    reacts="reacts to how things move, leaps over noisy and damaged frames, and is blind to what stands still",
    stem="motion",
    global_pass=GlobalPass(smooth=7, percentile=None, smooth_first=True),
    submission="score",
    raw=_raw,
    recipes=RECIPES,
    open=_open,
    train=_train,
    errors_of=_errors_of,
    outcome=_outcome,
    describe=_describe,
    engines=_engines,
    # Optical flow is not robust to noise; the source's own recipe has no repair.
    bridges=lambda manifest: bool(manifest.own.get("bridge_noisy", True)),
    options=(
        TrainingOption("flow", str, "Optical flow: DIS, or RAFT-Large (far slower).", "dis", ("dis", "raft")),
        TrainingOption("flow_preset", str, "Quality of DIS.", "medium", ("ultrafast", "fast", "medium")),
        TrainingOption(
            "raft_weights", Path, "RAFT-Large's state dict.", metavar="FILE", usual="torchvision's own download"
        ),
    ),
    prepare=_prepare,
    needs=require_training,
    exports=Exports(_export_onnx, _plan_sources),
    source_weights=SourceWeights("motion GRU", "gru.weight_ih_l0", "fc.bias", _convert),
)
