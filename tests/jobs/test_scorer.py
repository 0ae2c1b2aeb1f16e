"""A Scorer: opened once, scores as `pixelfast.score` does, from several threads, and can be closed."""

import gc
import inspect
import threading
import weakref
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import pixelfast
from footage import walking_square
from pixelfast.flip import opening as flip_opening
from pixelfast.methods import choose
from pixelfast.methods.reconstruction import scoring as reconstruction
from pixelfast.model import Model
from tiny_engines import write_model

Make = Callable[..., Path]
FIRST, SECOND, THIRD = (walking_square(40 + seed, seed, 32) for seed in range(3))


@pytest.fixture
def source(make_source: Make) -> Path:
    return make_source(a=FIRST, b=SECOND, c=THIRD)


def same(one: pixelfast.Scores, other: pixelfast.Scores) -> bool:
    """Whether two tables are the same, to the byte, in all that files keep."""
    return bool(one.to_arrow().equals(other.to_arrow(), check_metadata=True))


def test_it_takes_what_score_takes() -> None:
    once = inspect.signature(pixelfast.score).parameters
    own = inspect.signature(pixelfast.Scorer.__init__).parameters
    run = inspect.signature(pixelfast.Scorer.score).parameters
    assert {*own, *run} - {"self"} == {*once} - {"report"}  # a page is made of scores: `pixelfast.report`
    assert not {*own} & {*run} - {"self"}
    for name, parameter in {**own, **run}.items():
        assert name == "self" or (parameter.default, parameter.kind) == (once[name].default, once[name].kind)


def test_scores_again_and_again_as_score_does(model: Model, source: Path, tmp_path: Path) -> None:
    once = pixelfast.score(source, model.folder)
    with pixelfast.Scorer(model.folder) as scorer:
        assert all(same(scorer.score(source), once) for _ in range(3))
        scorer.score(source, out=tmp_path / "scores.parquet", maps=True)
        assert same(pixelfast.Scores.read(tmp_path / "scores.parquet"), once)
        assert scorer.score(source, parts=tmp_path / "scores.parquet.parts").reused == 3
        alone = scorer.score(source / "b")
    assert alone.raw.tolist() == once.raw[once.video_index == 1].tolist()


