"""Makes a model of weights from elsewhere: what `pixelfast.convert` does."""

import math
from collections.abc import Iterable
from os import PathLike
from pathlib import Path

from pixelfast.files.folders import scratch_folder
from pixelfast.flow.facts import FlowFacts
from pixelfast.flow.opening import RAFT_FILE
from pixelfast.geometry import FLOW_SIZE, FRAME_SIZE, GRID, PAST_FLOWS, WINDOW
from pixelfast.machine.imports import training_extra
from pixelfast.methods.motion.facts import MotionFacts
from pixelfast.model import Flip, Manifest, Model
from pixelfast.notes import Notes

Weights = str | PathLike[str] | Iterable[str | PathLike[str]]


def convert_model(
    weights: Weights,
    out: str | PathLike[str],
    frame_size: tuple[int, int] | None = None,
    raft_weights: str | PathLike[str] | None = None,
) -> Model:
    """Makes a model from the source method's own weights; see `pixelfast.convert`."""
    notes, target = Notes(), Path(out)
    with training_extra():
        from pixelfast.flow.raft_export import export_raft
        from pixelfast.jobs.convert_weights import convert_weights
    Model.check_out(target)
    paths = Path(weights) if isinstance(weights, str | PathLike) else [Path(path) for path in weights]
    with scratch_folder(target) as scratch:
        found = convert_weights(paths, scratch, frame_size)
        if found["motion"] is not None and frame_size is not None:
            notes.say("the source fed its RAFT frames in [0, 1]; here they are fed in [-1, 1], as RAFT was trained")
            raft = None if raft_weights is None else Path(raft_weights)
            kept = (scratch / RAFT_FILE).with_suffix(".safetensors")
            export_raft(raft, scratch / RAFT_FILE, *frame_size, kept=kept)
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
