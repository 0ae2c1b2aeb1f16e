"""Parts that are wrong in themselves, parts of other sources, and what is missing: by `score` and by `merge`."""

import dataclasses
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import pixelfast
from footage import DrawnVideo, walking_square
from frame_files import write_video
from pixelfast.cleaning.stage import FrameRecord
from pixelfast.errors import ScoresError
from pixelfast.model import Model
from pixelfast.pipeline.listing import FOLLOWING, Listing, Place, describe_missing
from pixelfast.pipeline.parts import Part, read_part, write_part
from plain_pipeline import footage
from tiny_engines import SIZE

MakeSource = Callable[..., Path]


def with_raw(part: Part, raw: float) -> Part:
    return dataclasses.replace(part, raw=np.full_like(part.raw, raw))


def cut(part: Part, rows: int) -> Part:
    """A part that is whole in itself, of the first rows alone."""
    columns = {name: None if one is None else one[:rows] for name, one in vars(part.record).items()}
    return dataclasses.replace(part, raw=part.raw[:rows], record=FrameRecord(**columns))


def with_job(part: Part, **changes: Any) -> Part:
    return dataclasses.replace(part, job=dataclasses.replace(part.job, **changes))


def doubled(part: Part) -> Part:
    return dataclasses.replace(part, record=dataclasses.replace(part.record, frame=np.zeros_like(part.record.frame)))


WRONG: dict[str, tuple[Callable[[Part], Part], str]] = {
    "negative": (lambda part: with_raw(part, -0.5), r"\(a raw score of -0.5, and an error is never below 0\)"),
    "endless": (lambda part: with_raw(part, np.inf), r"\(raw scores that are not finite\)"),
    "short": (lambda part: cut(part, 5), r"\(5 rows for a video of 20 frames\)"),
    "short, and says so": (lambda part: dataclasses.replace(cut(part, 5), frames=5), ""),
    "twice": (doubled, r"\(the same frame number twice\)"),
    "video": (lambda part: dataclasses.replace(part, video=3), r"\(its video cannot be 3\)"),  # type: ignore[arg-type]
    "notes": (lambda part: dataclasses.replace(part, notes="no"), r"\(its notes cannot be 'no'\)"),  # type: ignore[arg-type]
    "smooth": (lambda part: with_job(part, smooth="3"), r"\(its smooth cannot be '3'\)"),
    "settings": (lambda part: with_job(part, settings={}), r"\(its method cannot be None\)"),
    "videos": (lambda part: with_job(part, videos="many"), r"\(its videos cannot be 'many'\)"),
    "place": (lambda part: dataclasses.replace(part, place=Place(7, ())), r"\(its position cannot be 7\)"),
}


@pytest.mark.parametrize("wrong", WRONG)
def test_a_wrong_part_is_computed_again_and_named_by_merge(
    make_source: MakeSource, model: Model, tmp_path: Path, wrong: str
) -> None:
    source, parts = make_source(**footage(20)), tmp_path / "parts"
    first = pixelfast.score(source, model.folder, parts=parts)
    (path,) = parts.iterdir()
    whole, (change, why) = path.read_bytes(), WRONG[wrong]
    write_part(path, change(read_part(path)))
    if why:
        with pytest.raises(ScoresError, match=rf"parts/01\..*\.arrow is damaged or no part of pixelfast {why}; delete"):
            pixelfast.merge(parts)
    np.testing.assert_array_equal(pixelfast.score(source, model.folder, parts=parts).raw, first.raw)
    assert path.read_bytes() == whole


def test_a_calibration_that_is_none_is_a_sentence(make_source: MakeSource, model: Model, tmp_path: Path) -> None:
    pixelfast.score(make_source(**footage(20)), model.folder, parts=tmp_path / "parts")
    (path,) = (tmp_path / "parts").iterdir()
    write_part(path, with_job(read_part(path), calibration={"quantiles": [0.5]}))
    with pytest.raises(ScoresError, match="the parts' calibration is damaged"):
        pixelfast.merge(path)


def test_what_is_missing_is_named_by_video_and_share(make_source: MakeSource, model: Model, tmp_path: Path) -> None:
    source, engine = make_source(**footage(*range(16, 24))), model.folder / "ae.onnx"
    for share in ("1/3", "3/3"):
        pixelfast.score(source, engine, parts=tmp_path / "parts", shard=share)
    notes = pixelfast.merge(tmp_path / "parts").notes
    assert "the parts hold 5 of the source's 8 videos: missing are 02, 05, 08 (share 2/3)" in notes
    next((tmp_path / "parts").glob("03.*")).unlink()
    notes = pixelfast.merge(tmp_path / "parts").notes
    assert "the parts hold 4 of the source's 8 videos: missing are 02, 05, 08 (share 2/3); 03 (share 3/3)" in notes
    pixelfast.score(source, engine, parts=tmp_path / "parts")
    assert not any("missing" in note for note in pixelfast.merge(tmp_path / "parts").notes)
    next((tmp_path / "parts").glob("08.*")).unlink()
    notes = pixelfast.merge(tmp_path / "parts").notes
    assert "the parts hold 7 of the source's 8 videos: missing are 08" in notes


