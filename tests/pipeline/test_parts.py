"""Part files: a rerun, damage, shares of several machines and their merge."""

import dataclasses
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

import pixelfast
from footage import DrawnVideo, walking_square
from frame_files import write_video
from pixelfast.cleaning.stage import FrameRecord
from pixelfast.errors import PixelfastError, ScoresError
from pixelfast.model import Model
from pixelfast.pipeline import parts as parts_module
from pixelfast.pipeline.parts import Job, Part, read_part, read_parts, write_part
from plain_pipeline import footage, plain_maps
from tiny_engines import (
    SIZE,
    write_cuboid_engine,
)

MakeSource = Callable[..., Path]


def test_a_rerun_takes_the_parts_that_are_there(make_source: MakeSource, model: Model, tmp_path: Path) -> None:
    source, out = make_source(**footage(40, 30)), tmp_path / "scores.csv"
    first = pixelfast.score(source, model.folder, out=out)
    parts = sorted((tmp_path / "scores.csv.parts").iterdir())
    assert [path.name.split(".")[0] for path in parts] == ["01", "02"]
    part = read_part(parts[0])
    np.testing.assert_array_equal(part.raw, first.raw[:40])
    marked = part.raw.copy()
    marked[0] = 0.5
    write_part(parts[0], dataclasses.replace(part, raw=marked))
    again = pixelfast.score(source, model.folder, out=out)
    assert again.raw[0] == 0.5  # not computed: taken from the part
    np.testing.assert_array_equal(again.raw[1:], first.raw[1:])
    assert sorted((tmp_path / "scores.csv.parts").iterdir()) == parts


@pytest.mark.parametrize("keep", [0, 10, 700, -30])
def test_a_damaged_part_is_computed_again(make_source: MakeSource, model: Model, tmp_path: Path, keep: int) -> None:
    source, parts = make_source(**footage(40)), tmp_path / "parts"
    first = pixelfast.score(source, model.folder, parts=parts)
    (path,) = parts.iterdir()
    path.write_bytes(path.read_bytes()[:keep])
    np.testing.assert_array_equal(pixelfast.score(source, model.folder, parts=parts).raw, first.raw)
    np.testing.assert_array_equal(read_part(path).raw, first.raw)


def test_a_flipped_bit_in_a_part_is_noticed(make_source: MakeSource, model: Model, tmp_path: Path) -> None:
    source, parts = make_source(**footage(40)), tmp_path / "parts"
    first = pixelfast.score(source, model.folder, parts=parts)
    (path,) = parts.iterdir()
    data = bytearray(path.read_bytes())
    where = bytes(data).index(first.raw[20:24].tobytes())
    data[where] ^= 1
    path.write_bytes(bytes(data))
    with pytest.raises(ScoresError, match="is damaged or no part"):
        read_part(path)
    np.testing.assert_array_equal(pixelfast.score(source, model.folder, parts=parts).raw, first.raw)


@pytest.fixture
def whole_part() -> Part:
    """A part of three frames with all that a part can hold."""
    frame, marks = np.arange(3) + 7, np.array([True, False, True])
    record = FrameRecord(frame, marks, ~marks, np.zeros(3, bool), np.array([0.0, 0.04, np.nan]))
    maps = np.arange(12, dtype=np.float16).reshape(3, 2, 2)
    job = Job("ae.onnx", {"method": "reconstruction"}, 3, {"quantiles": [0.5]}, 1)
    return Part("01", "f00", np.array([1, 2, 3], np.float32), record, maps, job, ["a note"])


def content(part: Part) -> list[object]:
    arrays = [part.raw, *vars(part.record).values(), part.maps]
    facts = [part.video, part.footage, part.job, part.notes]
    return facts + [None if array is None else (str(array.dtype), array.shape, array.tobytes()) for array in arrays]


