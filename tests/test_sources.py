"""Sources: real folders with real image files."""

import logging
import os
import re
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from disk import locked_folder
from pixelfast.errors import DecodeError, SourceError
from pixelfast.natural import natural_key, unpadded
from pixelfast.sources import READ, TRUNCATED, UNREADABLE, Chunk, FolderVideo, Repair, Video, open_source
from pixelfast.sources.numbering import ordered_frames


def make_frames(folder: Path, names: Sequence[str], size: tuple[int, int] = (32, 24)) -> Path:
    """Writes images; the grey level of each is 10 times its position (and the same all over)."""
    folder.mkdir(parents=True, exist_ok=True)
    for position, name in enumerate(names):
        Image.new("L", size, position * 10 % 256).save(folder / name)
    return folder


def names_of(videos: Sequence[Video]) -> list[str]:
    return [video.name for video in videos]


# Order and numbers


@given(st.lists(st.tuples(st.sampled_from(["", "a", "b-"]), st.integers(0, 2000), st.integers(1, 6)), unique=True))
def test_natural_order_is_by_text_then_number(parts: list[tuple[str, int, int]]) -> None:
    by_name = {f"{text}{number:0{width}d}": (text, number) for text, number, width in parts}
    in_order = [by_name[name] for name in sorted(by_name, key=natural_key)]
    assert in_order == sorted(by_name.values())


@given(st.lists(st.text(max_size=12)).flatmap(lambda names: st.tuples(st.just(names), st.permutations(names))))
def test_natural_order_does_not_depend_on_the_order_given(orders: tuple[list[str], list[str]]) -> None:
    assert sorted(orders[0], key=natural_key) == sorted(orders[1], key=natural_key)


def test_natural_order_of_known_names() -> None:
    names = ["10", "9", "frame_100", "frame_20", "Frame_3", "02", "2", "1a10", "1a9", "9" * 5000]
    ordered = ["1a9", "1a10", "02", "2", "9", "10", "9" * 5000, "Frame_3", "frame_20", "frame_100"]
    assert sorted(names, key=natural_key) == ordered
    assert sorted(["B1", "a2", "b2", "A3"], key=natural_key) == ["a2", "A3", "B1", "b2"]
    for names in (["1", "01", "001"], ["001", "1", "01"]):
        assert sorted(names, key=natural_key) == ["001", "01", "1"]


@pytest.mark.parametrize(
    ("name", "plain"),
    [("007", "7"), ("000", "0"), ("10", "10"), ("01_014", "01_014"), ("Test001", "Test001"), ("", ""), ("٣", "٣")],
)
def test_only_names_of_digits_alone_lose_their_zeros(name: str, plain: str) -> None:
    assert unpadded(name) == plain


def read_number(name: str) -> int | None:
    """The trailing digits of a stem, found letter by letter."""
    stem, digits = name[: name.rindex(".")], ""
    while stem and stem[-1] in "0123456789":
        stem, digits = stem[:-1], stem[-1] + digits
    return int(digits) if digits and int(digits) < 10**18 else None


FRAME_NAME = st.builds(
    "{}{}.{}".format,
    st.sampled_from(["", "frame_", "f7_", "é", "0x"]),
    st.one_of(
        st.integers(0, 10**20).map(str), st.integers(0, 99).map("{:04d}".format), st.sampled_from(["", "²", "٣"])
    ),
    st.sampled_from(["jpg", "JPG", "png"]),
)


@given(st.lists(FRAME_NAME, min_size=1, unique=True))
def test_frame_names_are_ordered_naturally_and_numbered_by_their_trailing_digits(names: list[str]) -> None:
    ordered, ids = ordered_frames(names)
    assert ordered == sorted(names, key=natural_key)
    numbers = [read_number(name) for name in ordered]
    if None in numbers or len(set(numbers)) < len(numbers):
        assert ids is None
    else:
        assert ids is not None
        assert ids.dtype == np.int64
        assert ids.tolist() == numbers


@given(st.lists(st.integers(0, 10**6), min_size=1, unique=True), st.integers(0, 8))
def test_frame_names_that_differ_in_a_number_alone_go_by_it(numbers: list[int], width: int) -> None:
    ordered, ids = ordered_frames([f"frame_{number:0{width}d}.jpg" for number in numbers])
    assert ids is not None
    assert ids.tolist() == sorted(numbers)
    assert ordered == [f"frame_{number:0{width}d}.jpg" for number in sorted(numbers)]


