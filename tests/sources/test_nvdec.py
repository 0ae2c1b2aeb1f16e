"""Video files by NVDEC, as a module of its interface decodes them on the CPU: what FFmpeg gives, or FFmpeg itself.

Not run here is NVDEC itself: that needs an NVIDIA GPU and `pip install '.[nvdec]'`.
"""

import inspect
import logging
import re
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

import pixelfast
from films import rewritten, walk, write_film
from pixelfast.errors import ArgumentError, DecodeError, LostFootageError
from pixelfast.machine.gpu import first_gpu
from pixelfast.model import Model
from pixelfast.options import Reading
from pixelfast.sources import Chunk, VideoFile, nvdec
from pixelfast.sources.nvdec import Toolkit, UnfitError, describe_nvdec
from pixelfast.sources.video import joined

pytest.importorskip("torch", reason="needs PyTorch: pip install '.[nvdec]'")

from fake_nvdec import FakeNvdec

FRAMES = walk(70)
KINDS: dict[str, dict[str, Any]] = {
    "a.mp4": {},
    "b.mkv": {"options": {"bf": "3", "g": "25"}},
    "c.ts": {},
    "full.mp4": {"pixels": "yuvj420p"},
    "h265.mp4": {"codec": "libx265", "options": {"x265-params": "log-level=none"}},
    "vp9.webm": {"codec": "libvpx-vp9"},
    "av1.mp4": {"codec": "libsvtav1", "options": {"svtav1-params": "preset=12"}},
    "times.mkv": {"times": [0.04 * index + 0.5 * (index > 30) + 0.01 * (index % 3) for index in range(70)]},
}


@pytest.fixture
def nvdec_here(monkeypatch: pytest.MonkeyPatch) -> FakeNvdec:
    """Has the made-up module decode."""
    fake = FakeNvdec()
    package: Any = fake
    monkeypatch.setattr("pixelfast.sources.shots.toolkit", lambda: Toolkit(package, "cpu"))
    return fake


def read(
    path: Path, size: tuple[int, int] | None = (32, 48), chunk: int = 13, threads: int = 2, **reading: Any
) -> tuple[Chunk, VideoFile]:
    video = VideoFile(path, reading=Reading(**reading))
    return joined(list(video.chunks(*(size or (None, None)), "grey", chunk, threads))), video