@pytest.mark.parametrize("small", [0, 1 << 20], ids=["piece by piece", "at once"])
def test_a_part_comes_back_as_it_was(
    whole_part: Part, small: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(parts_module, "_SMALL", small)
    write_part(tmp_path / "a.arrow", whole_part)
    assert content(read_part(tmp_path / "a.arrow")) == content(whole_part)
    without = dataclasses.replace(whole_part, maps=None, record=dataclasses.replace(whole_part.record, seconds=None))
    write_part(tmp_path / "b.arrow", without)
    assert content(read_part(tmp_path / "b.arrow")) == content(without)


@pytest.mark.parametrize(("small", "maps"), [(0, False), (1 << 20, True)], ids=["piece by piece", "at once"])
def test_no_damaged_byte_of_a_part_gets_through(
    whole_part: Part, small: int, maps: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Wherever a file is cut off or a byte is changed: an error, or (in what is no content) the same part."""
    monkeypatch.setattr(parts_module, "_SMALL", small)
    path = tmp_path / "a.arrow"
    write_part(path, whole_part)
    whole = path.read_bytes()
    wanted = content(whole_part if maps else dataclasses.replace(whole_part, maps=None))
    for place in range(len(whole)):
        changed = whole[:place] + bytes([whole[place] ^ 0x55]) + whole[place + 1 :]
        for data in (changed, whole[:place]):
            path.write_bytes(data)
            try:
                read = read_part(path, maps)
            except ScoresError as error:
                assert "is damaged or no part of pixelfast" in str(error)
            else:
                assert content(read) == wanted
                assert len(data) == len(whole)


def test_columns_of_other_kinds_and_values_are_refused(whole_part: Part, tmp_path: Path) -> None:
    path = tmp_path / "a.arrow"
    write_part(path, dataclasses.replace(whole_part, raw=np.array([1, np.nan, 3], np.float32)))
    with pytest.raises(ScoresError, match="is damaged or no part"):
        read_part(path)
    write_part(path, whole_part)
    batch = pa.ipc.open_file(path).get_batch(0)
    for changed in (batch.set_column(1, "frame", batch["frame"].cast(pa.float64())), batch.drop_columns("noisy")):
        with pa.ipc.new_file(path, changed.schema) as writer:
            writer.write_batch(changed)
        with pytest.raises(ScoresError, match="is damaged or no part"):
            read_part(path)


def test_error_maps_that_are_not_wanted_are_not_read(whole_part: Part, tmp_path: Path) -> None:
    def bytes_read(maps: bool) -> int:
        before = int(Path("/proc/self/io").read_text().split()[1])
        assert (read_part(path, maps).maps is None) != maps
        return int(Path("/proc/self/io").read_text().split()[1]) - before

    path, frames = tmp_path / "a.arrow", 40_000
    marks = np.zeros(frames, bool)
    record = FrameRecord(np.arange(frames), marks, marks, marks, None)
    maps = np.ones((frames, 8, 8), np.float16)
    write_part(path, dataclasses.replace(whole_part, raw=np.ones(frames, np.float32), record=record, maps=maps))
    assert bytes_read(maps=True) > maps.nbytes
    assert bytes_read(maps=False) < 20 * frames


def test_other_footage_settings_and_engines_have_other_parts(
    make_source: MakeSource, model: Model, tmp_path: Path
) -> None:
    source, parts = make_source(**footage(40)), tmp_path / "parts"

    def parts_after(**wanted: object) -> int:
        pixelfast.score(source, wanted.pop("engine", model.folder), parts=parts, **wanted)  # type: ignore[arg-type]
        return len(list(parts.iterdir()))

    assert parts_after() == 1
    assert parts_after(smooth=5, threads=1, chunk=16) == 1  # none of these changes a raw score
    assert parts_after(stride=4) == 2
    assert parts_after(how="max") == 3
    assert parts_after(pool="worst") == 4
    assert parts_after(flip="never") == 5
    assert parts_after(on_error="raise") == 6
    assert parts_after(engine=write_cuboid_engine(tmp_path / "theirs.onnx")) == 7
    write_video(tmp_path / "other" / "01", walking_square(40, 9, SIZE))
    (tmp_path / "other" / "01" / "frame_0002.png").replace(source / "01" / "frame_0002.png")
    assert parts_after() == 8


def test_maps_are_kept_where_asked_for(make_source: MakeSource, model: Model, tmp_path: Path) -> None:
    source, parts = make_source(**footage(40)), tmp_path / "parts"
    pixelfast.score(source, model.folder, parts=parts)
    (path,) = parts.iterdir()
    assert read_part(path).maps is None
    pixelfast.score(source, model.folder, parts=parts, maps=True)
    maps = read_part(path).maps
    assert maps is not None
    assert maps.dtype == np.float16
    np.testing.assert_allclose(maps, np.sqrt(plain_maps(footage(40)["01"], 1, "mean")), rtol=1e-3, atol=1e-6)
    pixelfast.score(source, model.folder, parts=parts)
    assert read_part(path).maps is not None  # a part with maps serves as one without


def test_maps_with_no_place_for_them_are_spoken_of(make_source: MakeSource, model: Model) -> None:
    scores = pixelfast.score(make_source(**footage(20)), model.folder, maps=True)
    assert any("no parts are kept" in note for note in scores.notes)


def test_nothing_is_written_where_nothing_was_asked_for(
    make_source: MakeSource, model: Model, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = make_source(**footage(20))
    monkeypatch.chdir(tmp_path)
    before = sorted(tmp_path.rglob("*"))
    pixelfast.score(source, model.folder)
    assert sorted(tmp_path.rglob("*")) == before


def test_names_that_are_no_file_names(model: Model, tmp_path: Path) -> None:
    names = ["a/b", "..", "x" * 300, "ütf 8", ".hidden"]
    videos = [DrawnVideo(name, walking_square(20, number, SIZE)) for number, name in enumerate(names)]
    scores = pixelfast.score(videos, model.folder, parts=tmp_path / "parts")  # type: ignore[arg-type]
    assert len(list((tmp_path / "parts").glob("*.arrow"))) == 5
    merged = pixelfast.merge(tmp_path / "parts")
    assert merged.videos == scores.videos
    np.testing.assert_array_equal(merged.raw, scores.raw)


def test_shards_and_their_merge_equal_the_whole(make_source: MakeSource, model: Model, tmp_path: Path) -> None:
    source, engine = make_source(**footage(40, 30, 20, 9, 18)), model.folder / "ae.onnx"
    whole = pixelfast.score(source, engine, out=tmp_path / "whole.parquet")
    for share in ("1/3", "2/3", "3/3"):
        scores = pixelfast.score(source, engine, parts=tmp_path / share[0], shard=share)
        assert any(f"share {share} alone" in note for note in scores.notes)
    merged = pixelfast.merge([tmp_path / share for share in "123"], out=[tmp_path / "m.parquet", tmp_path / "m.csv"])
    assert merged.videos == whole.videos
    for column in ("video_index", "frame", "raw", "score", "rank", "flipped", "repaired", "noisy"):
        np.testing.assert_array_equal(getattr(merged, column), getattr(whole, column))
    assert pixelfast.Scores.read(tmp_path / "m.parquet").videos == whole.videos
    assert (tmp_path / "m.csv").read_text().count("\n") == 118


def test_a_shard_writes_no_scores_of_its_own(make_source: MakeSource, model: Model, tmp_path: Path) -> None:
    source, engine, out = make_source(**footage(20, 20)), model.folder / "ae.onnx", tmp_path / "scores.csv"
    pixelfast.score(source, engine, out=out, shard="2/2")
    assert not out.exists()
    merged = pixelfast.merge(tmp_path / "scores.csv.parts")
    assert any("the parts hold 1 of the source's 2 videos" in note for note in merged.notes)
    empty = pixelfast.score(source, engine, out=out, shard="3/3")
    assert len(empty) == 0
    with pytest.raises(PixelfastError, match="a shard leaves nothing but its parts"):
        pixelfast.score(source, engine, shard="1/2")


@pytest.mark.parametrize("shard", ["0/3", "4/3", "2", "a/b", "1/0", "-1/2", "1/2/3", ""])
def test_what_is_no_share(make_source: MakeSource, model: Model, tmp_path: Path, shard: str) -> None:
    with pytest.raises(PixelfastError, match="shard must be like 2/3"):
        pixelfast.score(make_source(**footage(20)), model.folder / "ae.onnx", parts=tmp_path / "parts", shard=shard)


def test_parts_of_different_runs_are_never_merged(make_source: MakeSource, model: Model, tmp_path: Path) -> None:
    source, parts = make_source(**footage(20, 20)), tmp_path / "parts"
    pixelfast.score(source, model.folder, parts=parts)
    pixelfast.score(source, model.folder, parts=parts, stride=4, pool="worst")
    with pytest.raises(ScoresError, match=r"must not be mixed: engine_sha256 .*, pool mean and worst, stride 1 and 4"):
        pixelfast.merge(parts)


def test_two_parts_of_one_video_are_never_merged(make_source: MakeSource, model: Model, tmp_path: Path) -> None:
    parts = tmp_path / "parts"
    pixelfast.score(make_source(**footage(20)), model.folder, parts=parts)
    again = make_source("changed", **{"01": walking_square(20, 5, SIZE)})
    pixelfast.score(again, model.folder, parts=parts)
    with pytest.raises(ScoresError, match="are both video 01, of different footage: delete the outdated one"):
        pixelfast.merge(parts)


def test_parts_follow_the_smoothing_of_the_last_run(make_source: MakeSource, model: Model, tmp_path: Path) -> None:
    source, parts = make_source(**footage(40, 20)), tmp_path / "parts"
    pixelfast.score(source, model.folder, parts=parts)
    smoother = pixelfast.score(source, model.folder, parts=parts, smooth=7)
    merged = pixelfast.merge(parts)
    assert merged.smooth == 7
    np.testing.assert_array_equal(merged.score, smoother.score)


def test_a_merge_of_nothing_and_of_damage(tmp_path: Path, make_source: MakeSource, model: Model) -> None:
    with pytest.raises(ScoresError, match="does not exist"):
        pixelfast.merge(tmp_path / "nothing")
    (tmp_path / "empty").mkdir()
    with pytest.raises(ScoresError, match=r"holds no parts \(.arrow\)"):
        pixelfast.merge(tmp_path / "empty")
    with pytest.raises(ScoresError, match="no folder of parts"):
        pixelfast.merge([])
    pixelfast.score(make_source(**footage(20)), model.folder, parts=tmp_path / "parts")
    (path,) = (tmp_path / "parts").iterdir()
    path.write_bytes(b"ARROW1\0\0 and nothing more")
    with pytest.raises(ScoresError, match="is damaged or no part of pixelfast"):
        pixelfast.merge(tmp_path / "parts")
    pa.ipc.new_file(path, pa.schema([("raw", pa.float32())])).close()
    with pytest.raises(ScoresError, match="is damaged or no part of pixelfast"):
        pixelfast.merge(path)


def test_parts_of_an_older_version_are_computed_again(make_source: MakeSource, model: Model, tmp_path: Path) -> None:
    parts = tmp_path / "parts"
    parts.mkdir()
    np.savez(parts / "01.0123456789abcdef.npz", raw=np.zeros(3, np.float32))
    with pytest.raises(ScoresError, match=r"holds only parts that an older pixelfast wrote \(.npz\): score again"):
        pixelfast.merge(parts)
    scores = pixelfast.score(make_source(**footage(20)), model.folder, parts=parts)
    np.testing.assert_array_equal(pixelfast.merge(parts).raw, scores.raw)


def test_many_parts_are_read_in_order_without_their_maps(make_source: MakeSource, model: Model, tmp_path: Path) -> None:
    source, parts = make_source(**footage(40)), tmp_path / "parts"
    pixelfast.score(source, model.folder, parts=parts, maps=True)
    (path,) = parts.iterdir()
    part = read_part(path)
    assert part.maps is not None
    paths = [tmp_path / f"{number}.arrow" for number in range(50)]
    for number, copy in enumerate(paths):
        write_part(copy, dataclasses.replace(part, video=f'", "engine": {number}'))
    read = read_parts(paths, threads=2)
    assert [one.video for one in read] == [f'", "engine": {number}' for number in range(50)]
    assert all(one.maps is None and one.job == part.job for one in read)
    paths[33].write_bytes(b"ARROW1")
    with pytest.raises(ScoresError, match=r"33\.arrow is damaged"):
        read_parts(paths, threads=2)
