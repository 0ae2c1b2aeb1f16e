"""Video files as sources: against a plain reading by PyAV and Pillow, and every fault by its name."""

from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from films import rewritten, walk, write_film
from pixelfast.errors import LostFootageError, SourceError
from pixelfast.options import Reading
from pixelfast.sources import TRUNCATED, Chunk, VideoFile, open_source

Frames = NDArray[np.uint8]
FRAMES = walk()
KINDS: dict[str, dict[str, Any]] = {
    "a.mp4": {},
    "a.mov": {},
    "a.m4v": {"container": "mp4"},
    "a.mkv": {"codec": "ffv1"},
    "a.avi": {"codec": "mpeg4"},
    "a.webm": {"codec": "libvpx-vp9"},
    "a.ts": {"codec": "mpeg2video"},
    "h265.mp4": {"codec": "libx265", "options": {"x265-params": "log-level=none"}},
    "full.avi": {"codec": "mjpeg", "pixels": "yuvj420p"},
    "grey.mkv": {"codec": "ffv1", "pixels": "gray"},
    "444.mkv": {"codec": "ffv1", "pixels": "yuv444p"},
    "nv12.mkv": {"codec": "rawvideo", "pixels": "nv12"},
    "packed.avi": {"codec": "rawvideo", "pixels": "yuyv422"},
    "bgr.avi": {"codec": "rawvideo", "pixels": "bgr24"},
}


def together(video: VideoFile, *size: int | None, color: Any = "grey", chunk: int = 64, threads: int = 2) -> Chunk:
    chunks = list(video.chunks(*(size or (None, None)), color, chunk, threads))
    columns = (np.concatenate([getattr(one, name) for one in chunks]) for name in ("frame_ids", "frames", "status"))
    seconds = [one.seconds for one in chunks if one.seconds is not None]
    return Chunk(*columns, np.concatenate(seconds))


def plain(path: Path) -> Frames:
    """Full-range luma u8[N,H,W] by FFmpeg's own conversion."""
    with av.open(str(path)) as file:
        return np.stack([frame.to_ndarray(format="gray") for frame in file.decode(video=0)])


@pytest.mark.parametrize("name", KINDS)
def test_luma_of_every_kind_is_what_ffmpeg_makes_of_it(name: str, tmp_path: Path) -> None:
    colored = "bgr" in KINDS[name].get("pixels", "")
    frames = np.repeat(FRAMES[..., np.newaxis], 3, axis=3) if colored else FRAMES
    path = write_film(tmp_path / name, frames[:20], **KINDS[name])
    read, expected = together(VideoFile(path)), plain(path).astype(int)
    assert read.frames.shape == expected.shape
    assert np.abs(read.frames - expected).max() <= (2 if colored or "packed" in name else 1)
    assert read.frame_ids.tolist() == list(range(20)) and not read.status.any()
    assert read.seconds is not None and np.allclose(read.seconds, np.arange(20) / 25)


def test_ten_bits_are_rounded_to_eight(tmp_path: Path) -> None:
    path = write_film(tmp_path / "deep.mkv", np.repeat(FRAMES[:4], 2, axis=2), codec="ffv1", pixels="yuv420p10le")
    with av.open(str(path)) as file:
        luma = [np.frombuffer(one.planes[0], "<u2").reshape(96, -1)[:, :256] for one in file.decode(video=0)]  # type: ignore[call-overload]
    eight = np.minimum((np.stack(luma) + 2) >> 2, 255)
    expected = ((eight - 16.0) * 255 / 219).clip(0, 255)
    assert np.abs(together(VideoFile(path)).frames - expected).max() <= 0.51


@pytest.mark.parametrize(("height", "width"), [(96, 128), (95, 127), (33, 49)])
def test_frames_are_resized_as_pillow_does(tmp_path: Path, height: int, width: int) -> None:
    path = write_film(tmp_path / "odd.mkv", FRAMES[:5, :height, :width], codec="ffv1", pixels="yuv444p")
    kept = together(VideoFile(path)).frames
    read = together(VideoFile(path), 40, 50).frames
    small = [np.asarray(Image.fromarray(one).resize((50, 40), Image.Resampling.BILINEAR)).astype(int) for one in kept]
    assert np.abs(read - np.stack(small)).max() <= 2


