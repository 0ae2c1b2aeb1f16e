"""Sources: what is found in real folders, and what is refused."""

import logging
import os
import re
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from disk import locked_folder
from frame_folders import make_frames, names_of
from pixelfast.errors import SourceError
from pixelfast.sources import READ, UNREADABLE, FolderVideo, open_source

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
    "names", [["a1.jpg", "b1.jpg"], ["1.jpg", "1.png"], ["start.jpg", "7.jpg"], [f"{10**19}.jpg", "7.jpg"]]
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
    make_frames(tmp_path / "nested" / "01" / "in", ["1.jpg"])
    make_frames(tmp_path / "nested" / "01", ["1.jpg"])
    (tmp_path / "empty").mkdir()
    (tmp_path / "hollow" / "01").mkdir(parents=True)
    (tmp_path / "texts").mkdir()
    (tmp_path / "texts" / "notes.txt").touch()
    make_frames(tmp_path / "good", ["1.jpg"])
    return tmp_path


@pytest.mark.parametrize(
    ("source", "sentence"),
    [
        ("none", "{}/none does not exist: give a folder of frames, or a folder of such folders"),
        ("mix", "{}/mix holds both loose frames (cover.jpg and 1 more) and folders (01): move the frames"),
        ("nested", "{}/nested/01 holds both loose frames (1.jpg) and folders (in)"),
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
    start = time.thread_time()
    (video,) = open_source(tmp_path)
    assert time.thread_time() - start < 0.6  # 0.1 s where it was written, 0.4 s without the path for names alike
    assert isinstance(video, FolderVideo)
    assert np.array_equal(video.frame_ids, np.arange(30_000))


def test_importing_sources_brings_in_nothing_heavy() -> None:
    code = (
        "import sys, pixelfast.sources, pixelfast.model, pixelfast.scores, pixelfast.files.atomic; "
        "print([n for n in ('torch', 'cv2', 'onnxruntime', 'pyarrow', 'pandas', 'scipy', 'PIL') if n in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
