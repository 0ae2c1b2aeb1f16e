"""Calibrates an engine of the motion method on held-out flows."""

from collections.abc import Iterable
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from pixelfast.machine.stopwatch import Stopwatch
from pixelfast.methods.base import find_pass
from pixelfast.methods.calibrating import POOLS, PRECISION, joined, measured
from pixelfast.methods.motion.engine import load_motion_engine
from pixelfast.methods.motion.facts import MotionFacts
from pixelfast.methods.motion.scoring import Motion
from pixelfast.methods.settings import Settings
from pixelfast.model import Calibration
from pixelfast.options import Pool
from pixelfast.sources.memory import ArrayVideo


def calibrate_motion(
    engine: Path, known: MotionFacts, held_out: Iterable[tuple[str, NDArray[np.float16]]], threads: int
) -> list[Calibration]:
    """The calibrations of a motion engine for all and for the worst cells; none without flows.

    Args:
        engine: the `.onnx` file, under the name that it has in the model.
        known: what the model will say about it.
        held_out: name and flows f16[n, 2, 64, 64] of each stretch of held-out frames.
        threads: threads of the engine and the numeric stages.
    """
    loaded = load_motion_engine(engine, threads)

    def method(pool: Pool) -> Motion:
        return Motion(NoFlow(), loaded, known, Settings(pool=pool), Stopwatch())

    maps = []
    for name, flows in held_out:
        video = ArrayVideo(name, np.zeros((len(flows) + 1, 1, 1), np.uint8))
        maps.append(joined(method("mean").maps(video).predict([flows.astype(np.float32)])))
    raws = {pool: [method(pool).raw(some) for some in maps] for pool in POOLS}
    return measured(engine.name, PRECISION, 1, find_pass("motion").smooth, raws)


class NoFlow:
    """Stands where flows are there already."""

    color: Final = "grey"
    frame_bytes: Final = 1

    def size(self, height: int, width: int) -> tuple[int, int]:
        """As they are."""
        return height, width

    def flow(self, frames: NDArray[np.uint8]) -> NDArray[np.float32]:
        """There are no frames."""
        raise NotImplementedError(f"flow of {len(frames)} frames was asked for where only flows are scored")
