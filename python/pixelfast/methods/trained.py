"""A training as every method gets it, and what comes of it."""

import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from pixelfast.arguments import sample_bits
from pixelfast.errors import ModelError, OutputError, SourceError
from pixelfast.flip.recipe import FlipRecipe
from pixelfast.geometry import GRID
from pixelfast.model import Model
from pixelfast.notes import Notes
from pixelfast.options import USUAL_READING, Reading
from pixelfast.progress import Progress, ProgressCallback
from pixelfast.sources import Video, open_source
from pixelfast.sources.folder import without_gaps
from pixelfast.sources.masking import MaskSpec
from pixelfast.sources.pace import training_pace
from pixelfast.training.cache import FrameCache

MOST_EPOCHS: Final = 100_000
"""Years of training on any footage."""

MOST_BATCH: Final = 4096
"""Windows (or flows) a step: more learn nothing, as an epoch has too few steps, and ask for memory that nobody has."""


@dataclass(frozen=True)
class Recipe:
    """Everything about a training but the footage, the seed and the machine.

    Attributes:
        own: the method's own constants.
        flip: those of the flip classifier.
    """

    name: str
    own: Any
    flip: FlipRecipe


@dataclass(frozen=True)
class TrainingRequest:
    """How to train; `pixelfast.train` says what each means. The `options` are the method's own."""

    method: str = "reconstruction"
    recipe: str | Recipe = "default"
    epochs: int | None = None
    seed: int = 0
    precision: str | None = None
    batch: int | None = None
    resume: bool = False
    threads: int | None = None
    progress: ProgressCallback | None = None
    options: Mapping[str, Any] = field(default_factory=dict)
    fresh: bool = False
    reading: Reading = USUAL_READING
    masks: tuple[MaskSpec, ...] = ()

    def check(self, *, steps: bool = True) -> None:
        """Refuses what no training can do, or none without `steps`, before any work is done.

        Raises:
            ModelError: naming the argument and what it may be.
        """
        for name in () if steps else ("epochs", "precision", "batch"):
            if getattr(self, name) is not None:
                raise ModelError(f"the {self.method} method looks at its footage once: leave out {name}")
        if self.resume and self.fresh:
            raise ModelError("resume goes on from a stopped training, and fresh throws it away: give one of them")
        if not 0 <= self.seed < 2**63:
            raise ModelError(f"seed must be 0 or more and below 2^63, not {self.seed}")
        if self.precision not in (None, "fp32", "bf16"):
            raise ModelError(f"precision must be fp32 or bf16, not {self.precision!r}")
        if self.reading.depth is not None:
            sample_bits("depth", self.reading.depth)
        for name, value, most in (("epochs", self.epochs, MOST_EPOCHS), ("batch", self.batch, MOST_BATCH)):
            if value is not None and value < 1:
                raise ModelError(f"{name} must be at least 1, not {value}")
            if value is not None and value > most:
                raise ModelError(f"{name} must be at most {most:,}, not {value}")


@dataclass(frozen=True)
class TrainingJob:
    """A training whose footage is decoded.

    Attributes:
        options: the method's own, the defaults among them.
        workdir: an existing folder: checkpoints are written there, and the files of the model at the end.
        videos: where the frames of the cache come from.
        seconds: how long each phase took.
    """

    request: TrainingRequest
    recipe: Recipe
    options: Mapping[str, Any]
    cache: FrameCache
    workdir: Path
    videos: Sequence[Video] = ()
    threads: int = 1
    notes: Notes = field(default_factory=Notes)
    seconds: dict[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not self.workdir.is_dir():
            raise OutputError(f"there is no folder {self.workdir} to write into")

    def tell(self, phase: str, done: int, total: int | None, note: str = "") -> None:
        """Tells whoever asked how far the training is."""
        if self.request.progress is not None:
            self.request.progress(Progress(phase, done, total, note))

    @contextmanager
    def phase(self, name: str) -> Iterator[None]:
        """Counts the block's time under `name`."""
        begun = time.monotonic()
        yield
        self.seconds[name] = time.monotonic() - begun


@dataclass(frozen=True)
class Trained:
    """What a method's training gives.

    Attributes:
        engine: the name of the engine's file in the working folder.
        window: frames that a score is made from.
        report: what was done and how good the outcome is, as plain values.
        held_out: the name and the features of each stretch of held-out frames, as the method's `errors_of` takes them.
        own: what scoring must know beside the engine, as plain values.
        differences: the largest difference from PyTorch of each exported file, relative to the largest value.
        grid: cells a side of the error map, of the longer side where they differ.
    """

    engine: str
    window: int
    report: Mapping[str, Any]
    held_out: Iterable[tuple[str, NDArray[np.generic]]] = ()
    own: Mapping[str, Any] = field(default_factory=dict)
    differences: Mapping[str, float] = field(default_factory=dict)
    grid: int = GRID


CACHE_DIGEST: Final = "cache_digest"
"""Where a training's report keeps the digest of its decoded footage."""


def footage_of(model: Model) -> list[Video]:
    """Opens the footage that a model was trained on, cut where it jumps in time.

    Raises:
        SourceError: the model was not trained on this machine's footage, or that is gone.
    """
    if model.manifest.training is None:
        raise SourceError("the model was not trained here")
    reading = model.manifest.reading
    videos, _ = training_pace(
        open_source(model.manifest.training.sources, reading=reading), reading.sample_fps, Notes()
    )
    return without_gaps(videos)


def is_footage_of(model: Model, cache: FrameCache) -> bool:
    """Whether a cache holds just the frames that a model was trained on."""
    training = model.manifest.training
    return training is not None and training.report.get(CACHE_DIGEST) == cache.digest
