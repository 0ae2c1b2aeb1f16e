"""What `model.json` holds, as typed values; reading checks every field, and every complaint is a sentence."""

import json
import math
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from pixelfast.errors import ModelError
from pixelfast.files.atomic import atomic_path
from pixelfast.model.calibration import Calibration
from pixelfast.model.fields import Fields
from pixelfast.model.names import INGREDIENTS, stem_of

FORMAT = 1
FILE_NAME = "model.json"


@dataclass(frozen=True)
class Training:
    """What a model was trained on: names of the source's folders, its size, and the report of the training."""

    sources: tuple[str, ...]
    videos: int
    frames: int
    report: dict[str, Any]


@dataclass(frozen=True)
class Flip:
    """The flip classifier: its accuracy on held-out frames (None where unknown), and whether to trust it."""

    held_out_accuracy: float | None
    trusted: bool
    threshold: float = 0.5


@dataclass(frozen=True)
class PlanFacts:
    """What a TensorRT plan was built for; a plan itself can say nothing on a machine without its GPU.

    Attributes:
        precision: "fp32", "fp16" or "bf16".
        least: frames (or flows) a call, at least.
        best: the number that it is tuned for.
        most: at most.
        compute_capability: of the GPU, such as "8.6"; None where that is not known.
        flavour: "tensorrt" or "tensorrt_rtx", whose formats differ.
        version: of that package.
        onnx_sha256: of the model's ONNX file that it was built from; with less than float32, of the one with the same
            weights.
    """

    precision: str
    least: int
    best: int
    most: int
    compute_capability: str | None
    flavour: str
    version: str
    onnx_sha256: str


@dataclass(frozen=True)
class FileFacts:
    """A file of the model folder: SHA-256 in hexadecimal, and size in bytes."""

    sha256: str
    bytes: int


@dataclass(frozen=True)
class Manifest:
    """Everything that `model.json` says.

    Attributes:
        method: its name.
        recipe: how it was trained: "default", "source", or "converted".
        window: frames that a score is made from (T).
        height: of the training frames, pixels: those that the flip classifier takes.
        width: of a frame, pixels; likewise.
        grid: cells a side of the error map (G).
        stride: of the engine that is used when none is asked for.
        training: None where the weights came from elsewhere.
        flip: None where there is no flip classifier.
        own: what the method alone needs to know, plain values; it stands in the file under the name of the method.
        calibrations: one for each engine file and setting that was measured.
        files: the other files of the folder, by name.
        plans: what each TensorRT plan among them was built for.
        notes: what was said aloud in training.
        format: the version of this layout.
    """

    method: str
    recipe: str
    window: int
    height: int
    width: int
    grid: int
    stride: int = 1
    training: Training | None = None
    flip: Flip | None = None
    own: Mapping[str, Any] = field(default_factory=dict)
    calibrations: tuple[Calibration, ...] = ()
    files: Mapping[str, FileFacts] = field(default_factory=dict)
    plans: Mapping[str, PlanFacts] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    format: int = FORMAT

    @property
    def stem(self) -> str:
        """What the names of the method's own files begin with; "" where the folder holds none."""
        stems = (stem_of(name) for name in self.files)
        return next((stem for stem in stems if stem is not None and stem not in INGREDIENTS), "")

    def plain(self) -> dict[str, Any]:
        """Returns what stands in `model.json`, as plain values."""
        facts: dict[str, Any] = _plain(asdict(self))
        own = facts.pop("own")
        return {**facts, self.method: own} if own else facts


def write_manifest(manifest: Manifest, path: Path) -> None:
    """Writes `model.json`, whole or not at all.

    Raises:
        OutputError: it cannot be written there.
    """
    text = json.dumps(manifest.plain(), indent=2, ensure_ascii=False, allow_nan=False)
    with atomic_path(path) as temporary:
        temporary.write_text(text + "\n", encoding="utf-8")


