"""The source's scoring: one window at a time, each of which opens, decodes and resizes its own 16 files.

`fair_loop` differs in one thing, that a frame is decoded once; `given_frames` takes decoded frames, so that a
difference from the product cannot come from decoding. All three share the code from the cuboid on.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image

from oracles import global_pass
from oracles.networks import AE_SIZE, FLIP_SIZE, WINDOW, FlipClassifier, TemporalAutoencoder

ReadFrame = Callable[[int], NDArray[np.float32]]  # a frame's index in its video to f32[128,128] in [0, 1]


@dataclass(frozen=True)
class PlainScores:
    """Scores of all frames of all videos, in order.

    Attributes:
        raw: f64[N], mean squared error over the windows that hold the frame.
        score: f64[N], normalised and smoothed.
        rank: f64[N], average ranks / N.
        flipped: bool[N], the frames that were turned.
    """

    raw: NDArray[np.float64]
    score: NDArray[np.float64]
    rank: NDArray[np.float64]
    flipped: NDArray[np.bool_]


@dataclass(frozen=True)
class PlainMethod:
    """The networks and the stride of a run; without a flip classifier no frame is turned."""

    autoencoder: TemporalAutoencoder
    flip: FlipClassifier | None = None
    stride: int = 1


def plain_loop(method: PlainMethod, videos: Sequence[Sequence[Path]]) -> PlainScores:
    """METHOD's plain loop over videos of frame files: every frame is decoded for each of its 16 windows."""
    flipped = [flipped_files(method.flip, paths) for paths in videos]
    readers = [file_reader(paths, turn) for paths, turn in zip(videos, flipped, strict=True)]
    raw = [raw_scores(method, read, len(paths)) for read, paths in zip(readers, videos, strict=True)]
    return finish(raw, flipped)


def fair_loop(method: PlainMethod, videos: Sequence[Sequence[Path]]) -> PlainScores:
    """The plain loop with each frame decoded once."""
    flipped = [flipped_files(method.flip, paths) for paths in videos]
    raw = []
    for paths, turn in zip(videos, flipped, strict=True):
        read = file_reader(paths, turn)
        frames = [read(index) for index in range(len(paths))]
        raw.append(raw_scores(method, frames.__getitem__, len(paths)))
    return finish(raw, flipped)


def given_frames(method: PlainMethod, videos: Sequence[NDArray[np.uint8]]) -> PlainScores:
    """The plain loop on decoded frames, one u8[N,128,128] a video; the classifier gets them averaged 2 x 2."""
    flipped = [flipped_arrays(method.flip, frames) for frames in videos]
    raw = []
    for frames, turn in zip(videos, flipped, strict=True):
        upright = np.where(turn[:, None, None], frames[:, ::-1], frames).astype(np.float32) / np.float32(255)
        raw.append(raw_scores(method, upright.__getitem__, len(upright)))
    return finish(raw, flipped)


def raw_scores(method: PlainMethod, read: ReadFrame, n_frames: int) -> NDArray[np.float64]:
    """A video's raw scores f64[N]: each frame's mean error over the windows that hold it."""
    sums, counts = np.zeros(n_frames), np.zeros(n_frames)
    for start in window_starts(n_frames, method.stride):
        errors = window_errors(method.autoencoder, read, start, n_frames)
        held = slice(start, min(start + WINDOW, n_frames))
        sums[held] += errors[: held.stop - start]
        counts[held] += 1
    return sums / counts


def window_starts(n_frames: int, stride: int) -> list[int]:
    """Starts of a video's windows; where the stride leaves frames over, one more window ends at the last frame."""
    last = max(n_frames - WINDOW, 0)
    starts = list(range(0, last + 1, stride))
    return starts if starts[-1] == last else [*starts, last]


def window_errors(autoencoder: TemporalAutoencoder, read: ReadFrame, start: int, n_frames: int) -> NDArray[np.float64]:
    """One window's mean squared errors f64[16], a value a frame.

    A video shorter than a window is padded by its last frame (the source scores it 0).
    """
    cuboid = torch.from_numpy(np.stack([read(min(start + t, n_frames - 1)) for t in range(WINDOW)]))
    with torch.no_grad():
        reconstruction = autoencoder(cuboid.unsqueeze(0)).squeeze(0)
    return ((reconstruction - cuboid) ** 2).mean(dim=(1, 2)).double().numpy()


def file_reader(paths: Sequence[Path], turn: NDArray[np.bool_]) -> ReadFrame:
    """Reads a frame anew at every call: f32[128,128] in [0, 1], turned upright where `turn` says so."""

    def read(index: int) -> NDArray[np.float32]:
        frame = open_frame(paths[index], AE_SIZE)
        return frame[::-1] if turn[index] else frame

    return read


def open_frame(path: Path, size: int) -> NDArray[np.float32]:
    """Opens, decodes and resizes one file by Pillow: f32[size,size] in [0, 1]."""
    with Image.open(path) as image:
        grey = image.convert("L").resize((size, size), Image.Resampling.BILINEAR)
    return np.asarray(grey, np.float32) / np.float32(255)


def flipped_files(flip: FlipClassifier | None, paths: Sequence[Path]) -> NDArray[np.bool_]:
    """Which files hold a flipped frame, bool[N], one at a time."""
    return np.array([flip is not None and is_flipped(flip, open_frame(path, FLIP_SIZE)) for path in paths])


def flipped_arrays(flip: FlipClassifier | None, frames: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Which of the frames u8[N,128,128] are flipped, bool[N], judged at 64 x 64."""
    quarters = frames.reshape(len(frames), FLIP_SIZE, 2, FLIP_SIZE, 2).mean(axis=(2, 4), dtype=np.float32)
    return np.array([flip is not None and is_flipped(flip, frame / np.float32(255)) for frame in quarters])


def is_flipped(flip: FlipClassifier, frame: NDArray[np.float32]) -> bool:
    """Whether a frame f32[64,64] has a flip probability over 0.5."""
    with torch.no_grad():
        logits = flip(torch.from_numpy(frame)[None, None])
    return bool(logits.softmax(dim=1)[0, 1] > 0.5)


def finish(raw: Sequence[NDArray[np.float64]], flipped: Sequence[NDArray[np.bool_]]) -> PlainScores:
    """The global pass over all videos' raw scores."""
    everything = np.concatenate(raw)
    score = global_pass.smooth(global_pass.normalise(everything), [len(video) for video in raw])
    return PlainScores(everything, score, global_pass.rank(score), np.concatenate(flipped))
