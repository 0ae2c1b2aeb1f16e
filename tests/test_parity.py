"""The product against the source method's plain loop, with the same weights on the same frames.

The weights are random but seeded, reach the product through `convert`, and make every pixel of every frame matter.
Three videos: two of them a few frames over a multiple of the strides, one shorter than a window.
"""

import dataclasses
import functools
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from PIL import Image
from scipy.stats import spearmanr

import pixelfast
from oracles.flip_training import train_flip_classifier
from oracles.networks import FLIP_SIZE, WINDOW, seeded_autoencoder
from oracles.plain_loop import PlainMethod, PlainScores, fair_loop, given_frames, open_frame, plain_loop
from pixelfast.demo.scene import SceneSpec, generate_scene

LENGTHS = (47, 38, 11)
FLIPPED = {0: [3, 20, 21, 22, 46], 1: [0, 17], 2: [5]}  # indices of frames turned upside down, by video
Videos = list[NDArray[np.uint8]]
Oracle = Callable[..., PlainScores]


@pytest.fixture(scope="module", autouse=True)
def one_torch_thread() -> Iterator[None]:
    """One window is too little for two threads: they wait for each other longer than they work on a busy machine."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> list[list[Path]]:
    """JPEG frames 640x360 of a drawn scene, a list a video."""
    spec = SceneSpec(seed=5, train_videos=len(LENGTHS), train_frames=max(LENGTHS), test_videos=0)
    scene = generate_scene(tmp_path_factory.mktemp("parity") / "scene", spec)
    videos = [sorted(folder.glob("*.jpg")) for folder in sorted(scene.train.iterdir())]
    for paths, length in zip(videos, LENGTHS, strict=True):
        for path in paths[length:]:
            path.unlink()
    return [paths[:length] for paths, length in zip(videos, LENGTHS, strict=True)]


@pytest.fixture(scope="module")
def method(files: list[list[Path]]) -> PlainMethod:
    """The source's networks: a random autoencoder, and a flip classifier trained the source's way."""
    small = np.stack([open_frame(path, FLIP_SIZE) for paths in files for path in paths])
    return PlainMethod(seeded_autoencoder(7), train_flip_classifier(small, steps=150, seed=7))


@pytest.fixture(scope="module")
def model(method: PlainMethod, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The networks' state dicts as the source would have saved them, converted."""
    assert method.flip is not None
    folder = tmp_path_factory.mktemp("weights")
    torch.save(method.autoencoder.state_dict(), folder / "autoencoder.pth")
    torch.save(method.flip.state_dict(), folder / "flip_classifier.pth")
    return pixelfast.convert(folder, folder / "model").folder


@dataclass(frozen=True)
class Decoded:
    """Frames that nobody can decode differently: arrays, and the same as 128x128 grey PNG files."""

    videos: Videos
    folder: Path


def write_png(videos: Videos, folder: Path) -> Decoded:
    for number, frames in enumerate(videos, start=1):
        (folder / f"{number:02d}").mkdir()
        for index, frame in enumerate(frames):
            Image.fromarray(frame).save(folder / f"{number:02d}" / f"frame_{index:04d}.png")
    return Decoded(videos, folder)


@pytest.fixture(scope="module")
def decoded(files: list[list[Path]], tmp_path_factory: pytest.TempPathFactory) -> Decoded:
    videos = [np.stack([np.round(open_frame(path, 128) * 255).astype(np.uint8) for path in paths]) for paths in files]
    return write_png(videos, tmp_path_factory.mktemp("decoded"))


@pytest.fixture(scope="module")
def with_flips(decoded: Decoded, tmp_path_factory: pytest.TempPathFactory) -> Decoded:
    videos = [frames.copy() for frames in decoded.videos]
    for number, indices in FLIPPED.items():
        videos[number][indices] = videos[number][indices, ::-1]
    return write_png(videos, tmp_path_factory.mktemp("flipped"))


