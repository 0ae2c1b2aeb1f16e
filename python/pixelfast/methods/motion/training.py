"""A training of the motion method from decoded frames to a checked engine."""

from dataclasses import asdict, dataclass
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
from pixelfast.methods.motion.network import FlowGru
from pixelfast.methods.motion.recipe import MotionRecipe
from pixelfast.methods.motion.weights import save_flow_gru
from pixelfast.methods.trained import Trained, TrainingJob
from pixelfast.model.names import EngineName
from pixelfast.options import TrainingPrecision
from pixelfast.training.checkpoint import Checkpoint, load_checkpoint


@dataclass(frozen=True)
class MotionReport:
    """The outcome of one training. Losses are mean squared errors of the flow, in scaled units, on held-out flows.

    Attributes:
        settings: every constant of the recipe.
        precision: "fp32" or "bf16".
        batch: sequences a step.
        train_flows: trained on.
        held_out_flows: never trained on.
        scale: what flows are divided by, pixels of the grid.
        epochs: done.
        train_losses: mean loss of each epoch's batches.
        held_out_losses: after each epoch.
        held_out_loss: of the GRU.
        persistence_loss: of the flow before as the prediction.
        mean_flow_loss: of the mean training flow.
        zero_loss: of no motion at all.
    """

    settings: dict[str, Any]
    precision: str
    batch: int
    train_flows: int
    held_out_flows: int
    scale: float
    epochs: int
    train_losses: tuple[float, ...]
    held_out_losses: tuple[float, ...]
    held_out_loss: float
    persistence_loss: float
    mean_flow_loss: float
    zero_loss: float


def train_motion(job: TrainingJob) -> Trained:
    """Trains a predictor of optical flow and writes its weights and its engine.

    Raises:
        ModelError: RAFT's weights cannot be had, the checkpoint is damaged or of other settings, training diverged, or
            the exported file does not compute what the network does.
        OutputError: the working folder cannot be written.
    """
    recipe: MotionRecipe = job.recipe.own
    request = FlowRequest.of(job.options)
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
    network, history = _predictor(job, training)
    job.seconds["train"] = history.seconds
    engine = str(EngineName("motion"))
    with job.phase("export"):
        job.tell("export", 0, 1, engine)
        difference = _write(job, training, network)
    known = MotionFacts(request.facts(), recipe.past, training.scale, recipe.bridge_noisy)
    report = asdict(_report(training, network, history))
    return Trained(engine, recipe.past + 2, report, flows.held_out(), asdict(known), {engine: difference})


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


def _predictor(job: TrainingJob, training: GruTraining) -> tuple[FlowGru | None, Checkpoint]:
    if training.recipe.predictor == "none":
        return None, Checkpoint(training.settings(), training.threads)
    return train_gru(training, job.workdir, resume=job.request.resume, progress=job.request.progress)


def _write(job: TrainingJob, training: GruTraining, network: FlowGru | None) -> float:
    """The largest difference between ONNX Runtime and PyTorch."""
    name, past = EngineName("motion"), training.recipe.past
    if network is not None:
        weights = job.workdir / str(name.weights)
        save_flow_gru(network, weights, recipe=job.recipe.name, scale=training.scale, past=past)
    return write_motion(network, training.scale, past, job.workdir / str(name), threads=job.threads)


def _report(training: GruTraining, network: FlowGru | None, history: Checkpoint) -> MotionReport:
    videos, none = training.cache.videos, zero_loss(training)
    return MotionReport(
        settings={"motion": asdict(training.recipe)},
        precision=training.precision,
        batch=training.batch,
        train_flows=sum(video.training for video in videos),
        held_out_flows=sum(video.held_out for video in videos),
        scale=training.scale,
        epochs=history.epochs,
        train_losses=tuple(history.train_losses),
        held_out_losses=tuple(history.held_out_losses),
        held_out_loss=none if network is None else prediction_loss(training, network),
        persistence_loss=persistence_loss(training),
        mean_flow_loss=mean_flow_loss(training),
        zero_loss=none,
    )
