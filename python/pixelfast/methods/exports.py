"""What goes out of a method and comes into it: engines for other runners, and weights of the source's own training."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pixelfast.methods.trained import Trained
from pixelfast.model import Model
from pixelfast.model.names import EngineName
from pixelfast.notes import Notes
from pixelfast.training.cache import FrameCache


@dataclass(frozen=True)
class ExportRequest:
    """Which engine to write into a model's folder; `pixelfast.export` says what each means.

    Attributes:
        footage: the training footage where it is decoded already; None reads it again.
    """

    to: str = "onnx"
    precision: str = "fp32"
    stride: int = 1
    compute_capability: str | None = None
    call_sizes: tuple[int, int, int] | None = None
    threads: int = 1
    notes: Notes = field(default_factory=Notes)
    footage: FrameCache | None = None


def say_agreement(request: ExportRequest, agreement: float) -> None:
    """Says aloud how well an engine in less than float32 keeps the order of the frames."""
    request.notes.say(
        f"{request.precision} keeps the order of the frames: rank correlation {agreement:.5f} with float32"
    )


@dataclass(frozen=True)
class PlanSource:
    """A graph in a model's folder that a TensorRT plan is built of.

    Attributes:
        name: of the float32 ONNX file.
        sizes: frames or flows a call where nobody says otherwise: at least, best, at most.
        least: what every call must have at least; None where nobody is asked about the sizes.
        reduce: writes the graph to a file in less than float32, checked, and says so; None where it has no weights to
            reduce.
        larger: more frames or flows a call, where nobody says otherwise and the GPU is known to have room: rising, each
            with the bytes that such a call takes on it, about.
    """

    name: EngineName
    sizes: tuple[int, int, int]
    least: int | None = None
    reduce: Callable[[Path, ExportRequest], None] | None = None
    larger: tuple[tuple[int, int], ...] = ()


@dataclass(frozen=True)
class Exports:
    """What a method exports.

    Attributes:
        onnx: writes an ONNX engine of a stride and precision into a model's folder.
        plans: the graphs that plans are built of, the engine's own first.
        after_training: the precision of the ONNX engine that a training ends with, beside the float32 one; None for
            none.
    """

    onnx: Callable[[Model, ExportRequest], Path]
    plans: Callable[[Model, ExportRequest], list[PlanSource]]
    after_training: str | None = None


@dataclass(frozen=True)
class SourceWeights:
    """Weights of the source method's own training that a method takes over.

    Attributes:
        kind: what they are: "autoencoder".
        key: the name of a tensor that tells them from others.
        last: the name of their last tensor.
        convert: makes a model's files of the file and its state dict, in a folder.
    """

    kind: str
    key: str
    last: str
    convert: Callable[[Path, Mapping[str, Any], Path, "ConvertRequest"], Trained]


@dataclass(frozen=True)
class ConvertRequest:
    """What is known of weights from elsewhere; see `pixelfast.convert`.

    Attributes:
        frame_size: height and width in pixels of the frames that they were trained on.
        raft_weights: RAFT-Large's state dict; None lets torchvision download its own.
        with_raft: whether RAFT is written, too, where it is needed.
    """

    frame_size: tuple[int, int] | None = None
    raft_weights: Path | None = None
    with_raft: bool = True
    notes: Notes = field(default_factory=Notes)
