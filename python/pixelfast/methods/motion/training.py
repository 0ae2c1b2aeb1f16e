"""From decoded frames, or from the source method's own weights, to a checked engine of the motion method."""

import math
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from torch import Tensor

from pixelfast.errors import ModelError
from pixelfast.flow.cache import FlowCache
from pixelfast.flow.engine import RAFT_FILE, FlowFacts
from pixelfast.flow.footage import FlowRequest, open_flows
from pixelfast.geometry import FLOW_SIZE, PAST_FLOWS
from pixelfast.machine.imports import training_extra
from pixelfast.methods.exports import ConvertRequest
from pixelfast.methods.motion.export import write_motion
from pixelfast.methods.motion.facts import MotionFacts
from pixelfast.methods.motion.loop import (
    CHECKPOINT,
    GruTraining,
    mean_flow_loss,
    persistence_loss,
    prediction_loss,
    train_gru,
    zero_loss,
)
from pixelfast.methods.motion.network import FlowGru, save_flow_gru
from pixelfast.methods.motion.recipe import MotionRecipe
from pixelfast.methods.trained import Trained, TrainingJob
from pixelfast.model.names import EngineName
from pixelfast.options import TrainingPrecision
from pixelfast.training.checkpoint import Checkpoint, load_checkpoint
from pixelfast.training.device import device_of, training_device
from pixelfast.training.speed import usual_precision
from pixelfast.training.weights import fill


def train_motion(job: TrainingJob) -> Trained:
    """Trains a predictor of optical flow and writes its weights and its engine.

    Raises:
        ModelError: RAFT's weights cannot be had, the checkpoint is damaged or of other settings, training diverged, or
            the exported file does not compute what the network does.
        OutputError: the working folder cannot be written.
    """
    recipe: MotionRecipe = job.recipe.own
    request, name, network = FlowRequest.of(job.options), EngineName("motion"), None
    flows = open_flows(
        job.cache,
        job.videos,
        job.workdir,
        request,
        bridge_noisy=recipe.bridge_noisy,
        threads=job.threads,
        progress=job.request.progress,
    )
    training = _settled(job, flows)
    history = Checkpoint(training.settings(), training.threads)
    if recipe.predictor == "gru":
        network, history = train_gru(training, job.workdir, resume=job.request.resume, progress=job.request.progress)
    job.seconds["train"] = history.seconds
    report = _report(training, network, history)
    if network is not None:
        report["device"], network = device_of(network).type, network.cpu()
    known = MotionFacts(request.facts(), recipe.past, training.scale, recipe.bridge_noisy)
    with job.phase("export"):
        job.tell("export", 0, 1, str(name))
        if network is not None:
            weights = job.workdir / str(name.weights)
            save_flow_gru(network, weights, recipe=job.recipe.name, scale=known.scale, past=known.past)
        difference = write_motion(network, known.scale, known.past, job.workdir / str(name), threads=job.threads)
    return Trained(str(name), recipe.past + 2, report, flows.held_out(), asdict(known), {str(name): difference})


def convert_gru(path: Path, state: Mapping[str, Tensor], workdir: Path, request: ConvertRequest) -> Trained:
    """Writes the weights and the engine of a flow GRU, and RAFT for its frames; see `SourceWeights.convert`.

    The source's flow is in pixels of the frame, ours in those of the grid: the scale makes up for it.

    Raises:
        ModelError: the state dict is not that of the source's network, or the size of its frames is not known.
        OutputError: a file cannot be written.
    """
    if request.frame_size is None or min(request.frame_size) < 1:
        raise ModelError(
            f"{path} holds a motion GRU, whose flow is in pixels of the footage it was trained on: say how large its "
            "frames were (--frame-size 640x360)"
        )
    first, (height, width) = state["gru.weight_ih_l0"], request.frame_size
    hidden = first.shape[0] // 3
    if first.ndim != 2 or not 0 < hidden <= 4096:
        raise ModelError(f"{path}: gru.weight_ih_l0 has the shape {list(first.shape)}, not [1536, 8192]")
    network, name = FlowGru(hidden), EngineName("motion")
    fill(network, path, state)
    scale = (FLOW_SIZE / width, FLOW_SIZE / height)
    save_flow_gru(network, workdir / str(name.weights), recipe="source", scale=scale, past=PAST_FLOWS)
    difference = write_motion(network, scale, PAST_FLOWS, workdir / str(name))
    if request.with_raft:
        with training_extra():
            from pixelfast.flow.raft_export import export_raft
        request.notes.say("the source fed its RAFT frames in [0, 1]; here they are fed in [-1, 1], as RAFT was trained")
        kept = workdir / str(EngineName("raft").weights)
        export_raft(request.raft_weights, workdir / RAFT_FILE, height, width, kept=kept)
    unit = FLOW_SIZE / math.sqrt(height * width)
    known = MotionFacts(FlowFacts("raft"), PAST_FLOWS, unit, bridge_noisy=False)
    return Trained(str(name), PAST_FLOWS + 2, {}, own=asdict(known), differences={str(name): difference})


def _settled(job: TrainingJob, flows: FlowCache) -> GruTraining:
    """Everything that fixes the training, what the processor or an earlier attempt decides among it."""
    recipe, request = job.recipe.own, job.request
    return GruTraining(
        flows,
        recipe,
        request.epochs or recipe.epochs,
        request.seed,
        _precision(job),
        request.batch or recipe.batch,
        job.threads,
        job.cache.digest,
    )


def _precision(job: TrainingJob) -> TrainingPrecision:
    """What the caller fixed, else that of the epochs that are done, else what the processor is made for."""
    precision, begun = job.request.precision, job.workdir / CHECKPOINT
    if precision is None and job.request.resume and begun.exists():
        precision = load_checkpoint(begun).settings.get("precision")
    if precision is None and job.recipe.own.predictor == "gru":
        return usual_precision(device=training_device())
    return "bf16" if precision == "bf16" else "fp32"


def _report(training: GruTraining, network: FlowGru | None, history: Checkpoint) -> dict[str, Any]:
    """What was done and how good the outcome is, as plain values for the manifest.

    Losses are mean squared errors of the flow, in scaled units, on held-out flows.
    """
    videos, none = training.cache.videos, zero_loss(training)
    return {
        "settings": {"motion": asdict(training.recipe)},
        "precision": training.precision,
        "batch": training.batch,
        "train_flows": sum(video.training for video in videos),
        "held_out_flows": sum(video.held_out for video in videos),
        "scale": training.scale,
        "epochs": history.epochs,
        "train_losses": tuple(history.train_losses),
        "held_out_losses": tuple(history.held_out_losses),
        "held_out_loss": none if network is None else prediction_loss(training, network),
        "persistence_loss": persistence_loss(training),
        "mean_flow_loss": mean_flow_loss(training),
        "zero_loss": none,
    }
