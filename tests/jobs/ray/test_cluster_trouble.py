"""Footage and workers in trouble on a Ray cluster: what comes out is what one run gives, or the same sentence."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import pixelfast
import pixelfast.ray
from films import walk, write_film
from footage import walking_square
from frame_files import write_video
from pixelfast.model import Flip, Model
from tiny_engines import SIZE, write_model

pytestmark = [
    pytest.mark.filterwarnings("ignore::DeprecationWarning:ray"),  # Ray's, of its own defaults
    pytest.mark.long,
]

Scored = Callable[..., pixelfast.Scores]


@pytest.fixture
def engine(tmp_path: Path) -> Path:
    return write_model(tmp_path / "model", (1, 4), Flip(held_out_accuracy=1.0, trusted=True)).folder


def on_cluster(source: Any, engine: Path, **settings: Any) -> pixelfast.Scores:
    return pixelfast.ray.score(source, engine, segment_frames=100, **settings)


def files_of(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def assert_same(source: Any, engine: Path, tmp_path: Path, **settings: Any) -> pixelfast.Scores:
    homes = tmp_path / "one", tmp_path / "cluster"
    both = list[pixelfast.Scores]()
    for home, score in zip(homes, (pixelfast.score, on_cluster), strict=True):
        home.mkdir()
        both.append(score(source, engine, out=home / "scores.parquet", **settings))
    assert both[0].notes == both[1].notes
    assert files_of(homes[0]) == files_of(homes[1])
    return both[1]


def test_videos_that_cannot_be_put_together_are_scored_whole(cluster: None, engine: Path, tmp_path: Path) -> None:
    frames = walking_square(330, 9, SIZE)
    write_video(tmp_path / "new" / "upside", frames[:, ::-1])  # correction is refused: more than half is flipped
    empty = write_video(tmp_path / "new" / "empty", frames)
    for number in (*range(20, 32), 101, 164):  # too many for one segment, and where segments begin
        (empty / f"frame_{number:04}.png").write_bytes(b"")
    cut = write_video(tmp_path / "new" / "cut", frames)
    for number in (5, 100, 250):
        path = cut / f"frame_{number:04}.png"
        path.write_bytes(path.read_bytes()[:-100])
    scores = assert_same(tmp_path / "new", engine, tmp_path)
    assert any("is left as it is, without flip correction" in note for note in scores.notes)
    again = on_cluster(tmp_path / "new", engine, out=tmp_path / "cluster" / "scores.parquet")
    assert again.reused == 3


def test_lost_videos_are_named_and_the_others_are_written(cluster: None, engine: Path, tmp_path: Path) -> None:
    for seed, (name, length) in enumerate({"a": 60, "b": 330, "c": 40, "d": 130}.items()):
        write_video(tmp_path / "new" / name, walking_square(length, seed, SIZE))
    for name, gone in {"b": range(120, 200), "c": range(1, 41)}.items():
        for number in gone:
            (tmp_path / "new" / name / f"frame_{number:04}.png").write_bytes(b"")
    said = list[tuple[str, Any]]()
    for score in (pixelfast.score, on_cluster):
        home = tmp_path / score.__name__
        home.mkdir()
        with pytest.raises(pixelfast.LostFootageError) as lost:
            score(tmp_path / "new", engine, out=home / "scores.parquet")
        said.append((str(lost.value), lost.value.scores.notes))
    assert said[0] == said[1]
    assert said[1][0].startswith("2 of 4 videos not scored (the others were): video b")
    assert files_of(tmp_path / "score") == files_of(tmp_path / "on_cluster")
    with pytest.raises(pixelfast.DecodeError, match="is empty"):
        on_cluster(tmp_path / "new", engine, on_error="raise")


def test_files_and_taken_frames(cluster: None, engine: Path, tmp_path: Path) -> None:
    (tmp_path / "new").mkdir()
    write_film(tmp_path / "new" / "film.mp4", walk(150))
    write_video(tmp_path / "new" / "fast", walking_square(600, 1, SIZE))
    assert_same(tmp_path / "new", engine, tmp_path, fps=25.0, sample_fps=10.0, stride=4)


def test_what_ray_does_not_take_is_a_sentence(cluster: None, engine: Path, tmp_path: Path) -> None:
    write_video(tmp_path / "new" / "1", walking_square(30, size=32))
    with pytest.raises(pixelfast.ArgumentError, match="Ray does not take what ray_remote_args says"):
        pixelfast.ray.score(tmp_path / "new", engine, ray_remote_args={"max_retries": 3, "no_such_thing": 1})


def test_a_row_that_kills_its_worker_ends_the_run_with_a_sentence(cluster: None, engine: Path, tmp_path: Path) -> None:
    write_video(tmp_path / "new" / "a", walking_square(40, 1, SIZE))

    class Deadly:
        name, length = "deadly", 40

        def chunks(self, *_: Any, **__: Any) -> Iterator[Any]:
            os._exit(9)

        def describe(self, index: int) -> str:
            return str(index)

        def explain(self, index: int) -> str:
            return str(index)

        def fingerprint(self) -> bytes:
            return b"deadly"

        def size(self) -> tuple[int, int]:
            return SIZE, SIZE

    source = [tmp_path / "new" / "a", Deadly()]
    with pytest.raises(pixelfast.PixelfastError, match=r"the Ray cluster gave up .*are kept in .*parts"):
        on_cluster(source, engine, parts=tmp_path / "parts", max_restarts=1, max_task_retries=1)
    assert on_cluster(tmp_path / "new" / "a", engine).raw.shape == (40,)


def test_nothing_of_a_model_needs_to_be_on_the_driver_but_its_files(
    cluster: None, engine: Path, tmp_path: Path
) -> None:
    model = Model.load(engine)
    write_video(tmp_path / "new" / "a", walking_square(40, 1, SIZE))
    lone = on_cluster(tmp_path / "new", engine / "ae.onnx", ray_remote_args={"memory": 100 << 20})
    np.testing.assert_array_equal(lone.raw, pixelfast.score(tmp_path / "new", model.folder).raw)


def test_a_folder_of_more_frames_than_a_row_may_have(cluster: None, engine: Path, tmp_path: Path) -> None:
    write_video(tmp_path / "new" / "long", walking_square(9000, 4, SIZE))
    frames = list[int]()
    there = pixelfast.ray.score(tmp_path / "new", engine, progress=lambda step: frames.append(step.done))
    once = pixelfast.score(tmp_path / "new", engine)
    assert sorted(frames)[-1] == 9000
    assert len(frames) == 3
    assert there.to_arrow().equals(once.to_arrow(), check_metadata=True)
