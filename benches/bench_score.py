"""A whole `score` of frame files against the source's plain loop, with the same weights.

The plain loop runs on every twentieth window and every twentieth frame of its cleaning pass, spread over the video,
and its time is scaled up. Loading the engine counts for the product; the plain loop's networks are in memory already.
"""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

import pixelfast
from made_engines import THREADS, int8_engine, model_folder
from oracles.plain_loop import PlainMethod, file_reader, flipped_files, window_errors, window_starts
from pixelfast import _core
from pixelfast.geometry import SOURCE_CHANNELS
from pixelfast.methods.reconstruction.network import TemporalAutoencoder

PART = 20  # the plain loop does one twentieth


@pytest.fixture(scope="module")
def s4_int8(model: Path, frames: list[Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    return int8_engine(model, 4, frames, tmp_path_factory.mktemp("s4"))


@pytest.fixture(scope="module")
def half_s2_int8(method: PlainMethod, frames: list[Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    torch.manual_seed(0)
    half = model_folder(method, TemporalAutoencoder(SOURCE_CHANNELS // 2), tmp_path_factory.mktemp("half"))
    return int8_engine(half, 2, frames, tmp_path_factory.mktemp("half_int8"))


@pytest.mark.versus("score_int8", peer="the plain loop")
def test_score_int8(contest, frames: list[Path], int8: Path, method: PlainMethod) -> None:
    """ae.int8.onnx, frame files to scores; the source's loop decodes each frame 16 times."""
    against_plain_loop(contest, frames, int8, method)


@pytest.mark.versus("score", peer="the plain loop")
def test_score(contest, frames: list[Path], model: Path, method: PlainMethod) -> None:
    """ae.onnx in float32, frame files to scores; the source's loop decodes each frame 16 times."""
    against_plain_loop(contest, frames, model / "ae.onnx", method)


@pytest.mark.versus("score_s4_int8", peer="the plain loop")
def test_score_stride_4(contest, frames: list[Path], method: PlainMethod, s4_int8: Path) -> None:
    """ae.s4.int8.onnx, every fourth window; the source's loop takes every window."""
    against_plain_loop(contest, frames, s4_int8, method)


@pytest.mark.versus("score_decode_bound", peer="decoding alone", gated=False, short=False)
def test_half_width_int8_stride_2(contest, frames: list[Path], half_s2_int8: Path) -> None:
    """Width 0.5, int8, every second window: with fast int8 decoding bounds it; 1 is as fast as decoding alone."""
    contest(
        ours=lambda: score(frames, half_s2_int8),
        plain=lambda: _core.decode_frames(frames, 128, 128, "grey", THREADS),
        warmup_rounds=0,
        items=len(frames),
        unit="frames",
    )


@pytest.mark.versus("score_fair_loop", peer="the fair loop", gated=False, repeats=1, short=False)
def test_score_against_fair_loop(contest, frames: list[Path], model: Path, method: PlainMethod) -> None:
    """ae.onnx in float32; the plain loop with each frame decoded once, for comparison."""
    against_loop(
        contest, frames, model, lambda: part_of_fair_loop(method, frames),
        f"each frame decoded once; ran on 1 of {PART} windows, scaled",
    )  # fmt: skip


def against_plain_loop(contest, frames: list[Path], engine: Path, method: PlainMethod) -> None:
    against_loop(
        contest, frames, engine, lambda: part_of_plain_loop(method, frames),
        f"the plain loop ran on 1 of {PART} windows, scaled",
    )  # fmt: skip


def against_loop(contest, frames: list[Path], engine: Path, part: Callable[[], None], note: str) -> None:
    contest(
        ours=lambda: score(frames, engine),
        plain=part,
        plain_share=1 / PART,
        warmup_rounds=0,
        items=len(frames),
        unit="frames",
        note=note,
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
