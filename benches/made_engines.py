"""Models and engines with random weights: they cost what others cost."""

import shutil
from pathlib import Path

import torch
from torch import nn

import pixelfast
from oracles.plain_loop import PlainMethod
from pixelfast import _core
from pixelfast.methods.reconstruction.quantize import write_int8
from pixelfast.model import Model
from threads import THREADS


def model_folder(method: PlainMethod, autoencoder: nn.Module, folder: Path) -> Path:
    """A model folder in `folder`, of an autoencoder and the flip classifier of the plain method."""
    for name, network in (("ae", autoencoder), ("flip", method.flip)):
        torch.save(network.state_dict(), folder / f"{name}.pth")
    return pixelfast.convert(folder, folder / "model").folder


def int8_engine(model: Path, stride: int, frames: list[Path], folder: Path) -> Path:
    """The int8 engine of a stride in a copy of the model, which is made in `folder`."""
    copy = Path(shutil.copytree(model, folder / "model"))
    engine = copy / "ae.onnx" if stride == 1 else pixelfast.export(copy, stride=stride, threads=THREADS)
    name = engine.with_suffix(".int8.onnx").name
    runs = [_core.decode_frames(frames[:40], 128, 128, "grey", THREADS)[0]]
    write_int8(engine, folder / name, runs)
    Model.load(copy).add({name: folder / name})
    return copy / name
