"""Live frames through a Scorer: the raw scores of the whole video, soon, in flat memory, and nothing is held."""

import gc
import threading
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image

import pixelfast
from footage import walking_square
from pixelfast.model import Flip
from streamed import assert_streams_as_it_scores, delays, growth
from tiny_engines import write_cuboid_engine, write_model

SIZE = 32


@pytest.fixture(scope="module")
def engines(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("engines")
    write_model(home / "model", (1, 4), Flip(held_out_accuracy=1.0, trusted=True))
    write_cuboid_engine(home / "theirs.onnx")
    return home


def footage(count: int = 150) -> NDArray[np.uint8]:
    """A walk with flipped, noisy and doubled frames."""
    frames = walking_square(count, size=SIZE)
    frames[40:50] = frames[40:50, ::-1]
    rng = np.random.default_rng(1)
    for index in (5, 60, 61, count - 3):
        frames[index % count] = (frames[index % count] + rng.normal(0, 40, (SIZE, SIZE))).clip(0, 255)
    return frames


@pytest.mark.parametrize("chunk", [1, 16, 17, 64, 1000])
@pytest.mark.parametrize("engine", ["model", "model/ae.s4.onnx", "theirs.onnx"])
def test_raw_is_that_of_files(engines: Path, tmp_path: Path, engine: str, chunk: int) -> None:
    # The other people's engine has an operator that ONNX Runtime sums by how many cuboids a call has (README).
    relative = 3e-7 if engine == "theirs.onnx" else 0
    live = assert_streams_as_it_scores(engines / engine, footage(), tmp_path / "a", chunk, relative)
    flips = [one.frame for one in live if one.flipped]
    assert flips == (list(range(40, 50)) if engine.startswith("model") else [])
    assert [one.frame for one in live if one.noisy] == [5, 60, 61, 147]


@pytest.mark.parametrize("count", [1, 2, 15, 16, 17, 31, 33, 48])
def test_short_streams_are_short_videos(engines: Path, tmp_path: Path, count: int) -> None:
    assert_streams_as_it_scores(engines / "model", footage(count), tmp_path / "a", 24)


@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(count=st.integers(1, 90), chunk=st.integers(1, 70), stride=st.sampled_from([1, 3, 16]))
def test_any_chunk_and_stride(
    engines: Path, tmp_path_factory: pytest.TempPathFactory, count: int, chunk: int, stride: int
) -> None:
    folder = tmp_path_factory.mktemp("any") / "a"
    assert_streams_as_it_scores(engines / "model", footage(count), folder, chunk, stride=stride, how="max")


@pytest.mark.parametrize(("chunk", "most"), [(1, 33), (16, 33), (64, 80), (200, 216)])
def test_results_come_at_most_a_window_and_a_chunk_later(engines: Path, chunk: int, most: int) -> None:
    with pixelfast.Scorer(engines / "model", chunk=chunk) as scorer:
        assert max(delays(scorer, footage(400))) <= most


def test_larger_color_frames_come_as_from_files(engines: Path, tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    frames = rng.integers(0, 256, (20, 50, 70, 3), np.uint8)
    (tmp_path / "a").mkdir()
    for index, frame in enumerate(frames):
        Image.fromarray(frame).save(tmp_path / "a" / f"{index:03d}.png")
    with pixelfast.Scorer(engines / "model", flip="never") as scorer:
        live = [one.raw for one in scorer.stream(frames)]
        np.testing.assert_array_equal(np.array(live, np.float32), scorer.raw(tmp_path / "a").raw)


def test_an_array_may_be_reused(engines: Path) -> None:
    frames, one = footage(40), np.empty((SIZE, SIZE), np.uint8)

    def camera() -> Iterator[NDArray[np.uint8]]:
        for frame in frames:
            one[:] = frame
            yield one

    with pixelfast.Scorer(engines / "model") as scorer:
        assert list(scorer.stream(camera())) == list(scorer.stream(frames))


def test_times_are_handed_on(engines: Path) -> None:
    with pixelfast.Scorer(engines / "model") as scorer:
        live = list(scorer.stream((index / 25, frame) for index, frame in enumerate(footage(20))))
        assert [one.seconds for one in live] == [index / 25 for index in range(20)]
        assert {one.seconds for one in scorer.stream(footage(20))} == {None}


def test_no_frames_give_no_results(engines: Path) -> None:
    with pixelfast.Scorer(engines / "model") as scorer:
        assert list(scorer.stream([])) == []


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (np.zeros((4, 4)), r"must be uint8 \[H, W\] \(grey\) or \[H, W, 3\] \(RGB\), not float64 \[4, 4\]"),
        (np.zeros((4, 4, 4), np.uint8), r"not uint8 \[4, 4, 4\]"),
        ("a.png", "not str"),
        (("now", np.zeros((4, 4), np.uint8)), "the time of a frame must be seconds, not 'now'"),
    ],
)
def test_what_is_no_frame_is_refused(engines: Path, given: object, said: str) -> None:
    with pixelfast.Scorer(engines / "model") as scorer, pytest.raises(pixelfast.ArgumentError, match=said):
        list(scorer.stream([given]))  # type: ignore[list-item]