# What is found


def test_a_folder_of_video_folders_is_sorted_naturally(tmp_path: Path) -> None:
    for name in ("10", "9", "2"):
        make_frames(tmp_path / name, ["frame_0001.jpg", "frame_0010.jpg", "frame_0002.jpg"])
    videos = open_source(tmp_path)
    assert names_of(videos) == ["2", "9", "10"]
    assert all(isinstance(video, FolderVideo) and video.length == 3 for video in videos)
    assert isinstance(videos[0], FolderVideo)
    assert [path.name for path in videos[0].paths] == ["frame_0001.jpg", "frame_0002.jpg", "frame_0010.jpg"]
    assert videos[0].frame_ids.tolist() == [1, 2, 10]


def test_one_video_folder_as_text_path_and_from_inside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = make_frames(tmp_path / "walk", ["000.jpg"])
    monkeypatch.chdir(folder)
    for source in (str(folder), folder, f"{folder}/", ".", "../walk", [folder], (str(folder),), iter([folder])):
        assert names_of(open_source(source)) == ["walk"]


def test_every_image_suffix_counts_whatever_its_case(tmp_path: Path) -> None:
    names = ["1.jpg", "2.JPG", "3.jpeg", "4.Png", "5.bmp", "6.tif", "7.TIFF", "8.webp"]
    (video,) = open_source(make_frames(tmp_path / "v", names))
    assert [Path(video.describe(at)).name for at in range(8)] == names


