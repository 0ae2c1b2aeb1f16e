"""How well a run uses the cores: its stages alone, one after another, each on all cores, against all of them at once.

1 is a run as long as its stages' own seconds added up: no core waits for anything. Loading counts for neither side.
"""

from dataclasses import dataclass
from pathlib import Path

import pytest
import torch

from made_engines import THREADS, int8_engine, model_folder
from oracles.plain_loop import PlainMethod
from pixelfast.cleaning.stage import clean_video
from pixelfast.flip.opening import choose_flip_correction
from pixelfast.geometry import SOURCE_CHANNELS
from pixelfast.jobs.line import open_stages
from pixelfast.machine.stopwatch import Stopwatch
from pixelfast.methods.base import Opening
from pixelfast.methods.choose import choose_engine
from pixelfast.methods.reconstruction.network import TemporalAutoencoder
from pixelfast.methods.settings import Settings
from pixelfast.notes import Notes
from pixelfast.pipeline.parts import Job, PartStore
from pixelfast.pipeline.scoring import Stages, score_videos
from pixelfast.sources import Video, open_source

VIDEOS = 10


@dataclass(frozen=True)
class Line:
    """A run that is ready to begin."""

    videos: list[Video]
    stages: Stages

    def at_once(self) -> None:
        """All stages, each on a thread of its own, as `score` runs them."""
        score_videos(self.videos, self.stages, PartStore(None, Job("", {}, 3), False), Notes(), None)

    def one_by_one(self) -> None:
        """Decodes everything, then cleans everything, then the engine."""
        stages = self.stages
        decoded = [list(stages.decode.chunks(video)) for video in self.videos]
        cleaned = [
            [some for _, some in clean_video(video, stages.clean, stages.flip, chunks, list)]
            for video, chunks in zip(self.videos, decoded, strict=True)
        ]
        for video, some in zip(self.videos, cleaned, strict=True):
            for maps in stages.method.maps(video).run(some):
                stages.spec.raw(maps, "mean")


@pytest.fixture(scope="module")
def footage(frames: list[Path], size, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Ten videos of 8,000 frames in all (in the short form 1,200), over and over the same files."""
    folder, count = tmp_path_factory.mktemp("videos"), size(8000, 1200) // VIDEOS
    for number in range(VIDEOS):
        video = folder / f"{number:02d}"
        video.mkdir()
        for index in range(count):
            (video / f"{index:05d}.jpg").hardlink_to(frames[(number * count + index) % len(frames)])
    return folder


@pytest.fixture(scope="module")
def half(method: PlainMethod, tmp_path_factory: pytest.TempPathFactory) -> Path:
    torch.manual_seed(0)
    return model_folder(method, TemporalAutoencoder(SOURCE_CHANNELS // 2), tmp_path_factory.mktemp("half"))


@pytest.fixture(scope="module")
def every_window(footage: Path, half: Path, frames: list[Path], tmp_path_factory: pytest.TempPathFactory) -> Line:
    return line(footage, int8_engine(half, 1, frames, tmp_path_factory.mktemp("int8")), 1)


@pytest.fixture(scope="module")
def every_fourth(footage: Path, half: Path, frames: list[Path], tmp_path_factory: pytest.TempPathFactory) -> Line:
    return line(footage, int8_engine(half, 4, frames, tmp_path_factory.mktemp("int8")), 4)


def line(footage: Path, engine: Path, stride: int) -> Line:
    choice, notes = choose_engine(engine, stride), Notes()
    flip = choose_flip_correction(choice.model, choice.path, "always", notes)
    opening = Opening(choice, Settings(stride=stride, flip="always"), THREADS, Stopwatch(), notes)
    return Line(open_source(footage), open_stages(opening, flip))


@pytest.mark.versus("efficiency_int8", peer="its stages one by one")
def test_efficiency(contest, every_window: Line) -> None:
    """Width 0.5, int8, every window, ten videos: the share of the time in which the cores do something."""
    compare(contest, every_window)


@pytest.mark.versus("efficiency_s4_int8", peer="its stages one by one")
def test_efficiency_stride_4(contest, every_fourth: Line) -> None:
    """Width 0.5, int8, every fourth window, ten videos."""
    compare(contest, every_fourth)


def compare(contest, run: Line) -> None:
    frames = sum(video.length or 0 for video in run.videos)
    contest(ours=run.at_once, plain=run.one_by_one, warmup_rounds=1, items=frames, unit="frames")
