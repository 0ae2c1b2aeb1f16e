"""Frames a second: kept in the model, taken of faster footage, told of slower; every frame gets a score."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import pixelfast
from films import walk, write_film
from pixelfast.errors import SourceError
from pixelfast.notes import Notes
from pixelfast.options import Reading
from pixelfast.pipeline.parts import SUFFIX, read_part
from pixelfast.sources import open_source
from pixelfast.sources.clock import beats
from pixelfast.sources.pace import rate_of, scoring_pace, training_pace
from street import QUICK

FRAMES = walk(120)


@pytest.fixture(scope="module")
def films(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same walk at 20, 40 and 8 frames a second, and as a folder of frames."""
    folder = tmp_path_factory.mktemp("films")
    write_film(folder / "usual.mkv", FRAMES, codec="ffv1", rate=20)
    write_film(folder / "fast.mkv", np.repeat(FRAMES, 2, axis=0), codec="ffv1", rate=40)
    write_film(folder / "slow.mkv", FRAMES[:40], codec="ffv1", rate=8)
    (folder / "frames").mkdir()
    for index, frame in enumerate(FRAMES):
        Image.fromarray(frame).save(folder / "frames" / f"{index:03}.png")
    return folder


@pytest.fixture(scope="module")
def model(films: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("model") / "model"
    pixelfast.train(films / "usual.mkv", out, method="density", recipe=QUICK)
    return out


@pytest.mark.parametrize(("rate", "wanted"), [(25, 10), (30, 25), (50, 25), (29.97, 7.5), (10, 1)])
def test_so_many_frames_a_second_are_taken_evenly(rate: float, wanted: float) -> None:
    seconds = np.arange(3000) / rate
    taken = seconds[beats(seconds, wanted)]
    assert abs(len(taken) - (seconds[-1] * wanted + 1)) <= 1
    assert (np.abs(np.diff(taken) - 1 / wanted) <= 1 / rate + 1e-9).all()


def test_the_model_keeps_the_rate_of_its_footage(model: Path) -> None:
    assert pixelfast.Model.load(model).manifest.rate == 20.0


def test_faster_footage_scores_as_the_model_learnt_and_every_frame_has_a_score(films: Path, model: Path) -> None:
    usual = pixelfast.score(films / "usual.mkv", model)
    fast = pixelfast.score(films / "fast.mkv", model)
    assert len(usual) == 120 and len(fast) == 240
    assert fast.frame.tolist() == list(range(240))
    assert fast.seconds is not None and np.allclose(np.diff(fast.seconds), 1 / 40)
    assert np.allclose(fast.raw[::2], usual.raw, rtol=1e-3)  # every second frame is the usual one
    assert np.allclose(fast.raw[1:-1:2], (fast.raw[:-2:2] + fast.raw[2::2]) / 2, rtol=1e-3)
    assert any("20 of the 40 frames a second" in note for note in fast.notes)
    assert fast.why is not None and len(fast.why.cell) == 240
    assert not any("frames a second" in note for note in usual.notes)


def test_slower_footage_is_told(films: Path, model: Path) -> None:
    slow = pixelfast.score(films / "slow.mkv", model)
    assert any("slow has 8 frames a second, and the model learnt 20" in note for note in slow.notes)


def test_a_folder_gets_its_rate_by_fps(films: Path, model: Path) -> None:
    unknown = pixelfast.score(films / "frames", model)
    known = pixelfast.score(films / "frames", model, fps=20)
    assert unknown.seconds is None or np.isnan(unknown.seconds).all()
    assert known.seconds is not None and np.allclose(known.seconds, np.arange(120) / 20)
    assert (known.raw == unknown.raw).all()
    half = pixelfast.score(films / "frames", model, fps=40)
    assert len(half) == 120 and any("20 of the 40" in note for note in half.notes)


def test_a_lower_rate_is_learnt_and_kept(films: Path, tmp_path: Path) -> None:
    learnt = pixelfast.train(films / "fast.mkv", tmp_path / "model", method="density", recipe=QUICK, sample_fps=20)
    assert learnt.manifest.rate == 20.0 and learnt.manifest.training is not None
    assert learnt.manifest.training.frames == 120
    scores = pixelfast.score(films / "fast.mkv", tmp_path / "model")
    assert len(scores) == 240


def test_parts_of_sampled_footage_are_taken_again(films: Path, model: Path, tmp_path: Path) -> None:
    first = pixelfast.score([films / "fast.mkv", films / "frames"], model, fps=40, out=tmp_path / "a.parquet")
    again = pixelfast.score([films / "fast.mkv", films / "frames"], model, fps=40, out=tmp_path / "a.parquet")
    assert again.reused == 2 and (first.raw == again.raw).all() and len(again) == 360
    merged = pixelfast.merge(tmp_path / "a.parquet.parts", tmp_path / "b.parquet")
    assert (merged.raw == first.raw).all()


def test_maps_of_sampled_footage_have_every_frame(films: Path, model: Path, tmp_path: Path) -> None:
    pixelfast.score(films / "fast.mkv", model, maps=True, parts=tmp_path / "parts")
    (part,) = (tmp_path / "parts").glob(f"*{SUFFIX}")
    maps = read_part(part).maps
    assert maps is not None and len(maps) == 240


def test_several_rates_are_learnt_at_the_lowest(films: Path) -> None:
    notes = Notes()
    videos, rate = training_pace(open_source([films / "usual.mkv", films / "fast.mkv"]), None, notes)
    assert rate == 20.0 and [sum(len(one.status) for one in video.chunks(8, 8)) for video in videos] == [120, 120]
    assert "20 to 40 frames a second" in notes[0]


def test_an_unknown_rate_cannot_be_lowered(films: Path) -> None:
    with pytest.raises(SourceError, match=r"000\.png: how many frames a second video frames has is not known.*--fps"):
        scoring_pace(open_source(films / "frames"), None, 5.0, Notes())


@pytest.mark.parametrize("chunk", [1, 7, 64])
def test_pieces_of_a_sampled_animation(tmp_path: Path, chunk: int) -> None:
    pictures = [Image.fromarray(frame) for frame in FRAMES[:20]]
    pictures[0].save(tmp_path / "a.gif", save_all=True, append_images=pictures[1:], duration=50)
    (video,) = open_source(tmp_path / "a.gif")
    whole = np.concatenate([one.frames for one in video.chunks(16, 16)])
    assert rate_of(video) == pytest.approx(20.0)
    (taken,) = scoring_pace([video], 10.0, None, Notes())
    chunks = list(taken.chunks(16, 16, chunk=chunk))
    assert taken.length == 10 and (np.concatenate([one.frames for one in chunks]) == whole[::2]).all()
    assert np.concatenate([one.frame_ids for one in chunks]).tolist() == list(range(0, 20, 2))


def test_gaps_and_a_rate_go_together(tmp_path: Path) -> None:
    for index in [*range(20), *range(60, 80)]:
        Image.fromarray(FRAMES[index]).save(tmp_path / f"{index:03}.png")
    (video,) = open_source(tmp_path, reading=Reading(fps=20.0))
    (taken,) = scoring_pace([video], 10.0, None, Notes())
    assert taken.starts == (10,) and [part.length for part in taken.stretches()] == [10, 10]  # type: ignore[attr-defined]
    seconds = np.concatenate([one.seconds for one in taken.chunks(8, 8) if one.seconds is not None])
    assert seconds[0] == 0.0 and seconds[10] == 3.0
