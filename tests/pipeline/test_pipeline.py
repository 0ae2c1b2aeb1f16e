"""The reconstruction pipeline against NumPy and SciPy, and the arguments that mean nothing."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import onnx.helper
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.ndimage import uniform_filter1d
from scipy.stats import rankdata

import pixelfast
from footage import DrawnVideo, walking_square
from pixelfast.cleaning.cleaned import Cleaned
from pixelfast.errors import DecodeError, EngineError, PixelfastError
from pixelfast.machine.stopwatch import Profile, Stopwatch
from pixelfast.methods.calibrating import calibrate
from pixelfast.methods.reconstruction.engine import load_window_engine
from pixelfast.methods.reconstruction.scoring import Reconstruction
from pixelfast.methods.registry import find_method
from pixelfast.methods.settings import Settings
from pixelfast.model import Flip, Model
from pixelfast.progress import Progress
from pixelfast.sources import Chunk
from plain_pipeline import TOLERANCE, footage, plain_maps, plain_raw, plain_scores, raws_of
from tiny_engines import (
    SIZE,
    WINDOW,
    constant,
    write_cuboid_engine,
    write_frame_engine,
    write_model,
)

MakeSource = Callable[..., Path]


@pytest.mark.parametrize("stride", [1, 4, 7])
@pytest.mark.parametrize(("how", "pool"), [("mean", "mean"), ("max", "mean"), ("median", "worst"), ("mean", "worst")])
def test_scores_are_those_of_the_plain_formulas(
    make_source: MakeSource, model: Model, stride: int, how: str, pool: str
) -> None:
    videos = footage(50, 16, 17, 5, 1)
    source = make_source(**videos)
    scores = pixelfast.score(source, model.folder, stride=stride, how=how, pool=pool, flip="never")  # type: ignore[arg-type]
    assert scores.videos == tuple(videos)
    for frames, raw in zip(videos.values(), raws_of(scores), strict=True):
        np.testing.assert_allclose(raw, plain_raw(frames, stride, how, pool), **TOLERANCE)
    np.testing.assert_allclose(scores.score, plain_scores(raws_of(scores)), rtol=0, atol=1e-12)
    np.testing.assert_array_equal(scores.rank, rankdata(scores.score) / len(scores))
    np.testing.assert_array_equal(scores.frame, np.concatenate([np.arange(1, len(v) + 1) for v in videos.values()]))
    assert not (scores.flipped.any() or scores.repaired.any() or scores.noisy.any())


@pytest.mark.parametrize("engine", ["ae.onnx", "theirs.onnx", "fixed.onnx"])
def test_every_kind_of_engine_gives_the_same_scores(make_source: MakeSource, tmp_path: Path, engine: str) -> None:
    source = make_source(**footage(40, 21))
    write_frame_engine(tmp_path / "ae.onnx")
    write_cuboid_engine(tmp_path / "theirs.onnx")
    write_cuboid_engine(tmp_path / "fixed.onnx", batch=1)
    expected = np.concatenate([plain_raw(frames, 3) for frames in footage(40, 21).values()])
    scores = pixelfast.score(source, tmp_path / engine, stride=3)
    np.testing.assert_allclose(scores.raw, expected, **TOLERANCE)


def test_without_a_stride_the_engines_own_counts(make_source: MakeSource, model: Model) -> None:
    source = make_source(**footage(40))
    own = pixelfast.score(source, model.folder / "ae.s4.onnx", flip="never")
    np.testing.assert_allclose(own.raw, plain_raw(footage(40)["01"], 4), **TOLERANCE)
    np.testing.assert_array_equal(own.raw, pixelfast.score(source, model.folder, stride=4, flip="never").raw)
    assert len(pixelfast.score(source, model.folder, smooth=7, flip="never")) == 40


@pytest.mark.parametrize("stride", [0, 17])
def test_a_stride_that_leaves_frames_out_is_refused(make_source: MakeSource, model: Model, stride: int) -> None:
    with pytest.raises(EngineError, match=f"stride must be 1 to 16, the engine's window, not {stride}"):
        pixelfast.score(make_source(**footage(40)), model.folder, stride=stride)


@pytest.fixture(scope="module")
def engines(tmp_path_factory: pytest.TempPathFactory) -> dict[str, object]:
    folder = tmp_path_factory.mktemp("engines")
    return {
        "frames": load_window_engine(write_frame_engine(folder / "ae.onnx"), 1),
        "frames by 4": load_window_engine(write_frame_engine(folder / "ae.s4.onnx", 4), 1),
        "cuboids": load_window_engine(write_cuboid_engine(folder / "theirs.onnx"), 1),
    }


@settings(max_examples=60, deadline=None)
@given(
    kind=st.sampled_from(["frames", "frames by 4", "cuboids"]),
    length=st.integers(1, 60),
    stride=st.integers(1, WINDOW),
    chunk=st.integers(1, 80),
    piece=st.integers(1, 70),
    how=st.sampled_from(["mean", "max", "median"]),
    begins=st.booleans(),
)
def test_neither_chunks_nor_pieces_change_a_result(
    engines: dict[str, object], *, kind: str, length: int, stride: int, chunk: int, piece: int, how: str, begins: bool
) -> None:
    frames = walking_square(length, seed=length, size=SIZE)
    wanted = Settings(stride=stride, how=how, chunk=chunk)  # type: ignore[arg-type]
    method = Reconstruction(engines[kind], wanted, stride, Stopwatch())  # type: ignore[arg-type]
    if not begins:
        method.maps(DrawnVideo("before", frames))
    pieces = (frames[start : start + piece] for start in range(0, length, piece))
    cleaned = (Cleaned(some, np.ones(len(some), np.bool_)) for some in pieces)
    maps = np.concatenate(list(method.maps(DrawnVideo("v", frames)).run(cleaned)))
    np.testing.assert_allclose(maps, plain_maps(frames, stride, how), **TOLERANCE)


def test_a_run_begins_with_small_calls_where_the_engine_gains_by_them(
    engines: dict[str, object], tmp_path: Path
) -> None:
    def calls(method: Reconstruction, count: int) -> list[int]:
        """Frames that come out of each call of the engine for a video of `count` frames, and at its end."""
        frames = walking_square(count, size=SIZE)
        cleaned = (Cleaned(frames[at : at + 5], np.ones(5, np.bool_)) for at in range(0, count, 5))
        return [len(maps) for maps in method.maps(DrawnVideo("v", frames)).run(cleaned)]

    patient = Reconstruction(engines["cuboids"], Settings(chunk=127), 1, Stopwatch())  # type: ignore[arg-type]
    assert calls(patient, 400) == calls(patient, 400) == [112, 112, 112, 64]
    eager = load_window_engine(write_frame_engine(tmp_path / "ae.onnx"), 2)
    least = eager.facts.least
    if least is None:
        pytest.skip("needs OpenVINO, the engine that gains by small calls")
    first = least - WINDOW + 1  # windows
    method = Reconstruction(eager, Settings(chunk=127), 1, Stopwatch())
    assert calls(method, 400)[:2] == [first, 2 * least - WINDOW + 1]
    assert calls(method, 400) == [112, 112, 112, 64]  # of a second video there are frames enough


def test_short_videos_are_padded_and_named(make_source: MakeSource, model: Model) -> None:
    scores = pixelfast.score(make_source(**footage(30, 4)), model.folder)
    assert [note for note in scores.notes if note.endswith("padded by its last frame")] == [
        "video 02 has 4 frames, fewer than the engine's 16: padded by its last frame"
    ]
    assert len(scores) == 34


def test_noisy_frames_are_marked(make_source: MakeSource, model: Model) -> None:
    frames = footage(40)["01"]
    rng = np.random.default_rng(0)
    frames[[7, 8, 30]] = (frames[[7, 8, 30]] + rng.normal(0, 30, (3, SIZE, SIZE))).clip(0, 255).astype(np.uint8)
    scores = pixelfast.score(make_source(noisy=frames, calm=footage(40)["01"]), model.folder)
    rows = np.flatnonzero(scores.noisy)
    assert [(scores.videos[scores.video_index[row]], int(scores.frame[row])) for row in rows] == [
        ("noisy", 8),
        ("noisy", 9),
        ("noisy", 31),
    ]


def test_unreadable_frames_are_replaced_by_their_neighbours(make_source: MakeSource, model: Model) -> None:
    frames = footage(40)["01"]
    source = make_source(**{"01": frames})
    for number in (1, 20, 21):
        (source / "01" / f"frame_{number:04d}.png").write_bytes(b"")
    frames[0], frames[19], frames[20] = frames[1], frames[18], frames[18]
    scores = pixelfast.score(source, model.folder)
    np.testing.assert_allclose(scores.raw, plain_raw(frames), **TOLERANCE)
    assert np.flatnonzero(scores.repaired).tolist() == [0, 19, 20]
    assert any("3 unreadable" in note and "frame_0001.png is empty" in note for note in scores.notes)
    with pytest.raises(DecodeError, match=r"frame_0001.png is empty"):
        pixelfast.score(source, model.folder, on_error="raise")


def test_a_value_that_is_not_finite_names_video_and_frame(make_source: MakeSource, tmp_path: Path) -> None:
    # Cells darker than 1 of 255 become not-a-number: a logarithm of less than nothing.
    tail = [
        constant("axes", [2, 3]),
        onnx.helper.make_node("ReduceMean", ["cuboids", "axes"], ["light"], keepdims=1),
        constant("dark", 0.004, np.float32),
        onnx.helper.make_node("Sub", ["light", "dark"], ["above"]),
        onnx.helper.make_node("Sqrt", ["above"], ["root"]),
        onnx.helper.make_node("Mul", ["root", "cells"], ["window_errors"]),
    ]
    engine = write_frame_engine(tmp_path / "weak.onnx", tail=tail)
    frames = footage(70)["01"]
    frames[66] = 0
    source = make_source(**{"good": footage(20)["01"], "weak": frames})
    with pytest.raises(EngineError, match=r"not finite in video weak, frame .*frame_0067.png"):
        pixelfast.score(source, engine, parts=tmp_path / "parts")
    assert [path.name.split(".")[0] for path in (tmp_path / "parts").iterdir()] == ["good"]


def test_the_table_knows_where_the_time_went(make_source: MakeSource, model: Model, tmp_path: Path) -> None:
    steps: list[Progress] = []
    scores = pixelfast.score(
        make_source(**footage(40, 20)), model.folder, out=tmp_path / "scores.parquet", progress=steps.append
    )
    assert {"decode", "flip", "engine", "aggregate", "global", "write", "total"} <= set(scores.phases)
    assert all(0 <= seconds <= scores.phases["total"] for seconds in scores.phases.values())
    assert [step.done for step in steps] == sorted(step.done for step in steps)
    assert (steps[-1].done, steps[-1].total, steps[-1].phase) == (60, 60, "score")


def test_a_calibrated_model_gives_tails_and_a_threshold(make_source: MakeSource, tmp_path: Path) -> None:
    normal = footage(200)["01"]
    plain = write_model(tmp_path / "plain")
    found = calibrate(find_method("reconstruction"), plain.engine(), {}, [("a", normal[:100]), ("b", normal[100:])])
    raws = [plain_raw(normal[:100]), plain_raw(normal[100:])]
    smoothed = np.concatenate([uniform_filter1d(raw, 3, mode="reflect") for raw in raws])
    by_pool = {one.pool: one for one in found}
    assert set(by_pool) == {"mean", "worst", "rare"}
    np.testing.assert_allclose(
        by_pool["mean"].quantiles, np.quantile(smoothed, by_pool["mean"].probabilities), rtol=1e-4
    )
    model = write_model(tmp_path / "calibrated", calibrations=tuple(found))
    source = make_source(**footage(40))
    scores = pixelfast.score(source, model.folder)
    assert scores.threshold == pytest.approx(by_pool["mean"].threshold)
    assert scores.tail is not None
    np.testing.assert_allclose(scores.tail, by_pool["mean"].tail(uniform_filter1d(scores.raw.astype(float), 3)))
    assert not any("threshold" in note for note in scores.notes)
    for other in ({"smooth": 5}, {"how": "max"}, {"stride": 2}):
        scores = pixelfast.score(source, model.folder, **other)  # type: ignore[arg-type]
        assert scores.threshold is None
        assert scores.tail is None
        assert any(note.startswith("no threshold and no tails") for note in scores.notes)


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"how": "mode"}, "how must be mean, max or median, not 'mode'"),
        ({"pool": "best"}, "pool must be mean, worst or rare, not 'best'"),
        ({"flip": "yes"}, "flip must be auto, always or never, not 'yes'"),
        ({"on_error": "skip"}, "on_error must be repair, insist or raise, not 'skip'"),
        ({"smooth": 4}, "smooth must be an odd number"),
        ({"smooth": 0}, "smooth must be an odd number"),
        ({"chunk": 0}, "chunk must be at least 1"),
        ({"threads": 0}, "threads must be at least 1"),
        ({"out": "scores.txt"}, "must end in .csv or .parquet"),
    ],
)
def test_arguments_that_mean_nothing(
    make_source: MakeSource, model: Model, wrong: dict[str, object], sentence: str
) -> None:
    with pytest.raises(PixelfastError, match=sentence):
        pixelfast.score(make_source(**footage(20)), model.folder, **wrong)  # type: ignore[arg-type]


def test_flip_always_needs_a_classifier(make_source: MakeSource, frame_engine: Path, tmp_path: Path) -> None:
    source = make_source(**footage(20))
    bare = write_model(tmp_path / "bare")
    for engine in (frame_engine, bare.folder):
        with pytest.raises(EngineError, match="has no flip classifier"):
            pixelfast.score(source, engine, flip="always")
    assert any("has no flip classifier" in note for note in pixelfast.score(source, bare.folder).notes)
    doubtful = write_model(tmp_path / "doubtful", flip=Flip(held_out_accuracy=0.985, trusted=False))
    assert any("98.5% of held-out frames" in note for note in pixelfast.score(source, doubtful.folder).notes)
    unmeasured = write_model(tmp_path / "unmeasured", flip=Flip(held_out_accuracy=None, trusted=False))
    assert any("was not measured" in note for note in pixelfast.score(source, unmeasured.folder).notes)


def test_a_profile_explains_the_run(make_source: MakeSource, model: Model, tmp_path: Path) -> None:
    profiles: list[Profile] = []
    source = make_source(**footage(200, 120))
    scores = pixelfast.score(source, model.folder, out=tmp_path / "s.csv", threads=2, profile=profiles.append)
    (found,) = profiles
    rows = {row.name: row for row in found.rows}
    assert {"open", "load", "decode", "noise", "flip", "wait", "engine", "aggregate", "global", "write"} <= set(rows)
    assert [rows[name].stage for name in ("decode", "flip", "engine", "write")] == ["decode", "clean", "score", ""]
    # 320 frames of a byte a pixel come from the decoder, and cross to the engine at least once.
    assert rows["decode"].nbytes == rows["noise"].nbytes == 320 * SIZE * SIZE <= rows["engine"].nbytes
    on_the_callers_thread = [row.seconds for row in found.rows if row.stage not in ("decode", "clean")]
    assert found.explained == pytest.approx(sum(on_the_callers_thread) / found.total, rel=1e-6)
    assert 0.5 < found.explained <= 1
    assert found.slowest in ("decode", "clean", "score")
    assert 0 < found.busy <= 1.01
    assert 0 < found.flowing < found.total
    assert found.threads == 2
    assert {name: row.seconds for name, row in rows.items()} | {"total": found.total} == pytest.approx(
        scores.phases | {"total": found.total}
    )


class SlowVideo(DrawnVideo):
    """A video that takes long to decode."""

    def chunks(self, *args: Any, **kwargs: Any) -> Iterator[Chunk]:
        for chunk in super().chunks(*args, **kwargs):
            time.sleep(0.05)
            yield chunk


@pytest.mark.parametrize("slow", ["decode", "score"])
def test_a_profile_names_the_stage_that_the_others_wait_for(model: Model, slow: str) -> None:
    profiles: list[Profile] = []
    kind = SlowVideo if slow == "decode" else DrawnVideo
    tell = None if slow == "decode" else lambda step: time.sleep(0.2)
    pixelfast.score([kind("1", walking_square(300, 1, SIZE))], model.folder, progress=tell, profile=profiles.append)
    (found,) = profiles
    assert found.slowest == slow
    assert found.bound().startswith(f"{slow}: at work for {found.busy:.0%} of the {found.flowing:.2f} s")
    assert all(0 <= share < found.busy for stage, share in found.stages.items() if stage != slow)
