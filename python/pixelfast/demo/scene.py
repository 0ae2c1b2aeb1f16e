"""The demo's footage on disk: training and test videos as JPEG frames, their labels, and what was done to them."""

import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from pixelfast.demo.backdrop import Backdrop, build_backdrop
from pixelfast.demo.faults import Faults, draw_faults
from pixelfast.demo.render import Weather, add_heavy_noise, noise_field, render
from pixelfast.demo.story import FRAMES_PER_SECOND, Actor, cast
from pixelfast.errors import OutputError
from pixelfast.progress import Progress, ProgressCallback

SCENE_VERSION = 1
"""Raised whenever the same seed would give other frames, so that an older scene is not reused."""

_KIND = "pixelfast demo scene"
_JPEG_QUALITY = 90


@dataclass(frozen=True)
class SceneSpec:
    """What to generate. The same spec gives the same bytes, whatever the number of threads.

    Attributes:
        seed: Seed of everything that is drawn at random.
        height: Rows of a frame.
        width: Columns of a frame.
        train_videos: Videos of normal footage.
        train_frames: Frames of each.
        test_videos: Videos with unusual moments.
        test_frames: Frames of each.
    """

    seed: int = 0
    height: int = 360
    width: int = 640
    train_videos: int = 6
    train_frames: int = 175
    test_videos: int = 6
    test_frames: int = 150

    @property
    def videos(self) -> list[tuple[str, int, int]]:
        """Returns every video as (split, number, frames)."""
        train = [("train", number, self.train_frames) for number in range(1, self.train_videos + 1)]
        return train + [("test", number, self.test_frames) for number in range(1, self.test_videos + 1)]


@dataclass(frozen=True)
class Scene:
    """A generated scene on disk.

    Attributes:
        folder: Holds `train/`, `test/`, `labels.csv` and `truth.json`.
        truth: What `truth.json` says: `flipped`, `heavy_noise` and `truncated` frame numbers of each test video,
            `events`, `abnormal_share`.
        reused: Whether the scene was there already.
    """

    folder: Path
    truth: dict[str, Any]
    reused: bool

    @property
    def train(self) -> Path:
        """Returns the folder of the training videos."""
        return self.folder / "train"

    @property
    def test(self) -> Path:
        """Returns the folder of the test videos."""
        return self.folder / "test"

    @property
    def labels(self) -> Path:
        """Returns the file of `Id,Label` of every test frame, 1 for abnormal."""
        return self.folder / "labels.csv"


def generate_scene(
    out: str | Path,
    spec: SceneSpec | None = None,
    *,
    threads: int | None = None,
    progress: ProgressCallback | None = None,
) -> Scene:
    """Generate the demo's footage, or reuse it where the same spec has been generated before.

    Args:
        out: Folder to write; it appears only when everything is written.
        spec: What to generate.
        threads: Threads that draw frames; None for every core this process may use.
        progress: Called with the phase "scene" and the frames written.

    Raises:
        OutputError: `out` holds something else, or cannot be written.
    """
    out, spec = Path(out), spec or SceneSpec()
    truth = _existing_truth(out)
    if (
        truth is not None
        and truth["version"] == SCENE_VERSION
        and truth["spec"] == asdict(spec)
        and _complete(out, spec)
    ):
        return Scene(out, truth, reused=True)
    if truth is None and out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise OutputError(f"{out} is there and is no demo scene: give another folder, or remove it")
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=f".{out.name}.", dir=out.parent) as temporary:
            made = Path(temporary) / "scene"
            truth = _write_scene(made, spec, threads, progress)
            if out.exists():
                shutil.rmtree(out)
            made.rename(out)
    except OSError as error:
        raise OutputError(f"cannot write the demo scene to {out}: {error.strerror or error}") from error
    return Scene(out, truth, reused=False)


