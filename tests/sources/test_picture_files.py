"""Files of several pictures are videos of them where they stand alone; Pillow draws what each picture is."""

import re
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageSequence

from frame_folders import make_frames, names_of
from pictures import picture
from pixelfast.errors import SourceError
from pixelfast.sources import READ, UNREADABLE, FolderVideo, PictureFile, harmless_note, open_source
from pixelfast.sources.video import Color

KINDS = [("tif", {"compression": "tiff_lzw"}), ("png", {}), ("webp", {"lossless": True})]
PIXELS: list[Color] = ["grey", "rgb"]


def pictures(count: int = 5, mode: str = "RGB") -> list[Image.Image]:
    return [picture(40, 56, seed).convert(mode) for seed in range(count)]


def save(path: Path, images: list[Image.Image], **options: Any) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    images[0].save(path, save_all=True, append_images=images[1:], **options)
    return path


def read(video: Any, color: Color = "grey", size: tuple[int, int] | None = None, chunk: int = 2) -> Any:
    chunks = list(video.chunks(*(size or (None, None)), color, chunk, 2))
    seconds = [one.seconds for one in chunks]
    return (
        np.concatenate([one.frames for one in chunks]),
        np.concatenate([one.status for one in chunks]),
        None if seconds[0] is None else np.concatenate(seconds),
    )


def by_pillow(path: Path, color: Color) -> np.ndarray[Any, Any]:
    with Image.open(path) as image:
        mode = "L" if color == "grey" else "RGB"
        return np.stack([np.asarray(one.convert(mode)) for one in ImageSequence.Iterator(image)])


@pytest.mark.parametrize("color", PIXELS)
@pytest.mark.parametrize("mode", ["L", "RGB", "P"])
@pytest.mark.parametrize(("kind", "options"), KINDS)
def test_pictures_of_a_file_are_those_of_as_many_files(
    tmp_path: Path, kind: str, options: dict[str, Any], mode: str, color: Color
) -> None:
    images = pictures(5, "RGB" if kind == "webp" else mode)
    (video,) = open_source(save(tmp_path / f"scan.{kind}", images, **options))
    for index, image in enumerate(images):
        (tmp_path / "single").mkdir(exist_ok=True)
        image.save(tmp_path / "single" / f"{index}.{kind}", **options)
    (single,) = open_source(tmp_path / "single")
    assert (video.name, video.length, video.size()) == ("scan", 5, (40, 56))
    for size in (None, (16, 24)):
        frames, status, _ = read(video, color, size)
        np.testing.assert_array_equal(frames, read(single, color, size, chunk=5)[0])
        assert (status == READ).all()


def sprites() -> list[Image.Image]:
    """Pictures that leave most of the ground open, also half open."""
    found = []
    for step in range(6):
        image = Image.new("RGBA", (48, 36), (0, 0, 0, 0))
        image.paste((200, 30 * step, 40, 255), (4 + 5 * step, 6, 16 + 5 * step, 20))
        found.append(image)
    return found


@pytest.mark.parametrize("color", PIXELS)
@pytest.mark.parametrize("blend", [0, 1])
@pytest.mark.parametrize("disposal", [0, 1, 2, [0, 1, 1, 0, 0, 1]])
def test_an_apng_is_drawn_as_pillow_draws_it(tmp_path: Path, disposal: Any, blend: int, color: Color) -> None:
    path = save(tmp_path / "a.png", sprites(), disposal=disposal, blend=blend, duration=40)
    frames, _, seconds = read(PictureFile(path), color)
    # Pillow leaves trails where it should restore what was there before: there the pictures themselves are the measure.
    mode = "L" if color == "grey" else "RGB"
    drawn = np.stack([np.asarray(image.convert(mode)) for image in sprites()])
    np.testing.assert_array_equal(frames, drawn if disposal == 2 else by_pillow(path, color))
    np.testing.assert_allclose(seconds, np.arange(len(frames)) * 0.04)


@pytest.mark.parametrize("color", PIXELS)
@pytest.mark.parametrize("disposal", [0, 1, 2, 3, [1, 2, 3, 1, 2, 3]])
@pytest.mark.parametrize("open_ground", [True, False])
def test_a_gif_is_drawn_as_pillow_draws_it(tmp_path: Path, open_ground: bool, disposal: Any, color: Color) -> None:
    images = sprites() if open_ground else pictures(6)
    path = save(tmp_path / "a.gif", images, disposal=disposal, duration=[100, 50, 70, 100, 100, 100])
    frames, _, seconds = read(PictureFile(path), color)
    np.testing.assert_array_equal(frames, by_pillow(path, color))
    assert seconds[:3].tolist() == pytest.approx([0, 0.1, 0.15])


