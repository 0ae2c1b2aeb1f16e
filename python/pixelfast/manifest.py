"""What `model.json` holds, as typed values; reading checks every field, and every complaint is a sentence."""

import json
import math
import re
import sys
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from pixelfast.atomic import atomic_path
from pixelfast.calibration import Calibration
from pixelfast.errors import ModelError

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
class FileFacts:
    """A file of the model folder: SHA-256 in hexadecimal, and size in bytes."""

    sha256: str
    bytes: int


@dataclass(frozen=True)
class Manifest:
    """Everything that `model.json` says.

    Attributes:
        method: "reconstruction" or "motion".
        recipe: how it was trained: "default", "source", or "converted".
        window: frames a window (T).
        height: of a frame, pixels.
        width: of a frame, pixels.
        grid: cells a side of the error map (G).
        stride: of the engine that is used when none is asked for.
        training: None where the weights came from elsewhere.
        flip: None where there is no flip classifier.
        calibrations: one for each engine file and setting that was measured.
        files: the other files of the folder, by name.
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
    calibrations: tuple[Calibration, ...] = ()
    files: Mapping[str, FileFacts] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    format: int = FORMAT


def write_manifest(manifest: Manifest, path: Path) -> None:
    """Writes `model.json`, whole or not at all.

    Raises:
        OutputError: it cannot be written there.
    """
    text = json.dumps(_plain(asdict(manifest)), indent=2, ensure_ascii=False, allow_nan=False)
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
    return _manifest(_Fields(facts, path))


def _manifest(fields: "_Fields") -> Manifest:
    version = fields.whole("format")
    if version != FORMAT:
        raise ModelError(
            f"{fields.path} has format {version}, and this pixelfast reads format {FORMAT}: "
            "use the pixelfast that wrote it, or train again"
        )
    training, flip = fields.part("training"), fields.part("flip")
    return Manifest(
        method=fields.text("method"),
        recipe=fields.text("recipe"),
        window=fields.whole("window"),
        height=fields.whole("height"),
        width=fields.whole("width"),
        grid=fields.whole("grid"),
        stride=fields.whole("stride"),
        training=None if training is None else _training(training),
        flip=None if flip is None else _flip(flip),
        calibrations=tuple(_calibration(part) for part in fields.parts("calibrations")),
        files=_files(fields),
        notes=fields.texts("notes"),
    )


def _training(fields: "_Fields") -> Training:
    return Training(
        sources=fields.texts("sources"),
        videos=fields.whole("videos"),
        frames=fields.whole("frames"),
        report=fields.mapping("report"),
    )


def _flip(fields: "_Fields") -> Flip:
    accuracy = fields.number("held_out_accuracy") if fields.has("held_out_accuracy") else None
    return Flip(accuracy, fields.flag("trusted"), fields.number("threshold"))


def _calibration(fields: "_Fields") -> Calibration:
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


def _files(fields: "_Fields") -> dict[str, FileFacts]:
    files = {}
    for name in fields.mapping("files"):
        if Path(name).name != name or name in ("", ".", "..", FILE_NAME):
            raise fields.damaged("files", "names of files in the folder itself")
        facts = _Fields(fields.mapping("files")[name], fields.path, f"files.{name}.")
        sha256 = facts.text("sha256")
        if re.fullmatch("[0-9a-f]{64}", sha256) is None:
            raise facts.damaged("sha256", "64 hexadecimal digits")
        files[name] = FileFacts(sha256, facts.whole("bytes", least=0))
    return files


class _Fields:
    """One JSON object of a manifest, read field by field; a field of the wrong kind is a ModelError that names it."""

    def __init__(self, facts: object, path: Path, where: str = "") -> None:
        self.path = path
        self._where = where
        if not isinstance(facts, dict):
            raise ModelError(f"{path} is damaged: {where.rstrip('.') or 'it'} should be an object; copy it again")
        self._facts: dict[str, Any] = facts

    def damaged(self, key: str, wanted: str) -> ModelError:
        """The error for a field that is not what it should be."""
        found = repr(self._facts[key])[:80] if key in self._facts else "missing"
        return ModelError(
            f"{self.path} is damaged: {self._where}{key} should be {wanted}, and is {found}; copy the model again"
        )

    def has(self, key: str) -> bool:
        """Whether the field is there and not null."""
        return self._facts.get(key) is not None

    def text(self, key: str) -> str:
        """A text that is not empty."""
        return str(self._checked(key, "a text", _is_text))

    def whole(self, key: str, least: int = 1) -> int:
        """A whole number from `least`."""
        return int(
            self._checked(key, f"a whole number from {least}", lambda value: _is_whole(value) and value >= least)
        )

    def number(self, key: str) -> float:
        """A finite number."""
        return float(self._checked(key, "a number", _is_number))

    def flag(self, key: str) -> bool:
        """True or false."""
        return bool(self._checked(key, "true or false", lambda value: isinstance(value, bool)))

    def texts(self, key: str) -> tuple[str, ...]:
        """A list of texts."""
        return tuple(self._checked(key, "a list of texts", lambda value: _is_list(value, _is_text)))

    def numbers(self, key: str) -> tuple[float, ...]:
        """A list of finite numbers."""
        return tuple(map(float, self._checked(key, "a list of numbers", lambda value: _is_list(value, _is_number))))

    def mapping(self, key: str) -> dict[str, Any]:
        """An object of whatever."""
        return dict(self._checked(key, "an object", lambda value: isinstance(value, dict)))

    def part(self, key: str) -> "_Fields | None":
        """An object, or None where it is null."""
        return _Fields(self._facts[key], self.path, f"{self._where}{key}.") if self.has(key) else None

    def parts(self, key: str) -> "list[_Fields]":
        """A list of objects."""
        values = self._checked(key, "a list", lambda value: isinstance(value, list))
        return [_Fields(value, self.path, f"{self._where}{key}[{at}].") for at, value in enumerate(values)]

    def _checked(self, key: str, wanted: str, good: Callable[[Any], bool]) -> Any:
        if key not in self._facts or not good(self._facts[key]):
            raise self.damaged(key, wanted)
        return self._facts[key]


def _is_text(value: object) -> bool:
    return isinstance(value, str) and value != ""


def _is_whole(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_number(value: object) -> bool:
    # An integer too large for a float would make isfinite itself fail.
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) <= sys.float_info.max


def _is_list(value: object, good: Callable[[object], bool]) -> bool:
    return isinstance(value, list) and all(map(good, value))


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
