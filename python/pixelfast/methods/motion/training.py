"""A training of the motion method from decoded frames to a checked engine."""

from dataclasses import asdict
from typing import Any

from pixelfast.flow.cache import FlowCache
from pixelfast.flow.footage import FlowRequest, open_flows
from pixelfast.methods.motion.export import write_motion
from pixelfast.methods.motion.facts import MotionFacts
from pixelfast.methods.motion.loop import (
    CHECKPOINT,
    GruTraining,
    faster_precision,
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
    known = MotionFacts(request.facts(), recipe.past, training.scale, recipe.bridge_noisy)
    with job.phase("export"):
        job.tell("export", 0, 1, str(name))
        if network is not None:
            weights = job.workdir / str(name.weights)
            save_flow_gru(network, weights, recipe=job.recipe.name, scale=known.scale, past=known.past)
        difference = write_motion(network, known.scale, known.past, job.workdir / str(name), threads=job.threads)
    report = _report(training, network, history)
    return Trained(str(name), recipe.past + 2, report, flows.held_out(), asdict(known), {str(name): difference})


def _settled(job: TrainingJob, flows: FlowCache) -> GruTraining:
    """Everything that fixes the training, what a measurement or an earlier attempt decides among it."""
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
    """What the caller fixed, else that of the epochs that are done, else the faster one."""
    precision, begun = job.request.precision, job.workdir / CHECKPOINT
    if precision is None and job.request.resume and begun.exists():
        precision = load_checkpoint(begun).settings.get("precision")
    if precision is None and job.recipe.own.predictor == "gru":
        return faster_precision(job.recipe.own, job.threads)
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