def read_manifest(path: Path) -> Manifest:
    """Reads `model.json`; fields that this version does not know are passed over.

    Raises:
        ModelError: it is damaged, or of a format that this version does not read.
    """
    try:
        facts = json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, RecursionError) as error:
        raise ModelError(f"{path} is damaged, it is no JSON ({error}): copy the model folder again") from error
    except OSError as error:
        raise ModelError(f"{path} cannot be read: {error.strerror or error}") from error
    return _manifest(Fields(facts, path))


def _manifest(fields: Fields) -> Manifest:
    version = fields.whole("format")
    if version != FORMAT:
        raise ModelError(
            f"{fields.path} has format {version}, and this pixelfast reads format {FORMAT}: "
            "use the pixelfast that wrote it, or train again"
        )
    training, flip, method = fields.part("training"), fields.part("flip"), fields.text("method")
    return Manifest(
        method=method,
        recipe=fields.text("recipe"),
        window=fields.whole("window"),
        height=fields.whole("height"),
        width=fields.whole("width"),
        grid=fields.whole("grid"),
        stride=fields.whole("stride"),
        training=None if training is None else _training(training),
        flip=None if flip is None else _flip(flip),
        own=fields.mapping(method) if fields.has(method) else {},
        calibrations=tuple(_calibration(part) for part in fields.parts("calibrations")),
        files=_files(fields),
        plans=_plans(fields),
        notes=fields.texts("notes"),
    )


def _training(fields: Fields) -> Training:
    return Training(
        sources=fields.texts("sources"),
        videos=fields.whole("videos"),
        frames=fields.whole("frames"),
        report=fields.mapping("report"),
    )


def _flip(fields: Fields) -> Flip:
    accuracy = fields.number("held_out_accuracy") if fields.has("held_out_accuracy") else None
    return Flip(accuracy, fields.flag("trusted"), fields.number("threshold"))


def _calibration(fields: Fields) -> Calibration:
    probabilities, quantiles = fields.numbers("probabilities"), fields.numbers("quantiles")
    rising = (
        len(probabilities) > 1 and all(np.diff(probabilities) > 0) and 0 <= probabilities[0] <= probabilities[-1] <= 1
    )
    if not rising or len(quantiles) != len(probabilities) or any(np.diff(quantiles) < 0):
        raise fields.damaged("probabilities", "rising numbers from 0 to 1, with as many quantiles that never fall")
    return Calibration(
        engine=fields.text("engine"),
        precision=fields.text("precision"),
        stride=fields.whole("stride"),
        how=fields.text("how"),
        pool=fields.text("pool"),
        smooth=fields.whole("smooth"),
        probabilities=probabilities,
        quantiles=quantiles,
        frames=fields.whole("frames"),
    )


def _plans(fields: Fields) -> dict[str, PlanFacts]:
    if not fields.has("plans"):
        return {}
    plans = fields.mapping("plans")
    return {name: _plan(Fields(plans[name], fields.path, f"plans.{name}.")) for name in plans}


def _plan(fields: Fields) -> PlanFacts:
    return PlanFacts(
        precision=fields.text("precision"),
        least=fields.whole("least"),
        best=fields.whole("best"),
        most=fields.whole("most"),
        compute_capability=fields.text("compute_capability") if fields.has("compute_capability") else None,
        flavour=fields.text("flavour"),
        version=fields.text("version"),
        onnx_sha256=fields.text("onnx_sha256"),
    )


def _files(fields: Fields) -> dict[str, FileFacts]:
    files = {}
    for name in fields.mapping("files"):
        if Path(name).name != name or name in ("", ".", "..", FILE_NAME):
            raise fields.damaged("files", "names of files in the folder itself")
        facts = Fields(fields.mapping("files")[name], fields.path, f"files.{name}.")
        sha256 = facts.text("sha256")
        if re.fullmatch("[0-9a-f]{64}", sha256) is None:
            raise facts.damaged("sha256", "64 hexadecimal digits")
        files[name] = FileFacts(sha256, facts.whole("bytes", least=0))
    return files


def _plain(value: Any) -> Any:
    """A value as JSON can hold it: NumPy's numbers as Python's, tuples as lists, not-a-number as null."""
    if isinstance(value, np.generic | np.ndarray):
        value = value.tolist()
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set):
        return [_plain(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return str(value) if isinstance(value, Path) else value