def test_a_video_that_is_no_longer_in_the_source(make_source: MakeSource, model: Model, tmp_path: Path) -> None:
    source, parts = make_source(**footage(40, 30, 20)), tmp_path / "parts"
    pixelfast.score(source, model.folder, parts=parts)
    shutil.rmtree(source / "02")
    scores = pixelfast.score(source, model.folder, parts=parts)
    (old,) = parts.glob("02.*")
    with pytest.raises(ScoresError, match=rf"2 parts come from one source, and .* {old} \(video 02\)\. Delete what is"):
        pixelfast.merge(parts)
    named = pixelfast.merge(sorted(parts.iterdir()))
    assert named.videos == ("01", "02", "03")
    assert any("all were named, and are ranked together" in note for note in named.notes)
    old.unlink()
    np.testing.assert_array_equal(pixelfast.merge(parts).score, scores.score)


def test_parts_of_another_source_hide_no_missing_share(make_source: MakeSource, model: Model, tmp_path: Path) -> None:
    engine = model.folder / "ae.onnx"
    source, parts = make_source(**footage(40, 30, 20, 20)), tmp_path / "parts"
    pixelfast.score(source, engine, parts=parts, shard="1/2")
    pixelfast.score(make_source("other", **{"90": footage(20)["01"], "91": footage(20)["01"]}), engine, parts=parts)
    with pytest.raises(ScoresError, match=r"come from one source, and from another.*\(video 9[01]\)|\(video 0[13]\)"):
        pixelfast.merge(parts)


def test_a_source_is_told_by_names_and_lengths() -> None:
    def listing(*videos: tuple[str, int]) -> Listing:
        return Listing([DrawnVideo(name, np.zeros((length, 2, 2), np.uint8)) for name, length in videos])

    digest = listing(("a", 3), ("b", 4)).digest
    assert digest == listing(("a", 3), ("b", 4)).digest
    others = listing(("a", 3)), listing(("b", 4), ("a", 3)), listing(("a", 3), ("b", 5)), listing(("a", 3), ("c", 4))
    assert digest not in {other.digest for other in others}


@given(st.integers(1, 40), st.integers(1, 6), st.data())
@settings(deadline=None)
def test_every_missing_video_near_one_that_is_there_is_named(videos: int, shares: int, data: st.DataObject) -> None:
    names = [f"v{number}x" for number in range(videos)]
    listing = Listing([DrawnVideo(name, np.zeros((1, 2, 2), np.uint8)) for name in names])
    there = data.draw(st.sets(st.sampled_from(names), min_size=1))
    words = describe_missing({name: listing.place(name) for name in there}, videos, shares)
    absent = [name for name in names if name not in there]
    assert (words is None) == (not absent)
    if 0 < len(absent) <= min(8, FOLLOWING):
        assert words is not None
        assert all(name in words for name in absent)
        assert not any(name in words for name in there)


def missing_words(videos: int, shares: int, there: range) -> str | None:
    names = [f"{number:02d}" for number in range(1, videos + 1)]
    listing = Listing([DrawnVideo(name, np.zeros((1, 2, 2), np.uint8)) for name in names])
    return describe_missing({names[at]: listing.place(names[at]) for at in there}, videos, shares)


def test_many_missing_videos_are_named_to_the_sixteenth() -> None:
    sixteen = ", ".join(f"{number:02d}" for number in range(21, 37))
    assert missing_words(40, 1, range(20)) == (
        f"the parts hold 20 of the source's 40 videos: missing are {sixteen}, 4 more"
    )
    assert missing_words(36, 1, range(20)) == f"the parts hold 20 of the source's 36 videos: missing are {sixteen}"
    every_third = ", ".join(f"{number:02d}" for number in range(2, 48, 3))
    assert missing_words(60, 3, range(0, 60, 3)) == (
        f"the parts hold 20 of the source's 60 videos: missing are {every_third}, 4 more (share 2/3); "
        "20 more (share 3/3)"
    )
    assert describe_missing({"a": None}, 5, 1) == (
        "the parts hold 1 of the source's 5 videos: missing are 5 that no part names"
    )


@pytest.mark.parametrize("smooth", [0, 4, -3, 100_001, 10**30, 3.0, None, True])
def test_a_smoothing_that_cannot_be_is_named(
    make_source: MakeSource, model: Model, tmp_path: Path, smooth: Any
) -> None:
    source, parts = make_source(**footage(20, 20)), tmp_path / "parts"
    right = pixelfast.score(source, model.folder, parts=parts)
    path = next(parts.glob("02.*"))
    write_part(path, with_job(read_part(path), smooth=smooth))
    with pytest.raises(ScoresError, match=rf"{path} is damaged or no part of pixelfast \(its smooth cannot be"):
        pixelfast.merge(parts)
    again = pixelfast.score(source, model.folder, parts=parts)
    assert again.reused == 1
    np.testing.assert_array_equal(again.score, right.score)


def test_footage_of_the_same_length_keeps_its_source(make_source: MakeSource, model: Model, tmp_path: Path) -> None:
    source, parts = make_source(**footage(20, 20)), tmp_path / "parts"
    pixelfast.score(source, model.folder, parts=parts)
    shutil.rmtree(source / "02")
    write_video(source / "02", walking_square(20, 9, SIZE))
    pixelfast.score(source, model.folder, parts=parts)
    with pytest.raises(ScoresError, match="are both video 02, of different footage"):
        pixelfast.merge(parts)