def by_ffmpeg(path: Path, *args: Any, **kwargs: Any) -> tuple[Chunk, VideoFile]:
    """What `read` gives without NVDEC."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(nvdec.WISH, "ffmpeg")
        return read(path, *args, **kwargs)


def assert_same(one: tuple[Chunk, VideoFile], other: tuple[Chunk, VideoFile]) -> None:
    for name in ("frame_ids", "frames", "status", "seconds"):
        np.testing.assert_array_equal(getattr(one[0], name), getattr(other[0], name), err_msg=name)
    assert one[1].notes == other[1].notes
    assert [one[1].explain(at) for at in range(len(one[0].status))] == [
        other[1].explain(at) for at in range(len(other[0].status))
    ]


def packets_of(path: Path) -> int:
    with av.open(str(path)) as file:
        return sum(1 for packet in file.demux(video=0) if packet.size)


@pytest.mark.parametrize("name", KINDS)
@pytest.mark.parametrize("size", [None, (32, 48), (4, 5)])
def test_frames_numbers_times_and_states_are_ffmpegs(
    name: str, size: tuple[int, int] | None, tmp_path: Path, nvdec_here: FakeNvdec, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write_film(tmp_path / name, FRAMES, **KINDS[name])
    expected = by_ffmpeg(path, size)
    assert len(expected[0].frames) == 70 and nvdec_here.packets == 0
    monkeypatch.setenv(nvdec.WISH, "nvdec")  # so that nothing is left to FFmpeg
    assert_same(read(path, size), expected)
    assert nvdec_here.packets == packets_of(path) + 1  # the end is told


@pytest.mark.parametrize("chunk", [1, 16, 17, 64, 200])
def test_nothing_depends_on_the_pieces(chunk: int, tmp_path: Path, nvdec_here: FakeNvdec) -> None:
    path = write_film(tmp_path / "a.mp4", FRAMES)
    assert_same(read(path, chunk=chunk), by_ffmpeg(path))


@pytest.mark.usefixtures("nvdec_here")
def test_some_frames_a_second_are_taken_alike(tmp_path: Path) -> None:
    path = write_film(tmp_path / "a.mp4", FRAMES)
    some = VideoFile(path)
    some.taken = 10.0
    taken = joined(list(some.chunks(32, 48)))
    whole = by_ffmpeg(path)[0]
    np.testing.assert_array_equal(taken.frames, whole.frames[taken.frame_ids])
    assert len(taken.frames) == 28 and some.timeline is not None
    np.testing.assert_array_equal(some.timeline.seconds, whole.seconds)


def test_a_run_scores_the_same_and_its_parts_are_taken_for_the_same(
    tmp_path: Path, model: Model, nvdec_here: FakeNvdec, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write_film(tmp_path / "cam.mp4", FRAMES)
    first = pixelfast.score(path, model.folder, parts=tmp_path / "parts", flip="never")
    assert nvdec_here.packets == 71
    monkeypatch.setenv(nvdec.WISH, "ffmpeg")
    plain = pixelfast.score(path, model.folder, flip="never")
    np.testing.assert_array_equal(plain.raw, first.raw)
    assert pixelfast.score(path, model.folder, parts=tmp_path / "parts", flip="never").reused == 1
    assert nvdec_here.packets == 71


def reason_of(caplog: pytest.LogCaptureFixture) -> str:
    (said,) = [record.getMessage() for record in caplog.records if "is decoded by FFmpeg" in record.getMessage()]
    return said


UNFIT: dict[str, tuple[dict[str, Any], str]] = {
    "deep.mkv": ({"pixels": "yuv420p10le"}, "its pixels are yuv420p10le"),
    "444.mkv": ({"pixels": "yuv444p"}, "its pixels are yuv444p"),
    "old.avi": ({"codec": "mpeg4"}, "it is mpeg4"),
    "turned.mp4": ({"rotation": 90}, "it carries a rotation"),
    "raw.h264": ({"container": "h264"}, "its packets have no times"),
}


@pytest.mark.parametrize("name", UNFIT)
def test_what_is_not_for_nvdec_is_ffmpegs(
    name: str, tmp_path: Path, nvdec_here: FakeNvdec, caplog: pytest.LogCaptureFixture
) -> None:
    kind, reason = UNFIT[name]
    path = write_film(tmp_path / name, FRAMES[:20], **kind)
    with caplog.at_level(logging.DEBUG, "pixelfast"):
        assert_same(read(path), by_ffmpeg(path))
    assert reason in reason_of(caplog) and nvdec_here.packets == 0


@pytest.mark.parametrize(
    ("caps", "reason"),
    [
        ({"supported": 0}, "this GPU does not decode H264"),
        ({"width_max": 64}, "its pictures are 128x96, and this GPU decodes H264 up to 64x4096"),
        ({"height_min": 144}, "its pictures are 128x96"),
    ],
)
def test_what_the_gpu_does_not_decode_is_ffmpegs(
    caps: dict[str, int], reason: str, tmp_path: Path, nvdec_here: FakeNvdec, caplog: pytest.LogCaptureFixture
) -> None:
    nvdec_here.caps |= caps
    path = write_film(tmp_path / "a.mp4", FRAMES[:20])
    with caplog.at_level(logging.DEBUG, "pixelfast"):
        assert_same(read(path), by_ffmpeg(path))
    assert reason in reason_of(caplog)


def test_interlaced_files_and_those_to_be_deinterlaced_are_ffmpegs(
    tmp_path: Path, nvdec_here: FakeNvdec, caplog: pytest.LogCaptureFixture
) -> None:
    path = write_film(tmp_path / "i.mkv", FRAMES[:20], options={"x264-params": "interlaced=1"})
    with caplog.at_level(logging.DEBUG, "pixelfast"):
        assert_same(read(path), by_ffmpeg(path))
        assert "it is interlaced" in reason_of(caplog)
        assert_same(read(path, deinterlace=True), by_ffmpeg(path, deinterlace=True))
    assert nvdec_here.packets == 0


def test_color_is_ffmpegs_even_where_nvdec_is_insisted_on(
    tmp_path: Path, nvdec_here: FakeNvdec, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(nvdec.WISH, "nvdec")
    video = VideoFile(write_film(tmp_path / "a.mp4", FRAMES[:5]))
    assert joined(list(video.chunks(32, 48, "rgb"))).frames.shape == (5, 32, 48, 3)
    assert nvdec_here.packets == 0


def test_a_first_picture_that_is_another_ends_it(
    tmp_path: Path, nvdec_here: FakeNvdec, caplog: pytest.LogCaptureFixture
) -> None:
    nvdec_here.wrong = True
    path = write_film(tmp_path / "a.mp4", FRAMES)
    with caplog.at_level(logging.DEBUG, "pixelfast"):
        assert_same(read(path), by_ffmpeg(path))
    assert "from frame 0 on: its first picture is not what FFmpeg decodes" in reason_of(caplog)


@pytest.mark.parametrize("at", [0, 1, 2, 40, 69, 70, 71])
def test_where_the_gpu_fails_ffmpeg_goes_on(
    at: int, tmp_path: Path, nvdec_here: FakeNvdec, caplog: pytest.LogCaptureFixture
) -> None:
    nvdec_here.fails_at = at
    path = write_film(tmp_path / "a.mp4", FRAMES)
    with caplog.at_level(logging.DEBUG, "pixelfast"):
        assert_same(read(path), by_ffmpeg(path))
    assert reason_of(caplog).endswith("NVDEC fails: CUDA_ERROR_UNKNOWN")


def lost(path: Path) -> Path:
    return rewritten(path, path.with_name("lost.mkv"), lambda index, _: not 35 <= index < 41)


def headless(path: Path) -> Path:
    return rewritten(path, path.with_name("headless.mkv"), lambda index, _: index >= 5)


def mislengthed(path: Path) -> Path:
    """A packet says of a part of it that it is longer than the packet."""

    def change(index: int, packet: Any) -> None:
        if index == 38:
            packet.update(b"\x7f" + bytes(packet)[1:])

    return rewritten(path, path.with_name("mislengthed.mkv"), change)


def torn(path: Path) -> Path:
    """An MPEG transport stream that lacks some of its packets, which its counters tell."""
    whole = rewritten(path, path.with_name("whole.ts"), lambda *_: None).read_bytes()
    at = 188 * (len(whole) // 188 // 2)
    torn = path.with_name("torn.ts")
    torn.write_bytes(whole[:at] + whole[at + 3 * 188 :])
    return torn


def cut(path: Path, kind: str) -> Path:
    whole = rewritten(path, path.with_name(f"whole.{kind}"), lambda *_: None).read_bytes()
    cut = path.with_name(f"cut.{kind}")
    cut.write_bytes(whole[: len(whole) * 11 // 20])
    return cut


FAULTY: dict[str, Callable[[Path], Path]] = {
    "lost packets": lost,
    "no key frame at its start": headless,
    "a wrong length within a packet": mislengthed,
    "a torn transport stream": torn,
    "a cut-off mkv": lambda path: cut(path, "mkv"),
}


@pytest.mark.parametrize("fault", FAULTY)
@pytest.mark.parametrize("options", [{"g": "20", "bf": "0"}, {"g": "20", "bf": "2"}])
def test_what_is_wrong_with_a_file_is_ffmpegs_to_say(
    fault: str, options: dict[str, str], tmp_path: Path, nvdec_here: FakeNvdec, caplog: pytest.LogCaptureFixture
) -> None:
    path = FAULTY[fault](write_film(tmp_path / "a.mp4", FRAMES, options=options))
    # By one thread: where several decode, FFmpeg sometimes does not tell that the last picture is smeared.
    expected = by_ffmpeg(path, threads=1)
    with caplog.at_level(logging.DEBUG, "pixelfast"):
        assert_same(read(path, threads=1), expected)
    assert expected[0].status.any() or expected[1].notes
    assert ("is decoded by FFmpeg" in caplog.text) == bool(expected[0].status.any())  # a cut need smear nothing


@pytest.mark.parametrize("options", [{"g": "20", "bf": "0"}, {"g": "20", "bf": "2"}, {"g": "200", "bf": "0"}])
def test_the_end_of_a_transport_stream_is_ffmpegs_to_judge(
    options: dict[str, str], tmp_path: Path, nvdec_here: FakeNvdec
) -> None:
    film = write_film(tmp_path / "a.mp4", FRAMES, options=options)
    whole, path = rewritten(film, tmp_path / "whole.ts", lambda *_: None).read_bytes(), tmp_path / "cut.ts"
    smeared = 0
    for parts in range(60, 101, 4):
        path.write_bytes(whole[: len(whole) * parts // 100])
        expected = by_ffmpeg(path, threads=1)  # as above
        assert_same(read(path, threads=1), expected)
        smeared += bool(expected[0].status.any())
    assert 0 < smeared < 11 and nvdec_here.packets > 11 * 40


def test_no_film_gets_its_usual_sentence(tmp_path: Path, nvdec_here: FakeNvdec) -> None:
    (tmp_path / "a.mp4").write_text("no film")
    with pytest.raises(LostFootageError, match="it holds text"):
        read(tmp_path / "a.mp4")
    assert nvdec_here.packets == 0


def test_one_who_insists_is_told_why_not(
    tmp_path: Path, nvdec_here: FakeNvdec, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(nvdec.WISH, "NVDEC ")
    path = write_film(tmp_path / "a.avi", FRAMES[:5], codec="mpeg4")
    with pytest.raises(
        DecodeError, match=re.escape(f"{path} is not decoded by NVDEC") + ".*it is mpeg4.*take that away"
    ):
        read(path)
    monkeypatch.setenv(nvdec.WISH, "cuda")
    with pytest.raises(ArgumentError, match="PIXELFAST_DECODER must be auto, ffmpeg or nvdec, not 'cuda'"):
        read(path)
    assert (
        describe_nvdec() == "no: the environment variable PIXELFAST_DECODER must be auto, ffmpeg or nvdec, not 'cuda'"
    )


def test_a_file_that_is_left_is_closed(tmp_path: Path, nvdec_here: FakeNvdec) -> None:
    path = write_film(tmp_path / "a.mp4", FRAMES)
    chunks = VideoFile(path).chunks(32, 48, "grey", 4)
    next(chunks)
    assert nvdec_here.packets < 60
    assert [link for link in Path("/proc/self/fd").iterdir() if link.exists() and link.readlink() == path]
    chunks.close()  # type: ignore[attr-defined]
    assert not [link for link in Path("/proc/self/fd").iterdir() if link.exists() and link.readlink() == path]


def test_what_is_missing_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    nvdec._missing.cache_clear()
    monkeypatch.setattr(nvdec, "PACKAGE", "no_such_package")
    with pytest.raises(UnfitError, match=r"no_such_package is not installed: pip install 'pixelfast\[nvdec\]'"):
        nvdec.toolkit()
    assert describe_nvdec().startswith("no: no_such_package")
    nvdec._missing.cache_clear()
    monkeypatch.setattr(nvdec, "PACKAGE", "json")
    monkeypatch.setattr(nvdec, "first_gpu", lambda: None)
    assert describe_nvdec() == "no: this machine has no NVIDIA GPU that can be used"
    monkeypatch.setenv(nvdec.WISH, "ffmpeg")
    assert describe_nvdec() == "no: PIXELFAST_DECODER says ffmpeg"
    nvdec._missing.cache_clear()


def test_the_package_has_what_is_used_of_it() -> None:
    if first_gpu() is None:
        pytest.skip("needs an NVIDIA GPU: PyNvVideoCodec cannot be imported without a driver")
    pytest.importorskip(nvdec.PACKAGE, reason="needs PyNvVideoCodec: pip install '.[nvdec]'")
    check_package(import_module(nvdec.PACKAGE))


def check_package(package: Any) -> None:
    """Compares the protocols with the module: names and, by its docstrings, the arguments of calls."""
    for protocol, real in ((nvdec.NvPackage, package), (nvdec.NvPacketDecoder, package.PyNvDecoder)):
        names = [name for name in vars(protocol) if not name.startswith("_")] + list(protocol.__annotations__)
        assert [name for name in names if not hasattr(real, name)] == []
    for name in ("CreateDecoder", "GetDecoderCaps"):
        wanted = set(inspect.signature(getattr(nvdec.NvPackage, name)).parameters) - {"self"}
        assert wanted <= set(re.findall(r"(\w+): ", getattr(package, name).__doc__)), name
    for name in ("H264", "HEVC", "VP9", "AV1"):
        assert hasattr(package.cudaVideoCodec, name)
    packet = package.PacketData()
    packet.bsl_data, packet.bsl, packet.pts = 4096, 12, -40
    assert (packet.bsl_data, packet.bsl, packet.pts) == (4096, 12, -40)
    frame = package.DecodedFrame
    assert {"timestamp", "__dlpack__", "__dlpack_device__"} <= set(dir(frame))
