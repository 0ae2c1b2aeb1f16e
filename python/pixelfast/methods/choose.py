"""From what the caller names, a model folder or a file, to the engine that runs."""

import glob
import hashlib
from os import PathLike
from pathlib import Path

from pixelfast.errors import EngineError, ModelError
from pixelfast.files.atomic import file_sha256
from pixelfast.methods.base import EngineChoice
from pixelfast.methods.fastest import fastest_engine
from pixelfast.methods.registry import LONE, find_method
from pixelfast.model import Model
from pixelfast.model.manifest import FILE_NAME as MANIFEST
from pixelfast.model.names import EngineName
from pixelfast.runtime.external import external_files
from pixelfast.runtime.runner import check_file

SUFFIXES = (".onnx", ".plan", ".safetensors")


def choose_engine(
    engine: str | PathLike[str], stride: int | None = None, *, exact: bool = False, threads: int = 1
) -> EngineChoice:
    """Finds the engine file to run.

    Args:
        engine: a model folder (the fastest of its engines on this machine), or an `.onnx`, `.plan` or `.safetensors`
            file (inside a model folder or alone).
        stride: the window stride asked for; a folder may hold an engine made for it.
        exact: of a folder take the float32 engine that its manifest names, whatever this machine runs fastest: so that
            machines that share the work take the same.
        threads: of the engine as it is tried; the choice does not depend on them.

    Raises:
        EngineError: no such file, a suffix that this version does not run, or a damaged file.
        ModelError: the folder is no model.
    """
    path = Path(engine)
    if not path.is_dir():
        return _chosen_file(path)
    model = Model.load(path)
    spec = find_method(model.manifest.method)
    if not spec.contested:
        return _of_model(model.engine(kind=spec.kind), model, [])
    own = EngineName(spec.stem, stride or model.manifest.stride, kind=spec.kind)
    if str(own) in model.manifest.files and exact:
        return _of_model(path / str(own), model, _others(model, own))
    if str(own) in model.manifest.files:
        name, note = fastest_engine(model, own, spec.engines(model.manifest)[0], threads)
        return _of_model(path / name, model, [] if note is None else [note])
    note = f"stride {stride} runs one window at a time; `pixelfast export {path} --stride {stride}` makes it faster"
    return _of_model(model.engine(kind=spec.kind), model, [note])


def _chosen_file(path: Path) -> EngineChoice:
    if path.suffix.lower() not in SUFFIXES:
        foreign = path.suffix.lower() in (".pth", ".pt")
        mend = "bring it in with `pixelfast convert`" if foreign else "name a model folder or a file of one"
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
    note = f"{path} is used without flip correction and threshold: {why}"
    return EngineChoice(path, _digest(path), None, LONE, [note])


def _others(model: Model, own: EngineName) -> list[str]:
    """What is said where a model has faster engines beside the one that every machine can take."""
    parsed = (EngineName.parse(name) for name in model.manifest.files)
    names = [str(one) for one in parsed if one and one != own and one._replace(precision="fp32") == own]
    if not names:
        return []
    return [f"{own} is taken, not {' or '.join(names)}, so that every machine gives the same: name a file for another"]


def _digest(path: Path) -> str:
    """SHA-256 of an engine file and of the weights beside a large one: `ae.onnx.data`, and what it refers to."""
    usual, named = path.parent.glob(f"{glob.escape(path.name)}?data"), external_files(path)
    beside = sorted({other for other in (*usual, *named) if other.is_file()})
    digests = [file_sha256(one) for one in (path, *beside)]
    return digests[0] if not beside else hashlib.sha256("".join(digests).encode()).hexdigest()


def _of_model(path: Path, model: Model, notes: list[str]) -> EngineChoice:
    return EngineChoice(path, model.manifest.files[path.name].sha256, model, model.manifest.method, notes)
