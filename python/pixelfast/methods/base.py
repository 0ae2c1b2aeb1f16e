"""What a method is: what it says about itself, how it learns, and what it makes of the frames of a video.

A method is one folder with one `METHOD = MethodSpec(…)`; `methods.registry` finds it.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from pixelfast.cleaning.cleaned import Cleaned
from pixelfast.machine.imports import training_extra
from pixelfast.machine.stopwatch import Stopwatch
from pixelfast.methods.exports import Exports, SourceWeights
from pixelfast.methods.overlap import Overlap
from pixelfast.methods.settings import Settings
from pixelfast.methods.trained import Recipe, Trained, TrainingJob
from pixelfast.model import Manifest, Model
from pixelfast.notes import Notes
from pixelfast.options import OwnPool, Pool, Submission
from pixelfast.runtime.runner import Loaded
from pixelfast.runtime.tensorrt.check import PlanOrigin, plan_origin
from pixelfast.runtime.trial import EngineKind
from pixelfast.sources import Video
from pixelfast.sources.video import FrameFormat
from pixelfast.training.cache import FrameCache

Maps = NDArray[np.float32]


class Judged(NamedTuple):
    """What a method that judges frames by itself yields in place of maps alone.

    Attributes:
        maps: f32[n, h, w], from 0, on a grid that covers the picture.
        raw: f32[n], raw scores, from 0.
        cell: i32[n], the cell of the grid that speaks, row by row.
        stream: i8[n], the position in `MethodSpec.streams` of what speaks.
        reasons: a clause for each frame.
    """

    maps: Maps
    raw: NDArray[np.float32]
    cell: NDArray[np.int32]
    stream: NDArray[np.int8]
    reasons: Sequence[str]


Features = NDArray[Any]
ErrorsOf = Callable[[Features], Maps]
"""The error maps f32[n, G, G] of the features of a stretch of n held-out frames."""


def later(place: str) -> Callable[..., Any]:
    """The function at `place`, as "package.file:function"; its file is imported when it is first called.

    So that the methods can be listed without ONNX Runtime, and videos be scored without PyTorch.
    """
    file, name = place.split(":")

    def function(*given: Any) -> Any:
        with training_extra():
            found = getattr(import_module(file), name)
        return found(*given)

    return function


@dataclass(frozen=True)
class EngineChoice:
    """An engine file and the model that it belongs to.

    Attributes:
        sha256: of the file, and of the weights that lie beside it.
        model: None for a lone file.
        method: the name of the method that it serves.
        notes: what should be said aloud about the choice.
    """

    path: Path
    sha256: str
    model: Model | None
    method: str
    notes: list[str] = field(default_factory=list)

    @property
    def origin(self) -> PlanOrigin | None:
        """What its model knows about it, where it is a plan."""
        return None if self.model is None else plan_origin(self.model, self.path.name)


@dataclass(frozen=True)
class Opening:
    """What a method is opened with for a run of scoring; `threads` are those of an engine on a CPU."""

    choice: EngineChoice
    settings: Settings
    threads: int
    stopwatch: Stopwatch
    notes: Notes

    def say_precision(self, precision: str) -> None:
        """Says aloud where weights, which are float32 in the file, are computed in less on this machine's GPU."""
        path = self.choice.path
        if path.suffix.lower() == ".safetensors" and precision != "fp32":
            self.notes.say(
                f"{path.name} is computed in {precision} on this machine's GPU; `pixelfast verify` compares that with "
                "float32"
            )

    def say_remarks(self, *engines: Loaded) -> None:
        """Says aloud what there is to say of engines that were loaded, of each once."""
        for engine in engines:
            self.notes.say(*engine.remarks)


class VideoMaps(Protocol):
    """Turns the frames of one video into its error maps."""

    def run(self, cleaned: Iterable[Cleaned]) -> Iterator[Maps | Judged]:
        """Yields f32[m, G, G] for the frames of a whole video, in order, or what the method itself says of them."""


class Method(Protocol):
    """A method that is opened: with its engines and settings."""

    @property
    def frame_bytes(self) -> int:
        """The size of a frame in memory, about."""

    @property
    def stride(self) -> int:
        """The number of frames between the starts of windows; 1 where there are none."""

    def facts(self) -> dict[str, Any]:
        """Returns what changes raw scores besides the engine file, as plain values."""

    def frames(self, video: Video) -> FrameFormat:
        """Returns the size and color of the frames that it wants of `video`."""

    def maps(self, video: Video) -> VideoMaps:
        """Returns what makes the maps of `video`, which is for messages."""

    def remarks(self, video: Video, frames: int) -> list[str]:
        """Returns what should be said aloud about `video`, which turned out to have so many frames."""


@dataclass(frozen=True)
class GlobalPass:
    """How raw scores of all videos become scores.

    Attributes:
        smooth: frames of the centred mean within a video, odd.
        percentile: the raw score that becomes 1; None for the largest.
        smooth_first: whether raw scores are smoothed before they are normalised, or after.
        blind_to_still: whether raw scores say nothing of frozen frames: they get the middle one of
            all other frames.
    """

    smooth: int
    percentile: float | None
    smooth_first: bool
    blind_to_still: bool = False


