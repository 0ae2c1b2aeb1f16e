"""A method from outside, as small as one can be: a frame is unusual where its grey levels are not the usual ones."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import load_file, save_file

from pixelfast.cleaning.cleaned import Cleaned
from pixelfast.flip.recipe import DEFAULT
from pixelfast.methods.base import ErrorsOf, GlobalPass, Maps, MethodSpec, Opening, TrainingOption
from pixelfast.methods.trained import Recipe, Trained, TrainingJob
from pixelfast.options import Pool
from pixelfast.sources import Video
from pixelfast.sources.video import FrameFormat

GRID, SIZE = 8, 128


def grey_levels(frames: NDArray[np.uint8]) -> Maps:
    """The mean grey level f32[n, 8, 8] of each cell of frames u8[n, 128, 128]."""
    side = SIZE // GRID
    return frames.reshape(-1, GRID, side, GRID, side).mean(axis=(2, 4), dtype=np.float32)


@dataclass(frozen=True)
class GreyLevel:
    """The method, opened: the usual grey levels f32[8, 8]; each frame's maps are its own alone."""

    usual: NDArray[np.float32]
    frame_bytes: int = SIZE * SIZE
    stride: int = 1

    def facts(self) -> dict[str, Any]:
        return {}

    def frames(self, video: Video) -> FrameFormat:
        return FrameFormat(SIZE, SIZE)

    def maps(self, video: Video) -> "GreyLevel":
        return self

    def remarks(self, video: Video, frames: int) -> list[str]:
        return []

    def run(self, cleaned: Iterable[Cleaned]) -> Iterator[Maps]:
        for some in cleaned:
            yield self.errors(some.frames)

    def errors(self, frames: NDArray[np.uint8]) -> Maps:
        return np.abs(grey_levels(frames) - self.usual)


def _load(path: Path) -> GreyLevel:
    return GreyLevel(load_file(path)["usual"])


def _open(opening: Opening) -> GreyLevel:
    return _load(opening.choice.path)


def _train(job: TrainingJob) -> Trained:
    frames = job.cache.frames[job.cache.train_frame_ids()]
    save_file({"usual": grey_levels(frames).mean(axis=0)}, job.workdir / "grey.safetensors")
    own = {"darker": job.options["darker"]}
    return Trained("grey.safetensors", 1, {"frames": len(frames)}, job.cache.held_out(), own)


def _errors_of(engine: Path, own: Mapping[str, Any], stride: int, threads: int) -> ErrorsOf:
    return _load(engine).errors


def _raw(maps: Maps, pool: Pool) -> NDArray[np.float32]:
    cells = maps.reshape(len(maps), -1)
    return cells.mean(axis=1) if pool == "mean" else cells.max(axis=1)


METHOD = MethodSpec(
    name="grey_level",
    says="how bright it is",
    reacts="reacts to light alone",
    stem="grey",
    global_pass=GlobalPass(smooth=3, percentile=None, smooth_first=True),
    submission="score",
    raw=_raw,
    recipes={"default": Recipe("default", None, DEFAULT)},
    open=_open,
    train=_train,
    errors_of=_errors_of,
    outcome=lambda report: f"learnt from {report['frames']} frames",
    describe=lambda manifest: [("darker", str(manifest.own["darker"]))],
    options=(TrainingOption("darker", int, "A number that is only kept.", default=3),),
    kind="safetensors",
)