@pytest.mark.parametrize("half", [False, True])
def test_an_animated_webp_is_drawn_as_pillow_draws_it(tmp_path: Path, half: bool) -> None:
    images = sprites()
    if half:
        for image in images:
            image.putalpha(image.getchannel("A").point(lambda alpha: alpha // 2))
    path = save(tmp_path / "a.webp", images, lossless=True, exact=True, duration=20)
    frames, _, seconds = read(PictureFile(path), "rgb")
    np.testing.assert_allclose(frames.astype(int), by_pillow(path, "rgb").astype(int), atol=1 if half else 0)
    assert seconds[1] == 0.02


def test_thumbnails_and_masks_are_no_pages(tmp_path: Path) -> None:
    images = pictures(4)
    for image, kind in zip(images, [0, 1, 0, 4], strict=True):
        image.encoderinfo = {"tiffinfo": {254: kind}}
    path = save(tmp_path / "a.tif", images)
    with Image.open(path) as image:
        kinds = [page.tag_v2.get(254, 0) for page in ImageSequence.Iterator(image)]
    if kinds != [0, 1, 0, 4]:
        pytest.skip("this Pillow writes no kinds of pages")
    assert PictureFile(path).length == 2


def test_cutting_a_file_off_loses_no_picture_silently(tmp_path: Path) -> None:
    for kind in ("tif", "png", "webp", "gif"):
        whole = save(tmp_path / f"whole.{kind}", pictures(8), **({"lossless": True} if kind == "webp" else {}))
        clean = read(PictureFile(whole))[0]
        data, seen = whole.read_bytes(), []
        for share in (0.35, 0.6, 0.8, 0.95):
            path = tmp_path / f"cut.{kind}"
            path.write_bytes(data[: int(len(data) * share)])
            video = PictureFile(path)
            frames, status, _ = read(video, size=clean.shape[1:])
            there = int(np.argmax(status != READ)) if (status != READ).any() else len(status)
            np.testing.assert_array_equal(frames[:there], clean[:there])
            assert (status[there + (kind == "tif") :] == UNREADABLE).all()  # the page that is cut has its upper rows
            assert there < len(status), (kind, share)
            assert re.search("cut|decoded|truncated", video.explain(there))
            seen.append(there)
        assert all(before <= after for before, after in pairwise(seen)) and seen[-1] > seen[0]


def test_where_files_of_several_pictures_are_videos(tmp_path: Path) -> None:
    save(tmp_path / "one" / "01" / "stack.tif", pictures(3))
    save(tmp_path / "one" / "02" / "loop.gif", pictures(3))
    make_frames(tmp_path / "one" / "03", ["1.png", "2.png"])
    notes: list[str] = []
    videos = open_source(tmp_path / "one", notes)
    assert [(video.name, video.length) for video in videos] == [("01", 3), ("02", 3), ("03", 2)]
    assert notes == [f"{tmp_path}/one/01/stack.tif holds 3 pictures, the frames of video 01; 2 such files"]
    save(tmp_path / "many" / "cam1.tif", pictures(3))
    save(tmp_path / "many" / "cam2.webp", pictures(2))
    save(tmp_path / "many" / "cam10.gif", pictures(2))
    assert names_of(open_source(tmp_path / "many")) == ["cam1", "cam2", "cam10"]
    assert names_of(open_source(f"{tmp_path}/many/*")) == ["cam1", "cam2", "cam10"]
    assert names_of(open_source([tmp_path / "many" / "cam2.webp", tmp_path / "one" / "03"])) == ["03", "cam2"]
    assert names_of(open_source(tmp_path / "one" / "01")) == ["01"]
    with pytest.raises(SourceError, match="is a single frame: give the folder that holds it"):
        open_source(tmp_path / "one" / "03" / "1.png")


def test_among_single_pictures_the_first_is_the_frame_and_said_once(tmp_path: Path) -> None:
    make_frames(tmp_path / "v", ["1.tif", "2.png", "3.webp"], (56, 40))
    save(tmp_path / "v" / "4.tif", pictures(4))
    save(tmp_path / "v" / "5.png", pictures(3))
    save(tmp_path / "v" / "x.gif", pictures(3))
    notes: list[str] = []
    (video,) = open_source(tmp_path / "v", notes)
    assert isinstance(video, FolderVideo) and video.length == 5
    assert notes == [f"files that are no frames were passed over: 1, such as {tmp_path}/v/x.gif"]
    frames, _, _ = read(video)
    np.testing.assert_array_equal(frames[3], np.asarray(pictures()[0].convert("L")))
    assert harmless_note([video]) == [f"{tmp_path}/v/4.tif holds 4 pictures, the first is read; 2 such files"]


def test_pages_of_several_sizes_are_named(tmp_path: Path) -> None:
    video = PictureFile(save(tmp_path / "a.tif", [*pictures(2), picture(30, 30)]))
    assert video.sizes == {(40, 56): f"{video.path} (picture 1)", (30, 30): f"{video.path} (picture 3)"}
    with pytest.raises(SourceError, match=r"56x40 and .*picture 3\) has 30x30"):
        video.check_one_size()
    assert read(video, size=(16, 16))[0].shape == (3, 16, 16)


def test_a_copy_has_the_same_fingerprint_and_a_changed_page_another(tmp_path: Path) -> None:
    one = save(tmp_path / "a" / "s.tif", pictures(3))
    copy = save(tmp_path / "b" / "s.tif", pictures(3))
    other = save(tmp_path / "c" / "s.tif", [*pictures(2), picture(40, 56, 9)])
    prints = [PictureFile(path).fingerprint() for path in (one, copy, other)]
    assert prints[0] == prints[1] != prints[2]