def test_colour_comes_as_ffmpeg_converts_it(tmp_path: Path) -> None:
    colored = np.stack([FRAMES[:4], FRAMES[4:8], FRAMES[8:12]], axis=3)
    path = write_film(tmp_path / "c.mkv", colored, codec="ffv1", pixels="yuv444p")
    with av.open(str(path)) as file:
        expected = np.stack([one.to_ndarray(format="rgb24") for one in file.decode(video=0)])
    assert (together(VideoFile(path), color="rgb").frames == expected).all()


@pytest.mark.parametrize("chunk", [1, 7, 16, 17, 1000])
@pytest.mark.parametrize("threads", [1, 2, 5])
def test_nothing_depends_on_pieces_and_threads(tmp_path: Path, chunk: int, threads: int) -> None:
    path = write_film(tmp_path / "a.mp4", FRAMES)
    usual, other = together(VideoFile(path), 32, 32), together(VideoFile(path), 32, 32, chunk=chunk, threads=threads)
    assert all((getattr(usual, name) == getattr(other, name)).all() for name in ("frames", "frame_ids", "seconds"))


@pytest.mark.parametrize("rotation", [90, 180, 270])
def test_a_rotation_is_applied_and_said(tmp_path: Path, rotation: int) -> None:
    lying, path = tmp_path / "lying.mp4", tmp_path / "turned.mp4"
    write_film(lying, FRAMES[:4])
    write_film(path, FRAMES[:4], rotation=rotation)
    flat = together(VideoFile(lying)).frames
    turned = VideoFile(path)
    assert (together(turned).frames == np.rot90(flat, rotation // 90, axes=(1, 2))).all()  # anti-clockwise, both
    assert turned.size() == (flat.shape[1:] if rotation == 180 else flat.shape[:0:-1])
    assert "carries a rotation" in turned.notes[0]
    left = VideoFile(path, reading=Reading(orientation=False))
    assert (together(left).frames == flat).all() and not left.notes and left.size() == flat.shape[1:]


def test_a_variable_rate_keeps_its_times(tmp_path: Path) -> None:
    times = [0.0, 0.04, 0.08, 1.5, 1.54, 4.0]
    path = write_film(tmp_path / "v.mkv", FRAMES[:6], times=times)
    video = VideoFile(path)
    read = together(video)
    assert read.seconds is not None and np.allclose(read.seconds, times, atol=1e-3)
    assert not video.notes


def test_lost_packets_cost_what_they_cost(tmp_path: Path) -> None:
    whole = write_film(tmp_path / "a.mp4", FRAMES, options={"g": "20", "bf": "0"})
    path = rewritten(whole, tmp_path / "b.mkv", lambda index, _: not 25 <= index < 31)
    video = VideoFile(path)
    read, intact = together(video), together(VideoFile(whole))
    assert len(read.frames) == 54
    assert read.status.tolist() == [0] * 25 + [TRUNCATED] * 9 + [0] * 20  # smeared up to the next key frame
    assert (read.frames[:25] == intact.frames[:25]).all() and (read.frames[34:] == intact.frames[40:]).all()
    assert "smeared" in video.explain(25) and "frame 25" in video.describe(25)
    assert len(video.notes) == 1 and "0.2 " in video.notes[0] and "missing" in video.notes[0]


def test_a_start_without_a_key_frame(tmp_path: Path) -> None:
    whole = write_film(tmp_path / "a.mp4", FRAMES, options={"g": "20", "bf": "0"})
    path = rewritten(whole, tmp_path / "b.mkv", lambda index, _: index >= 5)
    read, intact = together(VideoFile(path)), together(VideoFile(whole))
    usable = read.status == 0
    assert usable.sum() == 40 and not usable[: len(usable) - 40].any()
    assert (read.frames[usable] == intact.frames[20:]).all()


@pytest.mark.parametrize("name", ["a.mkv", "a.avi", "fast.mp4", "a.ts"])
def test_a_cut_off_end_costs_its_frames_alone(tmp_path: Path, name: str) -> None:
    options = {"movflags": "faststart"} if name == "fast.mp4" else {}
    whole = tmp_path / name
    with av.open(str(whole), "w", options=options) as file:
        kind: dict[str, Any] = {"codec": "mjpeg", "pixels": "yuvj420p"} if name == "a.avi" else {"options": {"bf": "0"}}
        source = av.open(str(write_film(tmp_path / "from.mkv", FRAMES, **kind)))
        stream = file.add_stream_from_template(source.streams.video[0])
        for packet in source.demux(video=0):
            if packet.size:
                packet.stream = stream
                file.mux(packet)
    intact = together(VideoFile(whole))
    path = tmp_path / f"cut.{name.rpartition('.')[2]}"
    path.write_bytes(whole.read_bytes()[: whole.stat().st_size * 9 // 20])
    video = VideoFile(path)
    read = together(video)
    count = int((read.status == 0).sum())
    assert 8 < count < 45 and len(read.frames) - count <= 1
    assert (read.frames[:count] == intact.frames[:count]).all()
    if not name.endswith(".ts"):  # which has no header that promises anything
        (note,) = [one for one in video.notes if "missing" in one]
        said = float(note.split(": ")[1].split()[0])
        assert abs(said - (60 - len(read.frames)) / 25) <= 0.1 and "of the 2.4 seconds" in note and path.name in note


def test_a_damaged_key_frame_smears_up_to_the_next(tmp_path: Path) -> None:
    whole = write_film(tmp_path / "a.mkv", FRAMES, options={"g": "20", "bf": "0"})

    def damage(index: int, packet: Any) -> None:
        if index == 20:
            packet.update(bytes(packet)[:40] + bytes(packet.size - 40)) if hasattr(packet, "update") else None

    path = rewritten(whole, tmp_path / "b.mkv", damage)
    read, intact = together(VideoFile(path)), together(VideoFile(whole))
    bad = np.flatnonzero(read.status)
    assert bad.tolist() == list(range(20, 40))
    assert (read.frames[[*range(20), *range(40, 60)]] == intact.frames[[*range(20), *range(40, 60)]]).all()


def test_times_that_are_missing_or_repeated_are_mended_and_said(tmp_path: Path) -> None:
    path = write_film(tmp_path / "a.mkv", FRAMES[:6], times=[0, 0.04, 0.04, 0.12, 0.16, 0.2], options={"bf": "0"})
    video = VideoFile(path)
    read = together(video)
    assert read.seconds is not None and (np.diff(read.seconds) > 0).all() and len(read.seconds) == 6
    assert "times of 1 frames" in video.notes[0]
    bare = write_film(tmp_path / "raw.h264", FRAMES[:30], container="h264")
    read = together(VideoFile(bare))
    assert read.seconds is not None and (np.diff(read.seconds) > 0).all()


def test_interlaced_frames_are_said_and_made_whole(tmp_path: Path) -> None:
    woven = FRAMES[:20].copy()
    woven[:, 1::2] = FRAMES[1:21, 1::2]
    flags = int(av.codec.context.Flags.interlaced_dct | av.codec.context.Flags.interlaced_me)
    path = write_film(tmp_path / "i.mpg", woven, codec="mpeg2video", flags=flags, options={"flags": "+ilme+ildct"})
    video = VideoFile(path)
    combed = together(video).frames
    assert any("--deinterlace" in note for note in video.notes)
    made_whole = VideoFile(path, reading=Reading(deinterlace=True))
    smooth = together(made_whole)
    assert len(smooth.frames) == 20 and not made_whole.notes
    assert smooth.seconds is not None and np.allclose(np.diff(smooth.seconds), 1 / 25, atol=2e-3)

    def comb(frames: Frames) -> float:
        rows = frames.astype(float)
        return float(np.abs(rows[:, 1:-1] - (rows[:, :-2] + rows[:, 2:]) / 2).mean())

    assert comb(smooth.frames) < 0.8 * comb(combed)


def audio_only(path: Path) -> None:
    with av.open(str(path), "w") as file:
        stream = file.add_stream("aac", rate=44100)
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), format="fltp", layout="mono")
        frame.sample_rate = 44100
        file.mux([*stream.encode(frame), *stream.encode()])


FAULTS: dict[str, tuple[Any, str]] = {
    "empty.mp4": (lambda path: path.touch(), "is empty (0 bytes): copy or export it again"),
    "text.mp4": (lambda path: path.write_text("Grüße, dies ist kein Film\n"), "is no video: it holds text"),
    "zeros.mp4": (lambda path: path.write_bytes(bytes(5000)), "holds nothing but zeros"),
    "noise.mp4": (lambda path: path.write_bytes(np.random.default_rng(0).bytes(5000)), "is no video that FFmpeg can"),
    "sound.mp4": (audio_only, "has no video stream (it holds audio alone)"),
    "no_index.mp4": (
        lambda path: path.write_bytes(write_film(path.with_name("w.mp4"), FRAMES).read_bytes()[:-5000]),
        "has no index (moov), as its recording was cut off",
    ),
    "encrypted.mp4": (
        lambda path: path.write_bytes(
            write_film(path.with_name("w.mp4"), FRAMES).read_bytes().replace(b"avc1\0\0\0\0", b"encv\0\0\0\0")
        ),
        "is encrypted: decrypt it",
    ),
}


@pytest.mark.parametrize("name", FAULTS)
def test_what_is_no_film_gets_a_sentence(name: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    make, sentence = FAULTS[name]
    path = tmp_path / name
    make(path)
    with pytest.raises(LostFootageError) as caught:
        list(VideoFile(path).chunks(8, 8))
    assert str(caught.value).startswith(f"{path} {sentence}"), str(caught.value)
    assert "\n" not in str(caught.value) and not caught.value.insist
    assert capfd.readouterr() == ("", "")  # FFmpeg's own words say nothing to most people


def test_a_file_that_went_away(tmp_path: Path) -> None:
    with pytest.raises(LostFootageError, match=r"gone\.mp4 cannot be read: No such file"):
        list(VideoFile(tmp_path / "gone.mp4").chunks(8, 8))


def test_a_change_of_size_is_resized_and_refused_where_the_size_is_kept(tmp_path: Path) -> None:
    for name, frames in (("a.ts", FRAMES[:20]), ("b.ts", FRAMES[:20, ::2, ::2])):
        write_film(tmp_path / name, frames, codec="mpeg2video")
    path = tmp_path / "both.ts"
    path.write_bytes((tmp_path / "a.ts").read_bytes() + (tmp_path / "b.ts").read_bytes())
    read = together(VideoFile(path), 24, 32)
    assert len(read.frames) >= 38 and (np.diff(read.seconds) > 0).all()
    with pytest.raises(SourceError, match="changes from"):
        list(VideoFile(path).chunks(None, None))


def test_files_and_folders_are_found_together(tmp_path: Path) -> None:
    (tmp_path / "day" / "frames").mkdir(parents=True)
    Image.fromarray(FRAMES[0]).save(tmp_path / "day" / "frames" / "0.png")
    for name in ("day/cam2.mp4", "day/cam10.MKV", "day/cam10.jpg", "x.avi"):
        (tmp_path / name).touch()
    notes: list[str] = []
    assert [video.name for video in open_source(tmp_path, notes)] == ["day/cam2", "day/cam10", "day/frames", "x"]
    assert notes == [f"files that are no frames were passed over: 1, such as {tmp_path}/day/cam10.jpg"]
    assert [video.name for video in open_source(f"{tmp_path}/day/*.[mM]*")] == ["cam2", "cam10"]
    assert [video.name for video in open_source([tmp_path / "x.avi", tmp_path / "day"])] == [
        "cam2", "cam10", "frames", "x",
    ]  # fmt: skip
    (tmp_path / "x.mp4").touch()
    assert [video.name for video in open_source(tmp_path)][-2:] == ["x.avi", "x.mp4"]


def test_the_fingerprint_is_of_the_bytes_and_the_reading(tmp_path: Path) -> None:
    path, other = write_film(tmp_path / "a.mp4", FRAMES[:4]), tmp_path / "b" / "a.mp4"
    other.parent.mkdir()
    other.write_bytes(path.read_bytes())
    prints = {VideoFile(one, reading=how).fingerprint() for one in (path, other) for how in (Reading(), Reading(False))}
    assert len(prints) == 2
