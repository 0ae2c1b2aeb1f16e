"""Segments of a long folder of frames, put together, are its part of one run, to the bit, or the video stays whole."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import motion_models
import pixelfast
from conftest import MadeOnce
from footage import walking_square
from frame_files import write_video
from pixelfast.jobs.line import Line
from pixelfast.methods.settings import Settings
from pixelfast.model import Flip, Model
from pixelfast.notes import Notes
from pixelfast.pipeline.joining import Cutting, NotAsOneError, join
from pixelfast.pipeline.listing import Listing
from pixelfast.pipeline.parts import Part, PartStore
from pixelfast.pipeline.scoring import score_videos
from pixelfast.pipeline.segments import cut, is_cut, score_segment
from pixelfast.sources import FolderVideo, open_source
from tiny_engines import SIZE, write_model

Frames = NDArray[np.uint8]
MOST = 90


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Model:
    return write_model(tmp_path_factory.mktemp("segments") / "model", (1, 4), Flip(held_out_accuracy=1.0, trusted=True))


@pytest.fixture(scope="session")
def moving(made_once: MadeOnce) -> Path:
    def make(folder: Path) -> None:
        for number, frames in motion_models.TRAINING.items():
            write_video(folder / "normal" / number, frames)
        motion_models.train(folder / "normal", folder / "model", recipe=motion_models.tiny(flip_steps=4))

    return made_once("motion-of-segments", make) / "model"


def make_home(folder: Path) -> Path:
    folder.mkdir()
    return folder


def both(
    source: Path, engine: Path, folder: Path | None = None, most: int = MOST, **settings: Any
) -> tuple[Part, Part]:
    """The part of a video of one run, and that of its segments."""
    chosen = Settings(**settings)
    line = Line(engine, chosen, 2)
    _, stages = line.open(Notes())
    stages = replace(stages, maps=True)
    [whole], [video] = open_source(source, reading=line.reading()), open_source(source, reading=line.reading())
    job = replace(line.job(Notes()), videos=1)
    homes = [None if folder is None else make_home(folder / name) for name in ("whole", "cut")]
    stores = [PartStore(home, job, True, Listing([whole])) for home in homes]
    [expected] = score_videos([whole], stages, stores[0], Notes(), None)
    assert stages.spec.overlap is not None
    overlap = stages.spec.overlap(stages.method)
    assert is_cut(video, most)
    cutting = Cutting(overlap, most, stages.clean.bridge_noisy, stages.flip, chosen.on_error)
    scored = [score_segment(some, stages, digests=folder is not None) for some in cut(video, overlap, most)]
    joined = join(video, scored, cutting, stores[1])
    assert isinstance(whole, FolderVideo)
    assert (video.harmless, video.turned) == (whole.harmless, whole.turned)
    return expected, joined


def assert_same(one: Part, other: Part) -> None:
    assert one.raw.tobytes() == other.raw.tobytes()
    for name, values in vars(one.record).items():
        np.testing.assert_array_equal(values, getattr(other.record, name), name)
    assert one.maps is not None
    assert other.maps is not None
    assert one.maps.tobytes() == other.maps.tobytes()
    for name in ("video", "footage", "notes", "frames", "place", "source", "job"):
        assert getattr(one, name) == getattr(other, name), name


def with_flips(frames: Frames, *which: int) -> Frames:
    frames = frames.copy()
    frames[list(which)] = frames[list(which), ::-1]
    return frames


@pytest.mark.parametrize(
    "settings", [{}, {"stride": 4}, {"stride": 7, "how": "max"}, {"how": "median", "chunk": 17}, {"pool": "worst"}]
)
@pytest.mark.parametrize("frames", [300, 91, 271])
def test_reconstruction(tiny: Model, tmp_path: Path, settings: dict[str, Any], frames: int) -> None:
    drawn = with_flips(walking_square(frames, 3, SIZE), 5, 40, 88, 89, 90)
    whole, joined = both(write_video(tmp_path / "film", drawn), tiny.folder, tmp_path, **settings)
    assert whole.record.flipped.sum() == 5
    assert_same(whole, joined)
    assert len({path.read_bytes() for path in tmp_path.glob("*/*.arrow")}) == 1


def write_numbered(folder: Path, frames: Frames, numbers: list[int]) -> Path:
    written = write_video(folder, frames)
    for path, number in sorted(zip(sorted(written.iterdir()), numbers, strict=True), reverse=True):
        path.rename(folder / f"frame_{number:05d}.png")
    return folder


def test_gaps_in_time(tiny: Model, moving: Path, tmp_path: Path) -> None:
    """Windows and flow begin anew after each, some of them beside the ends of segments."""
    starts = (0, 3, 40, 85, 100, 181, 260)
    numbers = [index + 50 * sum(start <= index for start in starts) for index in range(300)]
    for engine, drawn in ((tiny.folder, walking_square(300, 1, SIZE)), (moving, motion_models.walk(300, 1))):
        film = write_numbered(tmp_path / ("a" if engine == tiny.folder else "b") / "film", drawn, numbers)
        whole, joined = both(film, engine, stride=4 if engine == tiny.folder else None)
        assert "the first of 6 gaps" in whole.notes[0]
        assert_same(whole, joined)


def damaged(frames: Frames, seed: int) -> tuple[Frames, list[int], list[int]]:
    """The same with some of what footage may have: noise, flips, doubles, a stretch that stands still; and the frames
    that shall be empty files, and those that shall be cut off."""
    rng, frames = np.random.default_rng(seed), frames.copy()
    kinds = rng.permutation(["noise", "flips", "doubles", "still", "empty", "short"])[: rng.integers(1, 4)]
    places = {kind: sorted(rng.choice(len(frames), rng.integers(1, 12), replace=False).tolist()) for kind in kinds}
    for at in places.get("doubles", []):
        frames[at] = frames[max(0, at - 1)]
    if "still" in places:
        at = places["still"][0]
        frames[at : at + int(rng.integers(10, 120))] = frames[at]
    noise = rng.normal(0, 40, frames.shape[1:])
    for at in places.get("noise", []):
        frames[at] = (frames[at] + noise).clip(0, 255).astype(np.uint8)
    for at in places.get("flips", []):
        frames[at] = frames[at, ::-1]
    return frames, places.get("empty", []), places.get("short", [])


@pytest.mark.parametrize(
    ("method", "seeds"),
    [
        ("tiny", range(6)),
        ("moving", range(3)),
        *(pytest.param(method, range(6, 60), marks=pytest.mark.long) for method in ("tiny", "moving")),
    ],
)
def test_damaged_footage_is_the_same_or_stays_whole(
    request: pytest.FixtureRequest, tmp_path: Path, method: str, seeds: range
) -> None:
    found = request.getfixturevalue(method)
    engine = found.folder if isinstance(found, Model) else found
    refused = list[str]()
    for seed in seeds:
        drawn = walking_square(280, seed, SIZE) if method == "tiny" else motion_models.walk(280, seed)
        frames, empty, short = damaged(drawn, seed)
        film = write_video(tmp_path / str(seed) / "film", frames)
        paths = sorted(film.iterdir())
        for at in empty:
            paths[at].write_bytes(b"")
        for at in set(short) - set(empty):
            paths[at].write_bytes(paths[at].read_bytes()[:-200])
        try:
            whole, joined = both(film, engine)
        except (NotAsOneError, pixelfast.LostFootageError) as reason:  # the latter of a segment alone
            refused.append(str(reason))
        else:
            assert_same(whole, joined)
    assert len(refused) < len(seeds), refused
