"""A whole `score` of frame files against the source's plain loop, with the same weights.

The plain loop runs on every twentieth window and every twentieth frame of its cleaning pass, spread over the video,
and its time is scaled up. Loading the engine counts for the product; the plain loop's networks are in memory already.
"""

from pathlib import Path

import numpy as np
import pytest
import torch

import pixelfast
from oracles.networks import FlipClassifier, seeded_autoencoder
from oracles.plain_loop import (
    PlainMethod,
    file_reader,
    flipped_files,
    window_errors,
    window_starts,
)
from pixelfast import _core
from pixelfast.engines.quantize import write_int8
from pixelfast.model import Model

THREADS = 2
PART = 20  # the plain loop does one twentieth


@pytest.fixture(scope="module")
def method() -> PlainMethod:
    """The source's networks with random weights; the classifier finds every frame upright, and works all the same."""
    torch.set_num_threads(THREADS)
    torch.manual_seed(0)
    flip = FlipClassifier().eval()
    with torch.no_grad():
        flip.net[8].bias.copy_(torch.tensor([20.0, -20.0]))
    return PlainMethod(seeded_autoencoder(0), flip)


@pytest.fixture(scope="module")
def model(method: PlainMethod, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same weights as a model folder."""
    folder = tmp_path_factory.mktemp("weights")
    for name, network in (("ae", method.autoencoder), ("flip", method.flip)):
        torch.save(network.state_dict(), folder / f"{name}.pth")
    return pixelfast.convert(folder, folder / "model").folder


@pytest.fixture(scope="module")
def int8(model: Path, frames: list[Path]) -> Path:
    """The same model's int8 engine; nobody asks here whether its random weights keep the order of the frames."""
    runs = [_core.decode_frames([str(path) for path in frames[:40]], 128, 128, "grey", THREADS)[0]]
    write_int8(model / "ae.onnx", model.parent / "ae.int8.onnx", runs)
    Model.load(model).add({"ae.int8.onnx": model.parent / "ae.int8.onnx"})
    return model / "ae.int8.onnx"


@pytest.mark.versus("score_int8")
def test_score_int8(contest, frames: list[Path], int8: Path, method: PlainMethod) -> None:
    contest(
        ours=lambda: score(frames, int8),
        plain=lambda: part_of_plain_loop(method, frames),
        plain_share=1 / PART,
        warmup_rounds=0,
        note=f"the plain loop ran on 1 of {PART} windows, scaled",
    )


@pytest.mark.versus("score")
def test_score(contest, frames: list[Path], model: Path, method: PlainMethod) -> None:
    contest(
        ours=lambda: score(frames, model / "ae.onnx"),
        plain=lambda: part_of_plain_loop(method, frames),
        plain_share=1 / PART,
        warmup_rounds=0,
        note=f"the plain loop ran on 1 of {PART} windows, scaled",
    )


@pytest.mark.versus("score_fair_loop", gated=False, repeats=1)
def test_score_against_fair_loop(contest, frames: list[Path], model: Path, method: PlainMethod) -> None:
    """The plain loop with each frame decoded once, for comparison."""
    contest(
        ours=lambda: score(frames, model),
        plain=lambda: part_of_fair_loop(method, frames),
        plain_share=1 / PART,
        warmup_rounds=0,
        note=f"each frame decoded once; ran on 1 of {PART} windows, scaled",
    )


def score(frames: list[Path], model: Path) -> pixelfast.Scores:
    return pixelfast.score(frames[0].parent, engine=model, flip="always", threads=THREADS)


def part_of_plain_loop(method: PlainMethod, frames: list[Path]) -> None:
    flipped_files(method.flip, frames[::PART])
    read = file_reader(frames, np.zeros(len(frames), bool))
    for start in window_starts(len(frames), PART):
        window_errors(method.autoencoder, read, start, len(frames))


def part_of_fair_loop(method: PlainMethod, frames: list[Path]) -> None:
    flipped_files(method.flip, frames[::PART])
    read = file_reader(frames, np.zeros(len(frames), bool))
    stretch = [read(index) for index in range(len(frames) // PART)]
    for _ in range(len(window_starts(len(frames), PART))):
        window_errors(method.autoencoder, lambda index: stretch[index], 0, len(stretch))
