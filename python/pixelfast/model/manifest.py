"""What `model.json` holds, as typed values; reading checks every field, and every complaint is a sentence."""

import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path, PureWindowsPath
from typing import Any, Final

import numpy as np

from pixelfast.arguments import MOST_PIXELS
from pixelfast.errors import ModelError
from pixelfast.files.atomic import atomic_path
from pixelfast.model.calibration import Calibration
from pixelfast.model.fields import Count, Fields, Sha256
from pixelfast.model.names import INGREDIENTS, stem_of
from pixelfast.model.tails import TAILS
from pixelfast.options import MOST_DEPTH, USUAL_READING, Reading

FORMAT = 1
FILE_NAME = "model.json"

_MOST_BYTES: Final = 64 << 20
"""Of `model.json`: that of a model of many calibrations has less than one million."""

_MOST_PIXELS: Final = 1 << 26
"""Of a frame, and four times as many of a window: beyond what is trained on, and within what memory holds."""

_MOST: Final = {"window": 1024, "height": MOST_PIXELS, "width": MOST_PIXELS, "grid": 1024, "stride": 1024}


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
        compute_capability: the GPU's, such as "8.6"; None where that is not known.
        flavour: "tensorrt" or "tensorrt_rtx", whose formats differ.
        version: the version of that package.
        onnx_sha256: the SHA-256 of the ONNX file that it was built from; of the float32 one with the same weights,
            where it computes in less.
        gpu: the name of the only model of GPU that it runs on; None where it runs on all of its compute capability, or
            where that is not known.
    """

    precision: str
    least: int
    best: int
    most: int
    compute_capability: str | None
    flavour: str
    version: str
    onnx_sha256: str
    gpu: str | None = None


@dataclass(frozen=True)
class FileFacts:
    """A file of the model folder: SHA-256 in hexadecimal, and size in bytes."""

    sha256: Sha256
    bytes: Count


@dataclass(frozen=True)
class Manifest:
    """Everything that `model.json` says.

    Attributes:
        method: its name.
        recipe: how it was trained: "default", "source", or "converted".
        window: frames that a score is made from (T).
        height: pixels of the training frames, which are those that the flip classifier takes.
        width: pixels, likewise.
        grid: cells a side of the error map (G).
        stride: the stride of the engine that is used when none is asked for.
        reading: how the training's picture files were read, and those are that it scores.
        rate: frames a second of the training, of those that were taken; None where it is not known.
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
    reading: Reading = USUAL_READING
    rate: float | None = None
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
        """Returns what the names of the method's own files begin with; "" where the folder holds none."""
        stems = (stem_of(name) for name in self.files)
        return next((stem for stem in stems if stem is not None and stem not in INGREDIENTS), "")

    def plain(self) -> dict[str, Any]:
        """Returns what stands in `model.json`, as plain values."""
        facts: dict[str, Any] = _plain(asdict(self))
        own = facts.pop("own")
        for calibration in facts["calibrations"]:
            for name in ("cells", "events"):
                if calibration[name] is None:
                    del calibration[name]
        for plan in facts["plans"].values():
            if plan["gpu"] is None:
                del plan["gpu"]
        if self.reading == USUAL_READING:
            del facts["reading"]
        if self.rate is None:
            del facts["rate"]
        return {**facts, self.method: own} if own else facts


def write_manifest(manifest: Manifest, path: Path) -> None:
    """Writes `model.json`, whole or not at all; an OutputError says why it cannot be written there."""
    text = json.dumps(manifest.plain(), indent=2, ensure_ascii=False, allow_nan=False)
    with atomic_path(path) as temporary:
        temporary.write_text(text + "\n", encoding="utf-8", newline="\n")


def read_manifest(path: Path) -> Manifest:
    """Reads `model.json`; fields that this version does not know are passed over.

    Raises:
        ModelError: it is damaged, or of a format that this version does not read.
    """
    facts = _read_object(path)
    fields = Fields(facts, path)
    version = fields.read("format", int)
    if version != FORMAT:
        raise ModelError(
            f"{path} has format {version}, and this pixelfast reads format {FORMAT}: "
            "use the pixelfast that wrote it, or train again"
        )
    method = fields.read("method", str)
    own = None if method in Manifest.__dataclass_fields__ else fields.read(method, dict[str, Any] | None)
    plans = fields.read("plans", dict[str, Any] | None)
    reading = {**asdict(USUAL_READING), **(fields.read("reading", dict[str, Any] | None) or {})}
    fields = Fields({**facts, "reading": reading, "own": own or {}, "plans": plans or {}}, path)
    names = fields.read("files", dict[str, Any])
    if any(not _is_file_name(name) or name == FILE_NAME for name in names):
        raise fields.damaged("files", "names of files in the folder itself")
    manifest: Manifest = fields.read_all(Manifest)
    for name, most in _MOST.items():
        if getattr(manifest, name) > most:
            raise fields.damaged(name, f"at most {most}")
    pixels = manifest.height * manifest.width
    if pixels > _MOST_PIXELS or pixels * manifest.window > 4 * _MOST_PIXELS:
        raise fields.damaged("height", f"so small that a frame has at most {_MOST_PIXELS} pixels, and a window 4 times")
    if manifest.reading.depth is not None and manifest.reading.depth not in (1, *range(8, MOST_DEPTH + 1)):
        raise fields.damaged("reading", f"a depth of 1 or of 8 to {MOST_DEPTH} bits")
    for calibration, part in zip(manifest.calibrations, fields.parts("calibrations"), strict=True):
        if not _rises(calibration):
            raise part.damaged("probabilities", "rising numbers from 0 to 1, with as many quantiles that never fall")
        if calibration.events is not None and not calibration.events.is_sound():
            raise part.damaged("events", "counts that rise from 0 and as many levels that never rise")
        if (calibration.cells is None) != (calibration.pool != "rare") or len(calibration.cells or ()) % len(TAILS):
            raise part.damaged("cells", f"{len(TAILS)} numbers a cell where pool is rare")
    return manifest


def _read_object(path: Path) -> dict[str, Any]:
    try:
        if path.stat().st_size > _MOST_BYTES:
            raise ModelError(f"{path} is no manifest: it has more than {_MOST_BYTES >> 20} MiB; copy it again")
        facts = json.loads(path.read_text(encoding="utf-8"))
    except ModelError:
        raise
    except (ValueError, RecursionError) as error:
        raise ModelError(f"{path} is damaged, it is no JSON ({error}): copy the model folder again") from error
    except OSError as error:
        raise ModelError(f"{path} cannot be read: {error.strerror or error}") from error
    if not isinstance(facts, dict):
        raise ModelError(f"{path} is damaged: it should be an object; copy it again")
    return facts


def _is_file_name(name: str) -> bool:
    """Says whether a name is one of a file in the folder itself on every system: no path, no drive, nothing unseen."""
    return name not in ("", ".", "..") and PureWindowsPath(name).name == name and name.isprintable()


def _rises(one: Calibration) -> bool:
    probabilities, quantiles = one.probabilities, one.quantiles
    rising = len(probabilities) > 1 and all(np.diff(probabilities) > 0)
    within = rising and 0 <= probabilities[0] <= probabilities[-1] <= 1
    return within and len(quantiles) == len(probabilities) and not any(np.diff(quantiles) < 0)


def _plain(value: Any) -> Any:
    """Returns a value as JSON can hold it: NumPy's numbers as Python's, tuples as lists, not-a-number as null."""
    if isinstance(value, np.generic | np.ndarray):
        value = value.tolist()
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set):
        return [_plain(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return str(value) if isinstance(value, Path) else value
