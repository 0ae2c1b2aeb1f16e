"""The demo's footage on disk: training and test videos as JPEG frames, their labels, and what was done to them."""

import json
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

from pixelfast.demo.backdrop import Backdrop, build_backdrop
from pixelfast.demo.render import Light, add_heavy_noise, changing_light, render
from pixelfast.demo.shapes import Camera
from pixelfast.demo.story import FRAMES_PER_SECOND, Actor, cast
from pixelfast.errors import OutputError
from pixelfast.machine.threads import usable_cores
from pixelfast.progress import Progress, ProgressCallback

SCENE_VERSION = 1
"""Raised whenever the same seed would give other frames, so that an older scene is not reused."""

_KIND = "pixelfast demo scene"
_JPEG_QUALITY = 90
_FLIPPED_SHARE = 0.10
_NOISY_SHARE = 0.02
_TRUNCATED_VIDEOS = (2, 5)
_LONGEST_RUN = 7


@dataclass(frozen=True)
class SceneSpec:
    """What to generate: the test videos have unusual moments. A spec gives the same bytes for any number of threads."""

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
        splits = ("train", self.train_videos, self.train_frames), ("test", self.test_videos, self.test_frames)
        return [(split, number, frames) for split, videos, frames in splits for number in range(1, videos + 1)]


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
    if truth and (truth["version"], truth["spec"]) == (SCENE_VERSION, asdict(spec)) and _complete(out, spec):
        return Scene(out, truth, reused=True)
    if not truth and out.exists() and (not out.is_dir() or any(out.iterdir())):
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


