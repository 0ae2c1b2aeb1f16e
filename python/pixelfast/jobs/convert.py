"""Makes a model of weights that the source method's own training wrote: what `pixelfast.convert` does."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import Any, Final

from pixelfast.errors import ModelError
from pixelfast.files.folders import scratch_folder
from pixelfast.geometry import FRAME_SIZE, GRID
from pixelfast.machine.imports import training_extra
from pixelfast.methods.base import MethodSpec
from pixelfast.methods.exports import ConvertRequest, SourceWeights
from pixelfast.methods.registry import all_methods
from pixelfast.methods.trained import Trained
from pixelfast.model import Flip, Manifest, Model
from pixelfast.model.names import EngineName

Weights = str | PathLike[str] | Iterable[str | PathLike[str]]
State = Mapping[str, Any]
"""The names and tensors of a network's weights."""

FLIP: Final = "flip classifier"
_FLIP_KEY: Final = "net.0.weight"
_SUFFIXES: Final = (".pth", ".pt", ".bin", ".ckpt", ".safetensors")


@dataclass(frozen=True)
class Converted:
    """What became of weights.

    Attributes:
        spec: the method that they belong to.
        trained: what the method made of them.
        files: the file of each kind of weights.
        differences: the largest difference from PyTorch of each exported file, relative to the largest value.
    """

    spec: MethodSpec
    trained: Trained
    files: Mapping[str, Path]
    differences: Mapping[str, float]


def convert_model(weights: Weights, out: str | PathLike[str], request: ConvertRequest) -> Model:
    """Makes a model from the source method's own weights; see `pixelfast.convert`."""
    notes, target = request.notes, Path(out)
    Model.check_out(target)
    paths = [Path(weights)] if isinstance(weights, str | PathLike) else [Path(path) for path in weights]
    with scratch_folder(target) as scratch:
        found = convert_weights(paths, scratch, request)
        notes.say("converted weights bring no held-out frames: scores have no threshold and no tails")
        flip = None
        if FLIP in found.files:
            notes.say("the converted flip classifier was not measured on held-out frames; it is trusted as it was")
            # Its owner relied on it, and a video whose pixels contradict it is refused all the same: so it is trusted.
            flip = Flip(held_out_accuracy=None, trusted=True)
        manifest = Manifest(
            method=found.spec.name,
            recipe="converted",
            window=found.trained.window,
            height=FRAME_SIZE,
            width=FRAME_SIZE,
            grid=GRID,
            flip=flip,
            own=found.trained.own,
            notes=tuple(notes),
        )
        return Model.write(scratch, target, manifest)


def convert_weights(weights: Sequence[Path], workdir: Path, request: ConvertRequest) -> Converted:
    """Writes the files of a method, and of the flip classifier where there is one, into a folder.

    Args:
        weights: files (`.pth`, `.pt`, `.bin`, `.ckpt`, `.safetensors`) that hold state dicts, nothing in which is run,
            or folders of such files.
        workdir: an existing folder.
        request: what else is known of them.

    Raises:
        ModelError: PyTorch is missing, a file is not there, holds something else, there is no method's network, or
            those of two, or two of a kind.
        OutputError: a file cannot be written.
    """
    with training_extra():
        from pixelfast.flip.export import convert_flip_classifier
    found = _recognise(_files(weights))
    ours = [(spec, source) for spec, source in _sources() if source.kind in found]
    if len(ours) > 1:
        one, other = (found[source.kind][0] for _, source in ours[:2])
        raise ModelError(f"{one} and {other} belong to two methods: convert each into a model of its own")
    if not ours:
        wanted = " nor ".join(f"the weights of a trained {one.kind} ({one.key} to {one.last})" for _, one in _sources())
        raise ModelError(f"{', '.join(map(str, weights))} holds neither {wanted}: give those too")
    ((spec, source),) = ours
    trained = source.convert(*found[source.kind], workdir, request)
    differences = dict(trained.differences)
    if FLIP in found:
        differences[str(EngineName("flip"))] = convert_flip_classifier(*found[FLIP], workdir)
    return Converted(spec, trained, {kind: path for kind, (path, _) in found.items()}, differences)


def _files(weights: Sequence[Path]) -> list[Path]:
    files: list[Path] = []
    for path in weights:
        inside = sorted(one for one in path.iterdir() if one.suffix in _SUFFIXES) if path.is_dir() else [path]
        if not inside:
            raise ModelError(f"the folder {path} holds no weights ({', '.join(_SUFFIXES)})")
        files += inside
    return files


def _recognise(files: Sequence[Path]) -> dict[str, tuple[Path, State]]:
    """File and state dict of each kind of network."""
    from pixelfast.training.strange_weights import load_states, unwrapped

    keys = {**{source.key: source.kind for _, source in _sources()}, _FLIP_KEY: FLIP}
    found: dict[str, tuple[Path, State]] = {}
    for path in files:
        states = load_states(path)
        inside = {kind: state for key, kind in keys.items() if (state := unwrapped(path, states, key)) is not None}
        if not inside:
            names = ", ".join([*states[0].tensors][:3]) or "nothing"
            known = ", ".join(f"{kind} ({key} …)" for key, kind in keys.items())
            raise ModelError(f"{path} holds {names}…, which is none of the source method's networks: {known}")
        for kind, state in inside.items():
            if kind in found:
                other = found[kind][0]
                raise ModelError(f"{other} and {path} both hold weights of one kind ({kind}): give one of them")
            found[kind] = (path, state)
    return found


def _sources() -> list[tuple[MethodSpec, SourceWeights]]:
    """The methods that take over weights, each with what it takes."""
    return [(one, one.source_weights) for one in all_methods().values() if one.source_weights is not None]
