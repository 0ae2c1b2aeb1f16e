"""From what the caller names, a model folder or a file, to the engine that runs."""

import glob
import hashlib
from dataclasses import dataclass, field
from os import PathLike
from pathlib import Path

from pixelfast.errors import EngineError, ModelError
from pixelfast.files.atomic import file_sha256
from pixelfast.methods.reconstruction.fastest import fastest_engine
from pixelfast.model import Model
from pixelfast.model.manifest import FILE_NAME as MANIFEST
from pixelfast.runtime.runner import check_file
from pixelfast.runtime.tensorrt.check import PlanOrigin, plan_origin

SUFFIXES = (".onnx", ".plan", ".safetensors")

_MENDS = {
    ".pth": "bring it in with `pixelfast convert`",
    ".pt": "bring it in with `pixelfast convert`",
}


@dataclass(frozen=True)
class EngineChoice:
    """An engine file, the model that it belongs to (None for a lone file), and what should be said aloud about it."""

    path: Path
    sha256: str
    model: Model | None
    notes: list[str] = field(default_factory=list)

    @property
    def method(self) -> str:
        """The method that the engine belongs to: a lone file can only be an autoencoder."""
        return "reconstruction" if self.model is None else self.model.manifest.method

    @property
    def origin(self) -> PlanOrigin | None:
        """Of a plan: what its model knows about it."""
        return None if self.model is None else plan_origin(self.model, self.path.name)


def choose_engine(
    engine: str | PathLike[str], stride: int | None = None, sharded: bool = False, threads: int = 1
) -> EngineChoice:
    """The engine file to run.

    Args:
        engine: a model folder (the fastest of its engines on this machine), or an `.onnx`, `.plan` or `.safetensors`
            file (inside a model folder or alone).
        stride: the window stride asked for; a folder may hold an engine made for it.
        sharded: machines share the work, so all must name the same file, not a folder.
        threads: of the engine; the fastest of a folder is measured with them.

    Raises:
        EngineError: no such file, a suffix that this version does not run, a folder for a shard, or a damaged file.
        ModelError: the folder is no model.
    """
    path = Path(engine)
    if not path.is_dir():
        return _chosen_file(path)
    if sharded:
        name = Model.load(path).engine_name()
        raise EngineError(f"a shard needs an engine file, not the folder {path}: name {path / name} on every machine")
    model = Model.load(path)
    if model.manifest.method == "motion":
        return _of_model(model.engine(), model, [])
    own = model.engine_name(stride or model.manifest.stride)
    if own in model.manifest.files:
        name, note = fastest_engine(model, own.removesuffix(".onnx"), threads)
        return _of_model(path / name, model, [] if note is None else [note])
    note = f"stride {stride} runs one window at a time; `pixelfast export {path} --stride {stride}` makes it faster"
    return _of_model(model.engine(), model, [note])


def _chosen_file(path: Path) -> EngineChoice:
    if path.suffix.lower() not in SUFFIXES:
        mend = _MENDS.get(path.suffix.lower(), "name a model folder or a file of one")
        exists = "" if path.exists() else " does not exist and"
        raise EngineError(f"{path}{exists} is no engine that this version runs ({', '.join(SUFFIXES)}): {mend}")
    check_file(path)
    why = "it belongs to no model folder"
    if (path.parent / MANIFEST).is_file():
        try:
            model = Model.load(path.parent, engine=path.name)
        except ModelError as error:
            why = str(error)
        else:
            if path.name in model.manifest.files:
                return _of_model(path, model, [])
            why = f"{MANIFEST} beside it does not list it"
    return EngineChoice(path, _digest(path), None, [f"{path} is used without flip correction and threshold: {why}"])


def _digest(path: Path) -> str:
    """SHA-256 of an engine file and of the weights that exporters put beside a large one (`ae.onnx.data`)."""
    beside = sorted(other for other in path.parent.glob(f"{glob.escape(path.name)}?data") if other.is_file())
    digests = [file_sha256(one) for one in (path, *beside)]
    return digests[0] if not beside else hashlib.sha256("".join(digests).encode()).hexdigest()


def _of_model(path: Path, model: Model, notes: list[str]) -> EngineChoice:
    return EngineChoice(path, model.manifest.files[path.name].sha256, model, notes)
