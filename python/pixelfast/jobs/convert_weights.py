"""Weights that the source method's own training wrote, brought into pixelfast's files."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from pixelfast.errors import ModelError
from pixelfast.flip.export import write_flip_classifier
from pixelfast.flip.network import FlipClassifier
from pixelfast.flip.weights import save_flip_classifier
from pixelfast.geometry import FLOW_SIZE, PAST_FLOWS
from pixelfast.methods.motion.export import write_motion
from pixelfast.methods.motion.network import FlowGru
from pixelfast.methods.motion.weights import save_flow_gru
from pixelfast.methods.reconstruction.export import write_autoencoder
from pixelfast.methods.reconstruction.network import TemporalAutoencoder
from pixelfast.methods.reconstruction.weights import save_autoencoder
from pixelfast.training.plain_files import load_state_dict

_SUFFIXES = (".pth", ".pt", ".bin", ".ckpt")
_AUTOENCODER_KEY = "encoder.0.weight"
_FLIP_KEY = "net.0.weight"
_MOTION_KEY = "gru.weight_ih_l0"


def convert_weights(
    weights: Path | Sequence[Path], workdir: Path, frame_size: tuple[int, int] | None = None
) -> dict[str, Any]:
    """Writes `ae` or `motion`, and `flip` where there is a classifier, each `.safetensors` and `.onnx`.

    The files hold state dicts; nothing in them is run (`weights_only`).

    Args:
        weights: a file, a folder of files (`.pth`, `.pt`, `.bin`, `.ckpt`), or several of both.
        workdir: an existing folder to write into.
        frame_size: height and width in pixels of the frames that a motion GRU's flow was computed on.

    Returns:
        `{"autoencoder": path or None, "motion": path or None, "flip": path or None, "width": int or None,
        "onnx_difference": {file name: float}}`, paths as text.

    Raises:
        ModelError: a file is not there, holds something else, there is neither an autoencoder nor a motion GRU, both
            of them or two of a kind, or the motion GRU's frame size is not known.
        OutputError: a file cannot be written.
    """
    found = _recognise(_files(weights))
    autoencoder, motion, flip = (found.get(kind) for kind in ("autoencoder", "motion GRU", "flip classifier"))
    if autoencoder is not None and motion is not None:
        raise ModelError(
            f"{autoencoder[0]} and {motion[0]} belong to two methods: convert each into a model of its own"
        )
    width: int | None = None
    differences: dict[str, float] = {}
    if autoencoder is not None:
        width, differences = _convert_autoencoder(*autoencoder, workdir)
    elif motion is not None:
        differences = _convert_motion(*motion, workdir, frame_size)
    else:
        raise ModelError(
            f"{_named(weights)} holds neither an autoencoder (encoder.0.weight to decoder.6.bias) nor a motion GRU "
            "(gru.weight_ih_l0 to fc.bias): give that too"
        )
    if flip is not None:
        differences |= _convert_flips(*flip, workdir)
    paths = {"autoencoder": autoencoder, "motion": motion, "flip": flip}
    return {
        **{name: None if one is None else str(one[0]) for name, one in paths.items()},
        "width": width,
        "onnx_difference": differences,
    }


def _convert_autoencoder(path: Path, state: dict[str, Tensor], workdir: Path) -> tuple[int, dict[str, float]]:
    network = _autoencoder(path, state)
    save_autoencoder(network, workdir / "ae.safetensors", recipe="source", trained_with={})
    return network.width, {"ae.onnx": write_autoencoder(network, workdir / "ae.onnx")}


def _convert_flips(path: Path, state: dict[str, Tensor], workdir: Path) -> dict[str, float]:
    classifier = FlipClassifier()
    _fill(classifier, path, state)
    save_flip_classifier(classifier, workdir / "flip.safetensors", recipe="source")
    return {"flip.onnx": write_flip_classifier(classifier, workdir / "flip.onnx")}


def _convert_motion(
    path: Path, state: dict[str, Tensor], workdir: Path, frame_size: tuple[int, int] | None
) -> dict[str, float]:
    """The source's flow is in pixels of the frame, ours in those of the grid: the scale makes up for it."""
    if frame_size is None or min(frame_size) < 1:
        raise ModelError(
            f"{path} holds a motion GRU, whose flow is in pixels of the footage it was trained on: say how large its "
            "frames were (--frame-size 640x360)"
        )
    hidden = state[_MOTION_KEY].shape[0] // 3
    if state[_MOTION_KEY].ndim != 2 or not 0 < hidden <= 4096:
        raise ModelError(f"{path}: {_MOTION_KEY} has the shape {list(state[_MOTION_KEY].shape)}, not [1536, 8192]")
    network = FlowGru(hidden)
    _fill(network, path, state)
    scale = (FLOW_SIZE / frame_size[1], FLOW_SIZE / frame_size[0])
    save_flow_gru(network, workdir / "motion.safetensors", recipe="source", scale=scale, past=PAST_FLOWS)
    return {"motion.onnx": write_motion(network, scale, PAST_FLOWS, workdir / "motion.onnx")}