def _existing_truth(folder: Path) -> dict[str, Any] | None:
    try:
        truth = json.loads((folder / "truth.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return truth if isinstance(truth, dict) and truth.get("kind") == _KIND else None


def _complete(folder: Path, spec: SceneSpec) -> bool:
    videos = all(
        len(list((folder / split / f"{number:02d}").glob("frame_*.jpg"))) == frames
        for split, number, frames in spec.videos
    )
    return videos and (folder / "labels.csv").is_file()


@dataclass(frozen=True)
class _Video:
    """Everything that a frame of one video is drawn from."""

    folder: Path
    key: tuple[int, int]
    actors: list[Actor]
    weather: Weather
    faults: Faults


def _write_scene(
    folder: Path, spec: SceneSpec, threads: int | None, progress: ProgressCallback | None
) -> dict[str, Any]:
    backdrop = build_backdrop(spec.height, spec.width, spec.seed)
    noise = noise_field(spec.height, spec.width, spec.seed)
    videos = {(split, number): _plan(folder, spec, split, number, frames) for split, number, frames in spec.videos}
    jobs = [(videos[split, number], index) for split, number, frames in spec.videos for index in range(frames)]
    with _opencv_on_one_thread(), ThreadPoolExecutor(threads or len(os.sched_getaffinity(0))) as pool:
        try:
            written = pool.map(lambda job: _write_frame(spec, backdrop, noise, *job), jobs)
            for done, _ in enumerate(written, start=1):
                if progress is not None:
                    progress(Progress("scene", done, len(jobs)))
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise
    truth = _truth(spec, videos, backdrop)
    (folder / "truth.json").write_text(json.dumps(truth, indent=1) + "\n", encoding="utf-8")
    rows = [f"{number}_{index + 1},{label}" for number, labels in _labels(spec, videos, backdrop).items()
            for index, label in enumerate(labels)]  # fmt: skip
    (folder / "labels.csv").write_text("\n".join(["Id,Label", *rows]) + "\n", encoding="utf-8")
    return truth


def _plan(folder: Path, spec: SceneSpec, split: str, number: int, frames: int) -> _Video:
    key = (("train", "test").index(split), number)
    weather = Weather.random(np.random.default_rng([spec.seed, 5, *key]))
    faults = draw_faults(spec.seed, number, frames) if split == "test" else Faults()
    path = folder / split / f"{number:02d}"
    path.mkdir(parents=True)
    return _Video(path, key, cast(spec.seed, split, number, frames / FRAMES_PER_SECOND), weather, faults)


@contextmanager
def _opencv_on_one_thread() -> Iterator[None]:
    """Frames are drawn side by side: OpenCV's own threads would only get in the way."""
    before = cv2.getNumThreads()
    cv2.setNumThreads(1)
    try:
        yield
    finally:
        cv2.setNumThreads(before)


def _write_frame(spec: SceneSpec, backdrop: Backdrop, noise: NDArray[np.float32], video: _Video, index: int) -> None:
    rng = np.random.default_rng([spec.seed, 6, *video.key, index])
    picture = render(backdrop, video.actors, video.weather, index, noise=noise, rng=rng)
    if index in video.faults.flipped:
        picture = np.ascontiguousarray(picture[::-1])
    if index in video.faults.noisy:
        picture = add_heavy_noise(picture, rng)
    _, encoded = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, _JPEG_QUALITY])
    data = encoded.tobytes()
    if index in video.faults.truncated:
        data = data[: int(len(data) * rng.uniform(0.5, 0.8))]
    (video.folder / f"frame_{index + 1:04d}.jpg").write_bytes(data)


def _labels(spec: SceneSpec, videos: dict[tuple[str, int], _Video], backdrop: Backdrop) -> dict[int, list[int]]:
    return {
        number: [
            int(any(actor.is_odd(index / FRAMES_PER_SECOND, backdrop.camera) for actor in videos[split, number].actors))
            for index in range(frames)
        ]
        for split, number, frames in spec.videos
        if split == "test"
    }


def _truth(spec: SceneSpec, videos: dict[tuple[str, int], _Video], backdrop: Backdrop) -> dict[str, Any]:
    labels = _labels(spec, videos, backdrop)
    everything = [label for one in labels.values() for label in one]
    test = {f"{number:02d}": video for (split, number), video in videos.items() if split == "test"}
    return {
        "kind": _KIND,
        "version": SCENE_VERSION,
        "spec": asdict(spec),
        "abnormal_share": round(sum(everything) / max(len(everything), 1), 4),
        "flipped": {name: sorted(i + 1 for i in video.faults.flipped) for name, video in test.items()},
        "heavy_noise": {name: sorted(i + 1 for i in video.faults.noisy) for name, video in test.items()},
        "truncated": {name: sorted(i + 1 for i in video.faults.truncated) for name, video in test.items()},
        "events": [event for name, video in test.items() for event in _events(spec, name, video, backdrop)],
    }


def _events(spec: SceneSpec, name: str, video: _Video, backdrop: Backdrop) -> list[dict[str, Any]]:
    """Returns the first and last frame number of everything unusual in a video."""
    events = []
    for actor in video.actors:
        odd = [i + 1 for i in range(spec.test_frames) if actor.is_odd(i / FRAMES_PER_SECOND, backdrop.camera)]
        if odd:
            events.append({"video": name, "kind": actor.kind, "first": odd[0], "last": odd[-1]})
    return events
