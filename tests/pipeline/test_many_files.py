"""A run over video files: the same whatever the threads, a lost one at its place, memory that stays."""

import subprocess
import sys
import textwrap
from pathlib import Path

import av
import pytest

import pixelfast
from films import walk, write_film
from pixelfast.model import Model
from pixelfast.sources.several import AHEAD_BYTES
from tiny_engines import write_frame_engine

MOST_BYTES = AHEAD_BYTES  # half of it may wait


def test_many_files_score_as_each_alone(model: Model, tmp_path: Path) -> None:
    folder = tmp_path / "cams"
    folder.mkdir()
    for number in range(7):
        write_film(folder / f"{number}.mp4", walk(20 + 5 * number, seed=number))
    (folder / "3.mp4").write_bytes(b"no film" * 100)
    every = []
    for threads in (1, 2, 5):
        with pytest.raises(pixelfast.LostFootageError, match=r"1 of 7 videos not scored .*3\.mp4") as caught:
            pixelfast.score(folder, model.folder, threads=threads)
        assert caught.value.scores is not None
        every.append(caught.value.scores)
    assert all(every[0].raw.tobytes() == other.raw.tobytes() for other in every)
    alone = [pixelfast.score(folder / f"{number}.mp4", model.folder).raw for number in range(7) if number != 3]
    assert every[0].raw.tolist() == [value for raw in alone for value in raw.tolist()]


def test_parts_of_files_are_kept_and_found(model: Model, tmp_path: Path) -> None:
    folder = tmp_path / "cams"
    folder.mkdir()
    for number in range(4):
        write_film(folder / f"{number}.mp4", walk(30, seed=number))
    first = pixelfast.score(folder, model.folder, parts=tmp_path / "parts")
    next((tmp_path / "parts").glob("2.*")).unlink()
    again = pixelfast.score(folder, model.folder, parts=tmp_path / "parts")
    assert again.reused == 3
    assert again.raw.tolist() == first.raw.tolist()


def repeated(path: Path, film: Path, times: int) -> Path:
    """A film over and over, without encoding it anew."""
    with av.open(str(film)) as source, av.open(str(path), "w") as file:
        stream = file.add_stream_from_template(source.streams.video[0])
        packets = [packet for packet in source.demux(video=0) if packet.pts is not None]
        span = max(packet.pts for packet in packets) + packets[0].duration
        kept = [(bytes(one), one.pts, one.dts, one.is_keyframe, one.time_base) for one in packets]
        for turn in range(times):
            for data, pts, dts, is_key, base in kept:
                packet = av.Packet(data)
                packet.pts, packet.dts, packet.time_base = pts + turn * span, dts + turn * span, base
                packet.is_keyframe, packet.stream = is_key, stream
                file.mux(packet)
    return path


def test_memory_does_not_depend_on_the_length_of_a_file(tmp_path: Path) -> None:
    film = write_film(tmp_path / "short.mkv", walk(100, 64, 64), codec="mpeg4")
    engine = write_frame_engine(tmp_path / "ae.onnx", size=64)
    program = """
        import resource, sys
        import pixelfast
        scores = pixelfast.score(sys.argv[1], sys.argv[2])
        print(len(scores), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
    """
    peaks = {}
    for frames in (1_000, 40_000):
        path = repeated(tmp_path / f"{frames}.mkv", film, frames // 100)
        command = [sys.executable, "-c", textwrap.dedent(program), str(path), str(engine)]
        scored, peak_kib = subprocess.run(
            command, capture_output=True, text=True, check=True, timeout=300
        ).stdout.split()
        assert int(scored) == frames
        peaks[frames] = 1024 * int(peak_kib)
    assert peaks[40_000] - peaks[1_000] < MOST_BYTES < 39_000 * 64 * 64 / 2