@dataclass(frozen=True)
class TrainingOption:
    """A training option that a method has for itself: a keyword of `pixelfast.train`, and `--name` on the command line.

    Attributes:
        name: as Python has it, such as `flow_preset`.
        kind: the type of its value.
        says: its help.
        default: what it is where it is left out.
        choices: the only values that it takes; empty where others do, too.
        metavar: how the help calls its value.
        usual: how the help calls its default; None shows the default itself.
        also: another name that it goes by.
    """

    name: str
    kind: type
    says: str
    default: Any = None
    choices: tuple[str, ...] = ()
    metavar: str | None = None
    usual: str | None = None
    also: str | None = None


@dataclass(frozen=True)
class Lesson:
    """Moments that a person calls normal, for a model of a method to learn without a new training.

    Attributes:
        model: what is known so far; its folder stays as it is.
        moments: their frames, each moment a video.
        workdir: where files of the engine are written that change.
        threads: to use.
        seed: of every random choice.
    """

    model: Model
    moments: Sequence[Video]
    workdir: Path
    threads: int
    seed: int = 0


class Taught(NamedTuple):
    """What a lesson gives: the engine's file that was written, and how high each moment comes now, f32[n]."""

    engine: str
    held_out: Sequence[NDArray[np.float32]]


@dataclass(frozen=True)
class MethodSpec:
    """A method, as one thing.

    Attributes:
        name: what `--method` takes and a model says.
        says: what it learns, a clause for the help.
        reacts: what it reacts to and what not, for people: it follows the name in a sentence.
        stem: what the names of its engine files begin with.
        submission: what a file for submission holds.
        raw: raw scores f32[n] of maps f32[n, G, G] under a pooling; of what `errors_of` gives, where a method judges
            frames by itself.
        recipes: how it may be trained, by name, "default" among them.
        errors_of: from an engine file, what its model says of its own, a stride and threads: what turns the features of
            held-out frames into error maps.
        held_out: the name and the features of each stretch of held-out frames, as `errors_of` takes them, of a model
            whose training footage is decoded again, by threads; files are written beside that. None where a model is
            calibrated by its training alone.
        outcome: how well a model of it learnt, in one sentence, by the report of its training.
        describe: what a model of it is, by its manifest, as names and values.
        engines: the kinds of engine that a run of its models takes, by the manifest, its own first.
        bridges: whether noisy and damaged frames are told from usable ones, by a model's manifest.
        check: refuses settings that the method's own model, by its manifest, or its engine's name rules out, before any
            engine is loaded.
        prepare: the recipe as these options want it; checks them before any work is done.
        batch_bytes: about what a window (or flow) of a batch takes of memory while a recipe learns from it.
        needs: refuses a training for which a package is missing, before any work is done.
        exports: None where it has its one engine and no other.
        kind: of its usual engine file.
        contested: whether a folder's engines are tried, from fast to slow, for one that runs and is right.
        pools: the poolings that are calibrated.
        steps: whether training goes in epochs, of batches, in a precision.
        streams: of a method that judges frames by itself: what it tells apart, by which it explains them.
        overlap: what a segment of a long video takes of its neighbours, by the opened method, so that its maps are, to
            the bit, those of the whole video; None where a video is scored in one piece.
        teach: adds moments that a person calls normal to a model; None where only a training can.
    """

    name: str
    says: str
    reacts: str
    stem: str
    global_pass: GlobalPass
    submission: Submission
    raw: Callable[[Maps, OwnPool], NDArray[np.float32]]
    recipes: Mapping[str, Recipe]
    open: Callable[[Opening], Method]
    train: Callable[[TrainingJob], Trained]
    errors_of: Callable[[Path, Mapping[str, Any], int, int], ErrorsOf]
    outcome: Callable[[Mapping[str, Any]], str]
    describe: Callable[[Manifest], list[tuple[str, str]]]
    held_out: Callable[[Model, FrameCache, int], Iterable[tuple[str, Features]]] | None = None
    engines: Callable[[Manifest], list[EngineKind]] = lambda _: []
    bridges: Callable[[Manifest], bool] = lambda _: False
    options: tuple[TrainingOption, ...] = ()
    check: Callable[[EngineChoice, Settings], None] = lambda *_: None
    prepare: Callable[[Recipe, Mapping[str, Any]], Recipe] = lambda recipe, _: recipe
    batch_bytes: Callable[[Recipe], int] = lambda _: 1 << 20
    needs: Callable[[], None] = lambda: None
    exports: Exports | None = None
    source_weights: SourceWeights | None = None
    kind: str = "onnx"
    contested: bool = False
    pools: tuple[Pool, ...] = ("mean", "worst", "rare")
    steps: bool = True
    streams: tuple[str, ...] = ()
    overlap: Callable[[Any], Overlap] | None = None
    teach: Callable[[Lesson], Taught] | None = None
