"""The whole job of all methods on the drawn scene: draw, learn, score, compare with what really happens, show it."""

import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from pixelfast import api
from pixelfast.arguments import checked
from pixelfast.demo.scene import Scene, SceneSpec, generate_scene
from pixelfast.errors import OutputError
from pixelfast.evaluation import Evaluation
from pixelfast.files.places import AnyPath
from pixelfast.machine.threads import usable_threads
from pixelfast.methods.registry import USUAL, all_methods
from pixelfast.methods.trained import TrainingRequest
from pixelfast.model import Model
from pixelfast.progress import ProgressCallback
from pixelfast.reporting.page import require_report
from pixelfast.scores import RankedFrame, Scores
from pixelfast.scores.files import make_folder
from pixelfast.scores.moments import top_moments

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
    """A frame that stands out, its rank by each method that was asked, what really happens there, and the reason.

    The reason is that of the method, where it says one.
    """

    video: str
    frame: int
    ranks: tuple[float, ...]
    truth: str
    reason: str | None = None


@dataclass(frozen=True)
class MethodReport:
    """What one method did: its top moments, the most unusual first, and the seconds that each step took.

    The model is learnt from the scene's normal videos; the scores, evaluation and flips are of its test videos; so is
    the page, which is None where what it needs is not installed.
    """

    scene: Scene
    model: Model
    scores: Scores
    evaluation: Evaluation
    flips: Flips
    moments: tuple[Moment, ...]
    written: tuple[AnyPath, ...]
    seconds: dict[str, float]
    page: AnyPath | None = None


@dataclass(frozen=True)
class DemoReport:
    """What each method did, the usual one first, and where the ranks of the first two are furthest apart."""

    scene: Scene
    methods: tuple[MethodReport, ...]
    disagreements: tuple[Moment, ...]
    seconds: dict[str, float]


@checked()
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
        out: Folder for `scene/`, `model/`, `scores.csv`, `scores.parquet` and the page `report.html`, and the same of
            the other methods as `motion-model/`, …; made where it is missing.
        seed: Seed of the scene and of the training.
        epochs: Epochs of each training; None for the recipe's own.
        threads: Threads to use; None for every core this process may use.
        spec: Another scene than the usual one.
        progress: Told how far each step is.

    Raises:
        PixelfastError: as `generate_scene`, `api.train`, `api.score` and `api.evaluate`.
    """
    TrainingRequest(epochs=epochs, seed=seed).check()
    out, drawing, threads = Path(out), dict[str, float](), usable_threads(threads)
    make_folder(out)
    with _timed(drawing, "scene"):
        scene = generate_scene(out / "scene", spec or SceneSpec(seed=seed), threads=threads, progress=progress)
    reports = []
    for method, known in all_methods().items():
        training = dict[str, float]()
        with _timed(training, "train"):
            model = api.train(
                scene.train, out / f"{_prefix(method)}model", method=method, epochs=epochs if known.steps else None,
                seed=seed, threads=threads, progress=progress,
            )  # fmt: skip
        report = judge(scene, model, out, threads=threads, progress=progress)
        reports.append(replace(report, seconds=training | report.seconds))
    return DemoReport(scene, tuple(reports), disagreements(scene.truth, *reports[:2]), drawing)


def judge(
    scene: Scene, model: Model, out: Path, *, threads: int | None = None, progress: ProgressCallback | None = None
) -> MethodReport:
    """Score a scene's test videos, write the scores into the folder `out`, and compare them with the truth.

    Raises:
        PixelfastError: as `api.score` and `api.evaluate`.
    """
    seconds = dict[str, float]()
    # Parts are kept for the page alone: a second run measures its scoring again instead of finding it done.
    with tempfile.TemporaryDirectory(prefix=".parts.", dir=out) as parts:
        with _timed(seconds, "score"):
            scores = api.score(scene.test, model.folder, maps=True, parts=parts, threads=threads, progress=progress)
            written = tuple(
                scores.write(out / f"{_prefix(scores.method)}scores{suffix}") for suffix in (".csv", ".parquet")
            )
        with _timed(seconds, "evaluate"):
            evaluation = api.evaluate(scores, scene.labels)
        page = _page(scene, scores, out / f"{_prefix(scores.method)}report.html", parts)
    moments = tuple(_moment(scene.truth, frame, (frame.rank,)) for frame in top_moments(scores))
    flips = compare_flips(scene.truth, scores)
    return MethodReport(scene, model, scores, evaluation, flips, moments, written, seconds, page)


def _page(scene: Scene, scores: Scores, out: Path, parts: str) -> AnyPath | None:
    try:
        require_report()
    except OutputError:
        return None
    return api.report(scores, scene.test, out, labels=scene.labels, parts=parts, title="A drawn scene")


def disagreements(truth: dict[str, Any], first: MethodReport, second: MethodReport) -> tuple[Moment, ...]:
    """Returns the moments at which one method's rank is furthest above the other's, `MOST_APART` in each direction."""
    found: list[Moment] = []
    scores, others = first.scores, second.scores
    for apart in (scores.rank - others.rank, others.rank - scores.rank):
        for frame in top_moments(replace(scores, rank=(1 + apart) / 2), MOST_APART):
            row = scores.videos.index(frame.video)
            index = int(np.flatnonzero((scores.video_index == row) & (scores.frame == frame.frame))[0])
            found.append(_moment(truth, frame, (float(scores.rank[index]), float(others.rank[index]))))
    return tuple(found)


def _moment(truth: dict[str, Any], frame: RankedFrame, ranks: tuple[float, ...]) -> Moment:
    return Moment(frame.video, frame.frame, ranks, what_happens(truth, frame.video, frame.frame), frame.reason)


def compare_flips(truth: dict[str, Any], scores: Scores) -> Flips:
    """Compares the frames that were turned with the frames that stand upside down."""
    rows = np.flatnonzero(scores.flipped)
    turned = {(scores.videos[scores.video_index[row]], int(scores.frame[row])) for row in rows}
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
    """Returns what the names of a method's model and scores begin with."""
    return "" if method == USUAL else f"{method}-"


@contextmanager
def _timed(seconds: dict[str, float], step: str) -> Iterator[None]:
    begun = time.monotonic()
    yield
    seconds[step] = time.monotonic() - begun