@pytest.fixture(scope="module")
def cuboid_engine(method: PlainMethod, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The oracle's autoencoder as anybody would export it: cuboids in, their reconstruction out."""
    path = tmp_path_factory.mktemp("foreign") / "autoencoder.onnx"
    example = torch.rand(2, WINDOW, 128, 128)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the exporter's own
        torch.onnx.export(
            method.autoencoder,
            (example,),
            path,
            input_names=["cuboids"],
            output_names=["reconstruction"],
            dynamic_shapes=({0: torch.export.Dim("batch")},),
            dynamo=True,
            verbose=False,
        )
    return path


@pytest.fixture(scope="module")
def oracle(method: PlainMethod, decoded: Decoded, with_flips: Decoded) -> Oracle:
    """The plain loop on given frames, each run once for all tests: `oracle("with flips", stride=4, flip=False)`."""
    footage = {"upright": decoded.videos, "with flips": with_flips.videos}

    @functools.cache
    def run(frames: str, *, stride: int = 1, flip: bool = True) -> PlainScores:
        plain = dataclasses.replace(method, stride=stride, flip=method.flip if flip else None)
        return given_frames(plain, footage[frames])

    return run


def assert_equal_to_oracle(scores: pixelfast.Scores, oracle: PlainScores) -> None:
    np.testing.assert_allclose(scores.raw, oracle.raw, rtol=1e-4, atol=0)
    np.testing.assert_allclose(scores.score, oracle.score, rtol=0, atol=1e-4)
    assert spearmanr(scores.rank, oracle.rank).statistic >= 0.9999
    np.testing.assert_array_equal(scores.flipped, oracle.flipped)


def test_ranks_agree_when_each_decodes_by_itself(files: list[list[Path]], method: PlainMethod, model: Path) -> None:
    oracle = plain_loop(method, files)
    scores = pixelfast.score(files[0][0].parent.parent, engine=model)
    assert spearmanr(scores.rank, oracle.rank).statistic >= 0.999
    np.testing.assert_array_equal(scores.flipped, oracle.flipped)


@pytest.mark.parametrize("stride", [1, 4])
def test_same_numbers_from_the_same_frames(decoded: Decoded, oracle: Oracle, model: Path, stride: int) -> None:
    if stride != 1:
        pixelfast.export(model, "onnx", stride=stride)
    scores = pixelfast.score(decoded.folder, engine=model, stride=stride)
    assert_equal_to_oracle(scores, oracle("upright", stride=stride))
    assert not scores.flipped.any()


@pytest.mark.parametrize("stride", [1, 4])
def test_same_numbers_with_flipped_frames(with_flips: Decoded, oracle: Oracle, model: Path, stride: int) -> None:
    if stride != 1:
        pixelfast.export(model, "onnx", stride=stride)
    scores = pixelfast.score(with_flips.folder, engine=model, stride=stride)
    assert_equal_to_oracle(scores, oracle("with flips", stride=stride))
    assert scores.flipped.sum() == sum(len(indices) for indices in FLIPPED.values())
    # Turning the frames back undid the flips.
    np.testing.assert_allclose(scores.raw, oracle("upright", stride=stride).raw, rtol=1e-4)


def test_flips_left_alone_count(with_flips: Decoded, oracle: Oracle, model: Path) -> None:
    scores = pixelfast.score(with_flips.folder, engine=model, flip="never")
    assert_equal_to_oracle(scores, oracle("with flips", flip=False))


def test_same_numbers_from_an_engine_that_takes_cuboids(
    with_flips: Decoded, oracle: Oracle, cuboid_engine: Path
) -> None:
    scores = pixelfast.score(with_flips.folder, engine=cuboid_engine)
    assert_equal_to_oracle(scores, oracle("with flips", flip=False))


def test_cuboids_at_a_stride(decoded: Decoded, oracle: Oracle, cuboid_engine: Path) -> None:
    scores = pixelfast.score(decoded.folder, engine=cuboid_engine, stride=4)
    assert_equal_to_oracle(scores, oracle("upright", stride=4))


def test_the_plain_and_the_fair_loop_agree(files: list[list[Path]], method: PlainMethod) -> None:
    short = [paths[:18] for paths in files]
    plain, fair = plain_loop(method, short), fair_loop(method, short)
    np.testing.assert_array_equal(plain.raw, fair.raw)
    np.testing.assert_array_equal(plain.rank, fair.rank)


def test_the_random_weights_tell_frames_apart(decoded: Decoded, method: PlainMethod) -> None:
    """Else parity would prove little: frames in another order must give clearly other scores."""
    window = decoded.videos[0][:WINDOW]
    upright = dataclasses.replace(method, flip=None)
    there, back = given_frames(upright, [window]).raw, given_frames(upright, [window[::-1]]).raw[::-1]
    assert np.abs(there / back - 1).max() > 0.01