def _files(weights: Path | Sequence[Path]) -> list[Path]:
    given = [Path(weights)] if isinstance(weights, str | Path) else [Path(one) for one in weights]
    files: list[Path] = []
    for path in given:
        inside = sorted(one for one in path.iterdir() if one.suffix in _SUFFIXES) if path.is_dir() else [path]
        if not inside:
            raise ModelError(f"the folder {path} holds no weights ({', '.join(_SUFFIXES)})")
        files += inside
    return files


def _recognise(files: Sequence[Path]) -> dict[str, tuple[Path, dict[str, Tensor]]]:
    """File and state dict of each kind of network."""
    found: dict[str, tuple[Path, dict[str, Tensor]]] = {}
    for path in files:
        state = load_state_dict(path)
        kind = _kind(path, state)
        if kind in found:
            raise ModelError(f"{found[kind][0]} and {path} both hold weights of one kind ({kind}): give one of them")
        found[kind] = (path, state)
    return found


def _kind(path: Path, state: dict[str, Tensor]) -> str:
    if _AUTOENCODER_KEY in state:
        return "autoencoder"
    if _FLIP_KEY in state:
        return "flip classifier"
    if _MOTION_KEY in state:
        return "motion GRU"
    names = ", ".join(list(state)[:3]) or "nothing"
    raise ModelError(
        f"{path} holds {names}…, which is none of the source method's networks: autoencoder "
        "(encoder.0.weight …), flip classifier (net.0.weight …), motion GRU (gru.weight_ih_l0 …)"
    )


def _autoencoder(path: Path, state: dict[str, Tensor]) -> TemporalAutoencoder:
    first = state[_AUTOENCODER_KEY]
    if first.ndim != 4 or not 0 < len(first) <= 1024:
        raise ModelError(f"{path}: {_AUTOENCODER_KEY} has the shape {list(first.shape)}, not [width, 16, 4, 4]")
    network = TemporalAutoencoder(len(first), "none")
    _fill(network, path, state)
    return network


def _fill(network: nn.Module, path: Path, state: dict[str, Tensor]) -> None:
    try:
        network.load_state_dict(state)
    except RuntimeError as error:
        reasons = "; ".join(line.strip() for line in str(error).splitlines()[1:3])
        raise ModelError(f"{path} does not fit the source method's network: {reasons}") from None
    broken = [name for name, tensor in state.items() if not bool(torch.isfinite(tensor).all())]
    if broken:
        raise ModelError(f"{path}: {broken[0]} holds values that are not finite")
    network.eval()


def _named(weights: Path | Sequence[Path]) -> str:
    return str(weights) if isinstance(weights, str | Path) else ", ".join(str(one) for one in weights)