def _existing_truth(folder: Path) -> dict[str, Any]:
    """Returns what `truth.json` says; nothing where there is no scene."""
    try:
        truth = json.loads((folder / "truth.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return truth if isinstance(truth, dict) and truth.get("kind") == _KIND else {}


def _complete(folder: Path, spec: SceneSpec) -> bool:
    videos = all(
        len(list((folder / split / f"{number:02d}").glob("frame_*.jpg"))) == frames
        for split, number, frames in spec.videos
    )
    return videos and (folder / "labels.csv").is_file()


@dataclass(frozen=True)
class Faults:
    """Frame indices (from 0) of one video that are flipped, noisy or truncated. No frame has two faults."""

    flipped: frozenset[int] = frozenset()
    noisy: frozenset[int] = frozenset()
    truncated: frozenset[int] = frozenset()


def draw_faults(seed: int, video: int, frames: int) -> Faults:
    """Choose what goes wrong in a test video: a tenth of the frames is flipped, half of them in runs, half alone."""
    rng = np.random.default_rng([seed, 4, video])
    wanted = max(round(_FLIPPED_SHARE * frames), 1)
    flipped: set[int] = set()
    while len(flipped) < wanted // 2:
        length = min(int(rng.integers(3, _LONGEST_RUN + 1)), wanted // 2 - len(flipped))
        first = int(rng.integers(0, frames - length + 1))
        flipped |= set(range(first, first + length))
    alone = [i for i in rng.permutation(frames).tolist() if not {i - 1, i, i + 1} & flipped]
    for index in alone:
        if len(flipped) < wanted and not {index - 1, index + 1} & flipped:
            flipped.add(index)
    spared = [i for i in rng.permutation(frames).tolist() if i not in flipped]
    n_noisy = max(round(_NOISY_SHARE * frames), 1)
    truncated = spared[n_noisy : n_noisy + 1] if video in _TRUNCATED_VIDEOS else []
    return Faults(frozenset(flipped), frozenset(spared[:n_noisy]), frozenset(truncated))


@dataclass(frozen=True)
class _Video:
    """Everything that a frame of one video is drawn from, and the frame numbers at which each actor is odd."""

    folder: Path
    number: int
    frames: int
    seeds: tuple[int, ...]
    actors: list[Actor]
    light: Light
    faults: Faults
    odd: list[list[int]]


def _write_scene(
    folder: Path, spec: SceneSpec, threads: int | None, progress: ProgressCallback | None
) -> dict[str, Any]:
    backdrop = build_backdrop(spec.height, spec.width, spec.seed)
    videos = [_begin(folder, spec, backdrop.camera, video) for video in spec.videos]
    jobs = [(video, index) for video in videos for index in range(video.frames)]
    with _opencv_on_one_thread(), ThreadPoolExecutor(threads or usable_cores()) as pool:
        try:
            written = pool.map(lambda job: _write_frame(backdrop, *job), jobs)
            for done, _ in enumerate(written, start=1):
                if progress is not None:
                    progress(Progress("scene", done, len(jobs)))
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise
    return _write_truth(folder, spec, videos[spec.train_videos :])


def _begin(folder: Path, spec: SceneSpec, camera: Camera, video: tuple[str, int, int]) -> _Video:
    """Makes a video's folder, and draws lots for everything in it."""
    split, number, frames = video
    key = (("train", "test").index(split), number)
    path = folder / split / f"{number:02d}"
    path.mkdir(parents=True)
    seconds = [index / FRAMES_PER_SECOND for index in range(frames)]
    actors = cast(spec.seed, split, number, frames / FRAMES_PER_SECOND)
    return _Video(
        folder=path,
        number=number,
        frames=frames,
        seeds=(spec.seed, 6, *key),
        actors=actors,
        light=changing_light(np.random.default_rng([spec.seed, 5, *key]), spec.height, spec.width),
        faults=draw_faults(spec.seed, number, frames) if split == "test" else Faults(),
        odd=[[at for at, second in enumerate(seconds, 1) if actor.is_odd(second, camera)] for actor in actors],
    )


@contextmanager
def _opencv_on_one_thread() -> Iterator[None]:
    """Frames are drawn side by side: OpenCV's own threads would only get in the way."""
    before = cv2.getNumThreads()
    cv2.setNumThreads(1)
    try:
        yield
    finally:
        cv2.setNumThreads(before)


def _write_frame(backdrop: Backdrop, video: _Video, index: int) -> None:
    rng = np.random.default_rng([*video.seeds, index])
    picture = render(backdrop, video.actors, video.light, index / FRAMES_PER_SECOND, rng)
    if index in video.faults.flipped:
        picture = np.ascontiguousarray(picture[::-1])
    if index in video.faults.noisy:
        picture = add_heavy_noise(picture, rng)
    _, encoded = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, _JPEG_QUALITY])
    data = encoded.tobytes()
    if index in video.faults.truncated:
        data = data[: int(len(data) * rng.uniform(0.5, 0.8))]
    (video.folder / f"frame_{index + 1:04d}.jpg").write_bytes(data)


def _write_truth(folder: Path, spec: SceneSpec, videos: list[_Video]) -> dict[str, Any]:
    """Writes `truth.json` and `labels.csv` of the test videos."""
    labels = {
        f"{video.number}_{frame}": int(any(frame in odd for odd in video.odd))
        for video in videos
        for frame in range(1, video.frames + 1)
    }
    truth = {
        "kind": _KIND,
        "version": SCENE_VERSION,
        "spec": asdict(spec),
        "abnormal_share": round(sum(labels.values()) / max(len(labels), 1), 4),
        "flipped": {video.folder.name: sorted(i + 1 for i in video.faults.flipped) for video in videos},
        "heavy_noise": {video.folder.name: sorted(i + 1 for i in video.faults.noisy) for video in videos},
        "truncated": {video.folder.name: sorted(i + 1 for i in video.faults.truncated) for video in videos},
        "events": [
            {"video": video.folder.name, "kind": actor.kind, "first": odd[0], "last": odd[-1]}
            for video in videos
            for actor, odd in zip(video.actors, video.odd, strict=True)
            if odd
        ],
    }
    (folder / "truth.json").write_text(json.dumps(truth, indent=1) + "\n", encoding="utf-8", newline="\n")
    rows = "".join(f"{frame},{label}\n" for frame, label in labels.items())
    (folder / "labels.csv").write_text(f"Id,Label\n{rows}", encoding="utf-8", newline="\n")
    return truth
