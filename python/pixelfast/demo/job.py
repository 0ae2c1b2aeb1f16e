"""The whole job of both methods on the drawn scene: draw, learn, score, compare with what really happens."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from pixelfast import api
from pixelfast.demo.scene import Scene, SceneSpec, generate_scene
from pixelfast.errors import OutputError
from pixelfast.evaluation import Evaluation
from pixelfast.methods.registry import USUAL, all_methods
from pixelfast.model import Model
from pixelfast.progress import ProgressCallback
from pixelfast.scores import RankedFrame, Scores
from pixelfast.scores.table import top_moments

MOST_APART = 3
"""Moments that one method ranks far above the other that are shown, for each."""


@dataclass(frozen=True)
class Flips:
    """Upside-down frames: found, missed, and frames that were turned although they stood upright."""

    found: int
    missed: int
    false: int


@dataclass(frozen=True)
class Moment:
    """One of the most unusual moments and what really happens there."""

    frame: RankedFrame
    truth: str


@dataclass(frozen=True)
class Disagreement:
    """A moment that one of the first two methods ranks high and the other low, and what really happens there."""

    video: str
    frame: int
    ranks: tuple[float, float]
    truth: str


@dataclass(frozen=True)
class MethodReport:
    """What one method did.

    Attributes:
        scene: The footage.
        model: The model learnt from its normal videos.
        scores: The scores of its test videos.
        evaluation: The scores against the labels.
        flips: How the upside-down frames were found.
        moments: The top moments, the most unusual first.
        written: Files of scores.
        seconds: How long each step took.
    """

    scene: Scene
    model: Model
    scores: Scores
    evaluation: Evaluation
    flips: Flips
    moments: tuple[Moment, ...]
    written: tuple[Path, ...]
    seconds: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class DemoReport:
    """What the demo did.

    Attributes:
        scene: The footage.
        methods: What each method did, the usual one first.
        disagreements: Where the ranks of the first two are furthest apart.
        seconds: How long drawing took.
    """

    scene: Scene
    methods: tuple[MethodReport, ...]
    disagreements: tuple[Disagreement, ...]
    seconds: dict[str, float] = field(default_factory=dict)


def run_demo(
    out: str | Path,
    *,
    seed: int = 0,
    epochs: int | None = None,
    threads: int | None = None,
    spec: SceneSpec | None = None,
    progress: ProgressCallback | None = None,
) -> DemoReport:
    """Draw the scene (once), then for each method train on its normal videos, score its test videos, evaluate.

    Args:
        out: Folder for `scene/`, `model/`, `scores.csv` and `scores.parquet`, and the same of the motion method as
            `motion-model/`, …; made where it is missing.
        seed: Seed of the scene and of the training.
        epochs: Epochs of each training; None for the recipe's own.
        threads: Threads to use; None for every core this process may use.
        spec: Another scene than the usual one.
        progress: Told how far each step is.

    Raises:
        PixelfastError: as `generate_scene`, `api.train`, `api.score` and `api.evaluate`.
    """
    out, clock = _made(Path(out)), _Clock()
    with clock.step("scene"):
        scene = generate_scene(out / "scene", spec or SceneSpec(seed=seed), threads=threads, progress=progress)
    reports = []
    for method in all_methods():
        training = _Clock()
        with training.step("train"):
            model = api.train(
                scene.train, out / f"{_prefix(method)}model", method=method, epochs=epochs, seed=seed, threads=threads,
                progress=progress,
            )  # fmt: skip
        report = judge(scene, model, out, threads=threads, progress=progress)
        reports.append(replace(report, seconds={**training.seconds, **report.seconds}))
    return DemoReport(scene, tuple(reports), disagreements(scene.truth, *reports[:2]), clock.seconds)


def judge(
    scene: Scene, model: Model, out: Path, *, threads: int | None = None, progress: ProgressCallback | None = None
) -> MethodReport:
    """Score a scene's test videos, write the scores into the folder `out`, and compare them with the truth.

    Raises:
        PixelfastError: as `api.score` and `api.evaluate`.
    """
    clock = _Clock()
    with clock.step("score"):
        # Without `out` no parts are kept: a second run measures its scoring again instead of finding it done.
        scores = api.score(scene.test, model.folder, threads=threads, progress=progress)
        written = tuple(
            scores.write(out / f"{_prefix(scores.method)}{name}") for name in ("scores.csv", "scores.parquet")
        )
    with clock.step("evaluate"):
        evaluation = api.evaluate(scores, scene.labels)
    moments = tuple(Moment(frame, what_happens(scene.truth, frame.video, frame.frame)) for frame in top_moments(scores))
    flips = compare_flips(scene.truth, scores)
    return MethodReport(scene, model, scores, evaluation, flips, moments, written, clock.seconds)


def disagreements(truth: dict[str, Any], first: MethodReport, second: MethodReport) -> tuple[Disagreement, ...]:
    """Returns the moments at which one method's rank is furthest above the other's, `MOST_APART` in each direction."""
    found: list[Disagreement] = []
    scores, others = first.scores, second.scores
    for apart in (scores.rank - others.rank, others.rank - scores.rank):
        for frame in top_moments(replace(scores, rank=(1 + apart) / 2), MOST_APART):
            row = scores.videos.index(frame.video)
            index = int(np.flatnonzero((scores.video_index == row) & (scores.frame == frame.frame))[0])
            ranks = float(scores.rank[index]), float(others.rank[index])
            happens = what_happens(truth, frame.video, frame.frame)
            found.append(Disagreement(frame.video, frame.frame, ranks, happens))
    return tuple(found)


def compare_flips(truth: dict[str, Any], scores: Scores) -> Flips:
    """Compares the frames that were turned with the frames that stand upside down."""
    turned = {
        (scores.videos[video], frame)
        for video, frame in zip(
            scores.video_index[scores.flipped].tolist(), scores.frame[scores.flipped].tolist(), strict=True
        )
    }
    really = {(video, frame) for video, frames in truth["flipped"].items() for frame in frames}
    return Flips(found=len(turned & really), missed=len(really - turned), false=len(turned - really))


def what_happens(truth: dict[str, Any], video: str, frame: int) -> str:
    """Returns what the scene's truth says about a frame, in words.

    A fault counts for its neighbours, too: a score is the mean over three frames.
    """
    happens = [
        event["kind"]
        for event in truth["events"]
        if event["video"] == video and event["first"] <= frame <= event["last"]
    ]
    faults = {"heavy_noise": "heavy noise", "truncated": "truncated file"}
    happens += [name for key, name in faults.items() if {frame - 1, frame, frame + 1} & set(truth[key].get(video, []))]
    happens += ["upside down"] if frame in truth["flipped"].get(video, []) else []
    return ", ".join(happens) or "nothing unusual"


def _prefix(method: str) -> str:
    """What the names of a method's model and scores begin with."""
    return "" if method == USUAL else f"{method}-"


class _Clock:
    """Seconds of each step."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        begun = time.monotonic()
        yield
        self.seconds[name] = time.monotonic() - begun


def _made(folder: Path) -> Path:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"the folder {folder} cannot be made: {error.strerror or error}") from error
    return folder
