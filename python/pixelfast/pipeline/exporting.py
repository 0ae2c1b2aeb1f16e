"""Extends and makes models without training: what `pixelfast.export` and `pixelfast.convert` do."""

import math
from collections.abc import Iterable
from os import PathLike
from pathlib import Path
from typing import Any

from pixelfast.calibration import Calibration
from pixelfast.errors import EngineError, PixelfastError
from pixelfast.manifest import Flip, FlowFacts, Manifest, MotionFacts
from pixelfast.model import Model
from pixelfast.networks.geometry import FLOW_SIZE, FRAME_SIZE, GRID, PAST_FLOWS, WINDOW
from pixelfast.pipeline.aloud import Notes
from pixelfast.pipeline.calibration import calibrate
from pixelfast.pipeline.folders import scratch_folder
from pixelfast.pipeline.stages import RAFT_FILE
from pixelfast.pipeline.threads import share_threads
from pixelfast.pipeline.torch_parts import import_training
from pixelfast.pipeline.training_run import CACHE_DIGEST
from pixelfast.sources import open_source

Weights = str | PathLike[str] | Iterable[str | PathLike[str]]


def export_engine(model: Model, stride: int, threads: int | None) -> Path:
    """Writes the ONNX engine of a stride into the model's folder; see `pixelfast.export`."""
    if model.manifest.method != "reconstruction":
        raise EngineError(f"{model.folder} holds a motion model: it has its only engine, motion.onnx, and no strides")
    training, count = import_training(), share_threads(threads).count
    with scratch_folder(model.folder) as scratch:
        file = scratch / model.engine_name(stride)
        training.export_onnx(model.folder, file, stride, threads=count)
        # The same weights at the same stride: what was measured before holds for the new file as well.
        known = [one for one in model.manifest.calibrations if one.engine == file.name]
        calibrations = known or _calibrate(training, model, file, stride, count)
        model.add({file.name: file}, calibrations)
    return model.folder / file.name


def _calibrate(training: Any, model: Model, engine: Path, stride: int, threads: int) -> list[Calibration]:
    """Calibrations on the held-out frames of the training footage; none, said aloud, where it cannot be read again."""
    trained = model.manifest.training
    why = "the model was not trained here"
    if trained is not None:
        try:
            with scratch_folder(engine.parent) as scratch:
                videos = open_source(trained.sources)
                cache = training.FrameCache.build(videos, scratch / "frames.u8", threads=threads)
                if cache.digest == trained.report.get(CACHE_DIGEST):
                    return calibrate(engine, cache.held_out(), stride, threads)
                why = "the training footage has changed"
        except PixelfastError as error:
            why = str(error)
    Notes().say(f"{engine.name} has no calibration, so scores have no threshold at stride {stride}: {why}")
    return []


def convert_model(
    weights: Weights,
    out: str | PathLike[str],
    frame_size: tuple[int, int] | None = None,
    raft_weights: str | PathLike[str] | None = None,
) -> Model:
    """Makes a model from the source method's own weights; see `pixelfast.convert`."""
    training, notes, target = import_training(), Notes(), Path(out)
    Model.check_out(target)
    paths = Path(weights) if isinstance(weights, str | PathLike) else [Path(path) for path in weights]
    with scratch_folder(target) as scratch:
        found = training.convert_weights(paths, scratch, frame_size)
        if found["motion"] is not None and frame_size is not None:
            notes.say("the source fed its RAFT frames in [0, 1]; here they are fed in [-1, 1], as RAFT was trained")
            raft = None if raft_weights is None else Path(raft_weights)
            kept = (scratch / RAFT_FILE).with_suffix(".safetensors")
            training.export_raft(raft, scratch / RAFT_FILE, *frame_size, kept=kept)
        notes.say("converted weights bring no held-out frames: scores have no threshold and no tails")
        # Its owner relied on it, and a video whose pixels contradict it is refused all the same: so it is trusted.
        flip = None if found["flip"] is None else Flip(held_out_accuracy=None, trusted=True)
        if flip is not None:
            notes.say("the converted flip classifier was not measured on held-out frames; it is trusted as it was")
        motion = None
        if found["motion"] is not None and frame_size is not None:
            unit = FLOW_SIZE / math.sqrt(frame_size[0] * frame_size[1])
            motion = MotionFacts(FlowFacts("raft"), PAST_FLOWS, unit, bridge_noisy=False)
        return Model.write(scratch, target, _converted(flip, motion, notes))


def _converted(flip: Flip | None, motion: MotionFacts | None, notes: Notes) -> Manifest:
    return Manifest(
        method="reconstruction" if motion is None else "motion",
        recipe="converted",
        window=WINDOW if motion is None else PAST_FLOWS + 2,
        height=FRAME_SIZE,
        width=FRAME_SIZE,
        grid=GRID,
        flip=flip,
        motion=motion,
        notes=tuple(notes),
    )