def test_hidden_files_are_skipped_and_others_said_once(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    for name in ("01", "02"):
        folder = make_frames(tmp_path / name, ["1.jpg", "2.jpg"])
        (folder / "Thumbs.db").touch()
        (folder / "._1.jpg").touch()
        (folder / "clip.mp4").touch()
    (tmp_path / "labels.csv").touch()
    (tmp_path / ".git").mkdir()
    notes: list[str] = []
    with caplog.at_level(logging.WARNING, logger="pixelfast"):
        videos = open_source(tmp_path, notes)
    assert [video.length for video in videos] == [2, 2]
    assert notes == [f"files that are no frames were passed over: 5, such as {tmp_path}/01/Thumbs.db"]
    assert caplog.messages == notes


def test_a_clean_source_says_nothing(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    make_frames(tmp_path / "01", ["1.jpg"])
    notes: list[str] = []
    open_source(tmp_path, notes)
    assert notes == caplog.messages == []


def test_empty_video_folders_are_named(tmp_path: Path) -> None:
    make_frames(tmp_path / "01", ["1.jpg"])
    for name in ("02", "03"):
        (tmp_path / name).mkdir()
    notes: list[str] = []
    assert names_of(open_source(tmp_path, notes)) == ["01"]
    assert notes == [f"folders without frames were passed over: {tmp_path}/02, {tmp_path}/03"]


@pytest.mark.parametrize(
    "names", [["a1.jpg", "b1.jpg"], ["1.jpg", "1.png"], ["start.jpg", "7.jpg"], [f"{10**18}.jpg", "7.jpg"]]
)
def test_frames_without_numbers_of_their_own_go_by_position(tmp_path: Path, names: list[str]) -> None:
    make_frames(tmp_path / "01", names)
    make_frames(tmp_path / "02", ["5.jpg", "6.jpg"])
    make_frames(tmp_path / "03", names)
    notes: list[str] = []
    videos = open_source(tmp_path, notes)
    ids = [video.frame_ids.tolist() for video in videos if isinstance(video, FolderVideo)]
    assert ids == [[0, 1], [5, 6], [0, 1]]
    assert len(notes) == 1
    assert notes[0].endswith(f"in: {tmp_path}/01, {tmp_path}/03")


def test_a_pattern_takes_folders_and_passes_over_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make_frames(tmp_path / "day1" / "10", ["1.jpg"])
    make_frames(tmp_path / "day1" / "9", ["1.jpg"])
    make_frames(tmp_path / "day2" / "11", ["1.jpg"])
    (tmp_path / "day1" / "labels.csv").touch()
    (tmp_path / "day2" / "empty").mkdir()
    notes: list[str] = []
    assert names_of(open_source(f"{tmp_path}/day*/*", notes)) == ["9", "10", "11"]
    assert notes == [
        f"files that are no frames were passed over: 1, such as {tmp_path}/day1/labels.csv",
        f"folders without frames were passed over: {tmp_path}/day2/empty",
    ]
    monkeypatch.chdir(tmp_path)
    assert names_of(open_source("day*")) == ["9", "10", "11"]
    assert names_of(open_source(Path("day[2]"))) == ["11"]


def test_a_folder_whose_name_looks_like_a_pattern_is_a_folder(tmp_path: Path) -> None:
    make_frames(tmp_path / "walk [1]", ["1.jpg"])
    assert names_of(open_source(tmp_path / "walk [1]")) == ["walk [1]"]


def test_a_list_may_mix_paths_patterns_and_videos(tmp_path: Path) -> None:
    make_frames(tmp_path / "set" / "2", ["1.jpg"])
    make_frames(tmp_path / "set" / "10", ["1.jpg"])
    make_frames(tmp_path / "c3", ["1.jpg"])
    video = FolderVideo(make_frames(tmp_path / "b", ["1.jpg"]), ["1.jpg"])
    videos = open_source([video, tmp_path / "set", f"{tmp_path}/c?"])
    assert names_of(videos) == ["2", "10", "b", "c3"]
    assert videos[2] is video
    assert open_source(video) == [video]


# What is refused


@pytest.fixture
def bad(tmp_path: Path) -> Path:
    """A folder of things that are no sources."""
    make_frames(tmp_path / "mix" / "01", ["1.jpg"])
    make_frames(tmp_path / "mix", ["cover.jpg", "last.jpg"])
    make_frames(tmp_path / "deep" / "train" / "01", ["1.jpg"])
    make_frames(tmp_path / "nested" / "01" / "in", ["1.jpg"])
    make_frames(tmp_path / "nested" / "01", ["1.jpg"])
    (tmp_path / "empty").mkdir()
    (tmp_path / "hollow" / "01").mkdir(parents=True)
    (tmp_path / "texts").mkdir()
    (tmp_path / "texts" / "notes.txt").touch()
    (tmp_path / "clips").mkdir()
    (tmp_path / "clips" / "my walk.MP4").touch()
    (tmp_path / "clips" / "frame.jpg.txt").touch()
    (tmp_path / "clips_below" / "01").mkdir(parents=True)
    (tmp_path / "clips_below" / "01" / "a.avi").touch()
    make_frames(tmp_path / "good", ["1.jpg"])
    return tmp_path


@pytest.mark.parametrize(
    ("source", "sentence"),
    [
        ("none", "{}/none does not exist: give a folder of frames, or a folder of such folders"),
        ("mix", "{}/mix holds both loose frames (cover.jpg and 1 more) and folders (01): move the frames"),
        ("nested", "{}/nested/01 holds both loose frames (1.jpg) and folders (in)"),
        ("deep", "{}/deep holds folders of folders, and no frames in them: give one of those, such as {}/deep/train"),
        ("empty", "{}/empty holds no frames (it is empty). Give a folder of images (bmp, jpeg, jpg, png, tif"),
        ("hollow", "{}/hollow holds no frames (its folders are empty of them: 01)"),
        ("texts", "{}/texts holds no frames (it holds other files, such as {}/texts/notes.txt)"),
        ("texts/notes.txt", "{}/texts/notes.txt is a file, not a folder: give a folder of frames"),
        ("good/1.jpg", "{}/good/1.jpg is a single frame: give the folder that holds it, {}/good"),
        ("good/1.jpg/x", "{}/good/1.jpg/x does not exist"),
        ("good/*.jpg", "{}/good/1.jpg is a single frame: give the folder that holds it"),
        ("goo*/9*", "nothing matches {}/goo*/9*"),
        ("mix/*", "{}/mix/* matches both folders, such as {}/mix/01, and loose frames, such as {}/mix/cover.jpg"),
        ("emp*", "{}/empty holds no frames"),
        ("x" * 300, "cannot be read: File name too long"),
        (
            "clips/my walk.MP4",
            "is a video file, and pixelfast reads folders of frames: extract them first, with: "
            "mkdir '{}/clips/my walk' && ffmpeg -i '{}/clips/my walk.MP4' -q:v 2 '{}/clips/my walk/frame_%06d.jpg'",
        ),
        ("clips", "{}/clips holds video files, and pixelfast reads folders of frames: extract them first, with: mkdir"),
        ("clips_below", "ffmpeg -i {}/clips_below/01/a.avi -q:v 2 {}/clips_below/01/a/frame_%06d.jpg"),
    ],
)
def test_what_is_no_source_gets_a_sentence(bad: Path, source: str, sentence: str) -> None:
    with pytest.raises(SourceError) as caught:
        open_source(bad / source)
    assert sentence.replace("{}", str(bad)) in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("source", "sentence"),
    [
        ([], "the list of sources is empty"),
        ("", "the source is an empty text"),
        ("rtsp://camera/1", "is an address"),
        (7, "a source is a path, a pattern, or a list of paths, not int: 7"),
        (b"/tmp", "not bytes"),
        ([None], "a source is a path or a pattern, not NoneType"),
        ("a\0b", "cannot be read"),
    ],
)
def test_what_is_no_path_gets_a_sentence(source: object, sentence: str) -> None:
    with pytest.raises(SourceError, match=re.escape(sentence)):
        open_source(source)  # type: ignore[arg-type]


def test_the_error_is_the_built_in_that_a_caller_expects(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        open_source(tmp_path / "none")
    with pytest.raises(ValueError, match="holds no frames"):
        open_source(tmp_path)


def test_two_videos_of_one_name_are_both_named(tmp_path: Path) -> None:
    for day in ("mon", "tue"):
        make_frames(tmp_path / day / "01", ["1.jpg"])
    sentence = f"two videos have the name 01: {tmp_path}/mon/01 and {tmp_path}/tue/01. Rename one"
    with pytest.raises(SourceError, match=re.escape(sentence)):
        open_source([tmp_path / "mon", tmp_path / "tue"])
    with pytest.raises(SourceError, match="two videos have the name 01"):
        open_source([tmp_path / "mon" / "01"] * 2)


def test_a_name_that_is_not_utf8_is_refused(tmp_path: Path) -> None:
    folder = os.fsencode(tmp_path) + b"/caf\xe9"
    Path(os.fsdecode(folder)).mkdir()
    Image.new("L", (8, 8)).save(os.fsdecode(folder) + "/1.png")
    with pytest.raises(SourceError, match=r"caf\\udce9' has a name that is not UTF-8 text: rename the folder"):
        open_source(tmp_path)


def test_links_to_folders_are_followed_and_broken_links_are_frames_that_cannot_be_read(tmp_path: Path) -> None:
    real = make_frames(tmp_path / "real", ["1.jpg", "2.jpg"])
    (tmp_path / "set").mkdir()
    (tmp_path / "set" / "07").symlink_to(real)
    (real / "3.jpg").symlink_to(tmp_path / "gone.jpg")
    (real / "4.jpg").symlink_to(real / "4.jpg")
    os.mkfifo(real / "5.jpg")
    (video,) = open_source(tmp_path / "set")
    assert (video.name, video.length) == ("07", 4)
    (chunk,) = video.chunks(24, 32)
    assert chunk.status.tolist() == [READ, READ, UNREADABLE, UNREADABLE]
    assert "does not exist" in video.explain(2)


def test_a_folder_without_permission_is_a_sentence() -> None:
    with locked_folder(0o000) as folder, pytest.raises(SourceError, match=r"cannot be read: Permission denied"):
        open_source(folder)


def test_many_frames_are_listed_in_a_moment(tmp_path: Path) -> None:
    (tmp_path / "01").mkdir()
    for number in range(30_000):
        os.close(os.open(f"{tmp_path}/01/frame_{number}.jpg", os.O_CREAT | os.O_WRONLY))
    start = time.process_time()
    (video,) = open_source(tmp_path)
    assert time.process_time() - start < 0.6  # 0.1 s where it was written, 0.4 s without the path for names alike
    assert isinstance(video, FolderVideo)
    assert np.array_equal(video.frame_ids, np.arange(30_000))


# Frames


@pytest.mark.parametrize("chunk", [1, 3, 64])
def test_chunks_hold_all_frames_in_order(tmp_path: Path, chunk: int) -> None:
    folder = make_frames(tmp_path / "v", [f"{number}.png" for number in range(3, 10)], size=(20, 30))
    (video,) = open_source(folder)
    chunks = list(video.chunks(24, 16, chunk=chunk))
    assert [len(one.status) for one in chunks] == [min(chunk, 7 - start) for start in range(0, 7, chunk)]
    assert np.concatenate([one.frame_ids for one in chunks]).tolist() == list(range(3, 10))
    frames = np.concatenate([one.frames for one in chunks])
    assert (frames.shape, frames.dtype) == ((7, 24, 16), np.uint8)
    assert np.array_equal(frames, np.broadcast_to(np.arange(7)[:, None, None] * 10, frames.shape))
    assert all(one.seconds is None and not one.status.any() for one in chunks)


def test_the_size_is_kept_where_none_is_given(tmp_path: Path) -> None:
    folder = make_frames(tmp_path / "v", ["2.png", "3.png"], size=(20, 30))
    (folder / "1.png").touch()
    (video,) = open_source(folder)
    assert video.size() == (30, 20)
    frames = [chunk.frames for chunk in video.chunks(None, None, color="rgb", chunk=1)]
    assert [one.shape for one in frames] == [(1, 30, 20, 3)] * 3
    assert [one.max() for one in frames] == [0, 0, 10]


def test_mixed_sizes_are_refused_where_the_size_is_kept(tmp_path: Path) -> None:
    folder = make_frames(tmp_path / "v", ["1.png"], size=(20, 30))
    Image.new("L", (40, 30)).save(folder / "2.png")
    (video,) = open_source(folder)
    with pytest.raises(SourceError, match=r"2\.png is 40x30 pixels, but the first frame of its video is 20x30: make"):
        list(video.chunks(None, None))
    assert [chunk.frames.shape for chunk in video.chunks(16, 16)] == [(2, 16, 16)]


def test_a_video_without_a_readable_frame_has_no_size(tmp_path: Path) -> None:
    folder = tmp_path / "v"
    folder.mkdir()
    (folder / "1.jpg").touch()
    (folder / "2.jpg").write_text("no image")
    (video,) = open_source(folder)
    with pytest.raises(SourceError, match=r"holds no frame that can be read: .*1\.jpg is empty \(0 bytes\)\. Copy"):
        video.size()


@pytest.mark.parametrize("arguments", [{"chunk": 0}, {"height": 3, "width": None}])
def test_impossible_chunks_are_refused_at_once(tmp_path: Path, arguments: dict[str, int | None]) -> None:
    (video,) = open_source(make_frames(tmp_path / "v", ["1.png"]))
    with pytest.raises(ValueError, match=r"chunk must be at least 1|height and width go together"):
        video.chunks(**{"height": 8, "width": 8} | arguments)  # type: ignore[arg-type]


def test_the_fingerprint_goes_with_content_and_names(tmp_path: Path) -> None:
    def fingerprint(folder: Path) -> bytes:
        (video,) = open_source(folder)
        return video.fingerprint()

    first = fingerprint(make_frames(tmp_path / "a", ["1.png", "2.png"]))
    assert fingerprint(make_frames(tmp_path / "b", ["1.png", "2.png"])) == first
    assert fingerprint(make_frames(tmp_path / "c", ["2.png", "1.png"])) != first
    assert fingerprint(make_frames(tmp_path / "d", ["1.png", "3.png"])) != first
    assert fingerprint(make_frames(tmp_path / "e", ["1.png", "2.png", "3.png"])) != first


# Repair


def repair_all(frames: np.ndarray, status: np.ndarray) -> np.ndarray:
    """The rule, frame by frame: the nearest earlier readable one, else the next."""
    readable = [at for at in range(len(status)) if status[at] != UNREADABLE]
    sources = [max((at for at in readable if at <= n), default=readable[0]) for n in range(len(status))]
    return frames[sources]


@given(
    status=st.lists(st.sampled_from([READ, TRUNCATED, UNREADABLE]), min_size=1, max_size=40),
    cuts=st.lists(st.integers(1, 9), min_size=40, max_size=40),
    frozen=st.booleans(),
)
def test_repair_takes_the_nearest_earlier_frame_else_the_next(status: list[int], cuts: list[int], frozen: bool) -> None:
    codes = np.array(status, dtype=np.uint8)
    frames = np.arange(1, len(codes) + 1, dtype=np.uint8)[:, None, None] * np.ones((1, 2, 3), dtype=np.uint8)
    frames[codes == UNREADABLE] = 0
    frames.flags.writeable = not frozen
    expected = None if (codes == UNREADABLE).all() else repair_all(frames, codes)
    chunks, start = [], 0
    for cut in cuts:
        part = slice(start, start + cut)
        if start < len(codes):
            chunks.append(Chunk(np.arange(len(codes))[part], frames[part], codes[part]))
        start += cut
    repair = Repair(FolderVideo(Path("nowhere"), [f"{at}.jpg" for at in range(len(codes))]))
    if expected is None:
        with pytest.raises(DecodeError, match="no frame of video nowhere can be read"):
            list(repair.run(chunks))
        return
    repaired = list(repair.run(chunks))
    assert np.array_equal(np.concatenate([one.frames for one in repaired]), expected)
    assert [len(one.frames) for one in repaired] == [len(one.status) for one in chunks]
    assert np.concatenate([one.status for one in repaired]).tolist() == status
    assert np.concatenate([one.frame_ids for one in repaired]).tolist() == list(range(len(codes)))
    assert (repair.truncated, repair.unreadable) == (status.count(TRUNCATED), status.count(UNREADABLE))
    assert (repair.sentence() is None) == (not any(status))


@pytest.fixture
def broken(tmp_path: Path) -> Video:
    """Seven frames: empty, text, good, truncated, empty, good, good."""
    folder = make_frames(tmp_path / "v", [f"{number}.jpg" for number in range(7)], size=(64, 64))
    noise = np.random.default_rng(0).integers(0, 256, (64, 64), dtype=np.uint8)
    Image.fromarray(noise).save(folder / "3.jpg")
    (folder / "3.jpg").write_bytes((folder / "3.jpg").read_bytes()[:-800])
    (folder / "0.jpg").write_bytes(b"")
    (folder / "1.jpg").write_text("this is a text")
    (folder / "4.jpg").write_bytes(b"")
    (video,) = open_source(folder)
    return video


@pytest.mark.parametrize("chunk", [1, 2, 7])
def test_real_broken_files_are_repaired_and_reported(broken: Video, chunk: int) -> None:
    decoded = np.concatenate([one.frames for one in broken.chunks(32, 32, chunk=chunk)])
    repair = Repair(broken)
    chunks = list(repair.run(broken.chunks(32, 32, chunk=chunk)))
    assert np.concatenate([one.status for one in chunks]).tolist() == [2, 2, 0, 1, 2, 0, 0]
    assert np.array_equal(np.concatenate([one.frames for one in chunks]), decoded[[2, 2, 2, 3, 3, 5, 6]])
    sentence = repair.sentence()
    assert sentence is not None
    assert sentence.startswith("video v: 3 unreadable and 1 truncated of 7 frames were repaired (first: ")
    assert sentence.endswith("0.jpg is empty (0 bytes))")


def test_a_consumer_may_change_what_it_was_given(broken: Video) -> None:
    decoded = np.concatenate([one.frames for one in broken.chunks(32, 32)])
    taken = []
    for chunk in Repair(broken).run(broken.chunks(32, 32, chunk=1)):
        taken.append(chunk.frames.copy())
        chunk.frames[:] = 255
    assert np.array_equal(np.concatenate(taken), decoded[[2, 2, 2, 3, 3, 5, 6]])


def test_on_error_raise_names_the_file(broken: Video) -> None:
    with pytest.raises(DecodeError, match=r"v/0\.jpg is empty \(0 bytes\): mend or remove it, or let it be repaired"):
        list(Repair(broken, on_error="raise").run(broken.chunks(32, 32)))


# The data that lies beside the checkout

PED2 = Path(__file__).parents[2] / "shared" / "data" / "ped2"


@pytest.mark.data
@pytest.mark.skipif(not PED2.is_dir(), reason="needs ../shared/data/ped2")
def test_real_footage_is_read_as_it_lies() -> None:
    videos = open_source(PED2 / "testing")
    assert names_of(videos) == ["01", "04", "06", "07", "10", "12"]
    (chunk, *_) = videos[0].chunks(None, None, chunk=4)
    assert chunk.frames.shape == (4, 240, 360)
    assert chunk.frame_ids.tolist() == [0, 1, 2, 3]
    pixels = np.asarray(Image.open(videos[0].describe(0)).convert("L"), dtype=np.float64)
    assert abs(chunk.frames[0] - pixels).mean() < 0.15
    assert not any(one.status.any() for video in videos for one in video.chunks(16, 16))


def test_importing_sources_brings_in_nothing_heavy() -> None:
    code = (
        "import sys, pixelfast.sources, pixelfast.model, pixelfast.scores, pixelfast.atomic; "
        "print([n for n in ('torch', 'cv2', 'onnxruntime', 'pyarrow', 'pandas', 'scipy', 'PIL') if n in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
