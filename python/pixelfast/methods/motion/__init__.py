"""The motion method: a GRU predicts the next optical flow from the past ones, and its error is the score (METHOD)."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pixelfast.machine.imports import require_training
from pixelfast.methods.base import GlobalPass, MethodSpec, TrainingOption, later
from pixelfast.methods.exports import Exports, SourceWeights
from pixelfast.methods.motion.recipe import RECIPES
from pixelfast.methods.trained import Recipe
from pixelfast.model import Manifest
from pixelfast.runtime.trial import EngineKind


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
    from pixelfast.methods.motion.engine import MOTION

    flow = manifest.own.get("flow")
    return [MOTION, RAFT] if isinstance(flow, dict) and flow.get("kind") == "raft" else [MOTION]


METHOD = MethodSpec(
    name="motion",
    says="how things move",
    reacts="reacts to how things move, leaps over noisy and damaged frames, and is blind to what stands still",
    stem="motion",
    global_pass=GlobalPass(smooth=7, percentile=None, smooth_first=True, blind_to_still=True),
    submission="score",
    raw=later("pixelfast.methods.motion.scoring:raw"),
    recipes=RECIPES,
    open=later("pixelfast.methods.motion.scoring:open_motion"),
    train=later("pixelfast.methods.motion.training:train_motion"),
    errors_of=later("pixelfast.methods.motion.scoring:errors_of"),
    held_out=later("pixelfast.methods.motion.exporting:held_out"),
    outcome=_outcome,
    describe=_describe,
    engines=_engines,
    # Optical flow is not robust to noise; the source's own recipe has no repair.
    bridges=lambda manifest: bool(manifest.own.get("bridge_noisy", True)),
    check=later("pixelfast.methods.motion.scoring:check"),
    options=(
        TrainingOption("flow", str, "Optical flow: DIS, or RAFT-Large (far slower).", "dis", ("dis", "raft")),
        TrainingOption("flow_preset", str, "Quality of DIS.", "medium", ("ultrafast", "fast", "medium")),
        TrainingOption(
            "raft_weights", Path, "RAFT-Large's state dict.", metavar="FILE", usual="torchvision's own download"
        ),
    ),
    prepare=_prepare,
    needs=require_training,
    exports=Exports(
        later("pixelfast.methods.motion.exporting:export_onnx"),
        later("pixelfast.methods.motion.exporting:plan_sources"),
    ),
    source_weights=SourceWeights(
        "motion GRU", "gru.weight_ih_l0", "fc.bias", later("pixelfast.methods.motion.training:convert_gru")
    ),
    overlap=later("pixelfast.methods.motion.scoring:overlap"),
)