def test_nothing_is_opened_twice(
    model: Model, source: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    opened: list[str] = []

    def counting(module: Any, name: str) -> None:
        work = getattr(module, name)
        monkeypatch.setattr(module, name, lambda *given, **named: opened.append(name) or work(*given, **named))

    for module, name in (
        (reconstruction, "load_window_engine"),
        (flip_opening, "load_flip_engine"),
        (choose.Model, "load"),
    ):
        counting(module, name)
    with pixelfast.Scorer(model.folder) as scorer:
        assert sorted(opened) == ["load", "load_flip_engine", "load_window_engine"]
        said = list(caplog.messages)
        first, second = scorer.score(source), scorer.score(source)
        scorer.raw(source)
        list(scorer.stream(FIRST))
    assert len(opened) == 3
    assert [message for message in said if "no calibration" in message]
    assert caplog.messages == said  # each of the engine is said once, and kept in each result
    assert first.notes == second.notes != []


def test_the_second_score_does_not_pay_for_loading(model: Model, source: Path) -> None:
    with pixelfast.Scorer(model.folder) as scorer:
        first, second = scorer.score(source), scorer.score(source)
    assert first.phases["load"] > 0
    assert "load" not in second.phases
    assert second.phases["total"] > second.phases["engine"]


def test_idle_time_is_in_no_profile(model: Model, source: Path) -> None:
    profiles: list[Any] = []
    with pixelfast.Scorer(model.folder) as scorer:
        threading.Event().wait(0.5)
        first = scorer.score(source, profile=profiles.append)
        threading.Event().wait(0.5)
        second = scorer.score(source, profile=profiles.append)
    opening = first.phases["open"] + first.phases["load"]
    assert first.phases["total"] - opening < second.phases["total"] + 0.4
    assert all(0 < profile.explained <= 1.01 for profile in profiles)


def test_four_threads_queue(model: Model, source: Path) -> None:
    places = [source / name for name in "abcabcabc"]
    with pixelfast.Scorer(model.folder) as scorer:
        one_by_one = [scorer.score(place) for place in places]
        with ThreadPoolExecutor(4) as pool:
            at_once = list(pool.map(scorer.score, places))
    assert all(map(same, at_once, one_by_one))


def test_a_call_from_within_a_call_is_refused(model: Model, source: Path) -> None:
    with pixelfast.Scorer(model.folder) as scorer:
        with pytest.raises(pixelfast.EngineError, match="at work on this very thread"):
            scorer.score(source, progress=lambda _: scorer.score(source))  # type: ignore[arg-type, return-value]
        assert len(scorer.score(source)) == 123


def test_a_closed_one_says_so_and_frees_its_engines(model: Model, source: Path) -> None:
    scorer = pixelfast.Scorer(model.folder)
    assert scorer._line is not None and scorer._line._opened is not None
    engine = weakref.ref(scorer._line._opened[1].method.engine)  # type: ignore[attr-defined]
    scorer.score(source)
    scorer.close()
    scorer.close()
    gc.collect()
    assert engine() is None
    assert repr(scorer).endswith(", closed)")
    for call in (scorer.score, scorer.raw, scorer.stream):
        with pytest.raises(pixelfast.EngineError, match=r"this Scorer of .*model is closed: open another one"):
            call(source)  # type: ignore[operator]


def test_bad_engines_and_settings_are_told_at_once(model: Model, tmp_path: Path, source: Path) -> None:
    with pytest.raises(pixelfast.EngineError, match="does not exist"):
        pixelfast.Scorer(tmp_path / "ae.onnx")
    with pytest.raises(pixelfast.ArgumentError, match="smooth must be an odd number"):
        pixelfast.Scorer(model.folder, smooth=2)
    with pixelfast.Scorer(model.folder) as scorer:
        with pytest.raises(pixelfast.SourceError, match="does not exist"):
            scorer.score(tmp_path / "nothing")
        assert len(scorer.score(source)) == 123  # after errors it goes on


def test_raw_of_several_calls_is_put_together(model: Model, source: Path) -> None:
    with pixelfast.Scorer(model.folder) as scorer:
        whole = scorer.score(source)
        c, a, b = (scorer.raw(source / name) for name in "cab")
        together = c + a + b
        assert same(together.scores(), whole)
        assert (together.videos, together.lengths.tolist(), len(together)) == (("c", "a", "b"), [42, 40, 41], 123)
        assert together.raw.tolist() == np.concatenate([c.raw, a.raw, b.raw]).tolist()
        assert together.marks("frame").dtype == np.int64
        with pytest.raises(pixelfast.ScoresError, match="video a is in both"):
            together + a
        with pytest.raises(pixelfast.ScoresError, match="marks are frame, flipped"):
            a.marks("raw")
        with pytest.raises(TypeError):
            a + 1  # type: ignore[operator]


def test_raw_of_different_settings_is_not_mixed(model: Model, source: Path) -> None:
    with pixelfast.Scorer(model.folder) as one:
        a = one.raw(source / "a")
    with pixelfast.Scorer(model.folder, how="max") as other:
        b = other.raw(source / "b")
    with pytest.raises(pixelfast.ScoresError, match="how mean and max: score with one Scorer"):
        a + b
    with pixelfast.Scorer(model.folder, smooth=9) as third:
        c = third.raw(source / "b")
    with pytest.raises(pixelfast.ScoresError, match="different smoothing or calibration"):
        a + c


def test_lost_videos_leave_the_scores_of_the_others(tmp_path: Path, source: Path) -> None:
    for frame in sorted((source / "b").iterdir())[:30]:
        frame.write_bytes(b"")
    with pixelfast.Scorer(write_model(tmp_path / "lone").folder) as scorer:
        for call in (scorer.score, scorer.raw):
            with pytest.raises(pixelfast.LostFootageError) as caught:
                call(source)
            assert caught.value.scores.videos == ("a", "c")