def test_frozen_is_said_from_the_frame_on_by_which_it_is_certain(engines: Path) -> None:
    frames = footage(120)
    frames[50:100] = frames[50]
    with pixelfast.Scorer(engines / "model") as scorer:
        assert [one.frame for one in scorer.stream(frames) if one.frozen] == list(range(75, 100))
        timed = ((index / 10, frame) for index, frame in enumerate(frames))
        assert [one.frame for one in scorer.stream(timed) if one.frozen] == list(range(61, 100))


def test_a_wrong_correction_is_said_and_not_taken_back(engines: Path, caplog: pytest.LogCaptureFixture) -> None:
    frames = footage(40)[np.arange(700) % 40]
    with pixelfast.Scorer(engines / "model") as scorer:
        live = list(scorer.stream(frames[:, ::-1]))
    assert sum(one.flipped for one in live) > 350
    assert [one for one in caplog.messages if "give flip='never' to leave the stream so" in one]


def test_others_have_their_turn_while_a_stream_is_open(engines: Path, tmp_path: Path) -> None:
    frames = footage(60)
    with pixelfast.Scorer(engines / "model", chunk=16) as scorer:
        alone = list(scorer.stream(frames))
        one, other = scorer.stream(frames), scorer.stream(frames[::-1])
        assert next(one) == alone[0]
        next(other)
        assert list(scorer.stream(frames)) == alone  # on this very thread
        assert list(one) == alone[1:]


def test_others_have_their_turn_while_a_stream_waits_for_a_frame(engines: Path) -> None:
    waits, goes_on, frames, found = threading.Event(), threading.Event(), footage(60), []

    def camera() -> Iterator[NDArray[np.uint8]]:
        yield from frames[:30]
        waits.set()
        goes_on.wait(60)
        yield from frames[30:]

    with pixelfast.Scorer(engines / "model", chunk=16) as scorer:
        thread = threading.Thread(target=lambda: found.extend(scorer.stream(camera())))
        thread.start()
        assert waits.wait(60)
        alone = list(scorer.stream(frames))
        goes_on.set()
        thread.join(60)
        assert found == alone


def test_an_abandoned_stream_holds_nothing(engines: Path) -> None:
    endless = (frame for _ in iter(int, 1) for frame in footage(20))
    scorer = pixelfast.Scorer(engines / "model", chunk=16)
    stream = scorer.stream(endless)
    assert len(list(islice(stream, 10))) == 10
    del stream
    gc.collect()
    assert len(scorer._streams) == 0
    assert len(list(scorer.stream(footage(20)))) == 20


def test_closing_ends_open_streams_with_a_sentence(engines: Path) -> None:
    scorer = pixelfast.Scorer(engines / "model", chunk=16)
    stream = scorer.stream(footage(60))
    next(stream)
    scorer.close()
    with pytest.raises(pixelfast.EngineError, match=r"this Scorer of .* is closed"):
        next(stream)


def test_an_error_of_the_camera_is_handed_on(engines: Path) -> None:
    def camera() -> Iterator[NDArray[np.uint8]]:
        yield from footage(20)
        raise ConnectionError("the camera went away")

    with pixelfast.Scorer(engines / "model") as scorer:
        with pytest.raises(ConnectionError, match="went away"):
            list(scorer.stream(camera()))
        assert len(list(scorer.stream(footage(20)))) == 20


def test_memory_stays_flat(engines: Path) -> None:
    with pixelfast.Scorer(engines / "model") as scorer:
        # A byte a frame and mark would be 48,000, a chunk's record 2,000,000.
        assert growth(scorer, footage(100), 2000, 12_000) < 40_000


@pytest.mark.parametrize("wrong", ["a.mp4", Path("a"), 3, None])
def test_what_is_no_stream_is_refused(engines: Path, wrong: object) -> None:
    with pixelfast.Scorer(engines / "model") as scorer, pytest.raises(pixelfast.ArgumentError, match="`score` takes"):
        scorer.stream(wrong)  # type: ignore[arg-type]
