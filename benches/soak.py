"""What a process gains while it works on and on: memory, open handles and threads of a watch, and of scores in a row.

    python benches/soak.py --out /tmp/soak                     # 20 minutes of watch, then 200 scores
    python benches/soak.py --out /tmp/soak --minutes 20
    python benches/soak.py --out /tmp/soak --scores 200

The watch is of a drawn film, sent over and over as a stream of this machine at the film's pace, whose sender ends the
connection every fourth time; events are saved, and the page is on. The scores are of the film's frames, by a density
model and by an ONNX engine in turns, written to files each time. Linux only: numbers are those of /proc.
"""

import argparse
import ctypes
import gc
import logging
import os
import shutil
import socket
import statistics
import subprocess
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

import av
import cv2

import pixelfast
from pixelfast.demo.scene import SceneSpec, generate_scene
from scale import recorded_engine

SPEC = SceneSpec(seed=5, height=180, width=320, train_videos=4, train_frames=175, test_videos=2, test_frames=100)
FPS = 12
ROUNDS = 4
"""Times the film is sent in one connection."""
_FIELDS = ("arena", "ordblks", "smblks", "hblks", "hblkhd", "usmblks", "fsmblks", "uordblks", "fordblks", "keepcost")
"""Of glibc's `struct mallinfo2`."""
EVERY_SECONDS, EVERY_SCORES = 60.0, 20


class Sample(NamedTuple):
    """What a process holds; memory that is not allocated is kept by the allocator of C for what comes."""

    memory_mib: float
    allocated_mib: float
    handles: int
    threads: int


def sample() -> Sample:
    """What this process holds now: memory in MiB, open files and sockets, threads."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    handles, threads = (len(list(Path(f"/proc/self/{name}").iterdir())) for name in ("fd", "task"))
    memory, allocated = pages * os.sysconf("SC_PAGE_SIZE"), _heaps()
    return Sample(memory / 2**20, allocated / 2**20, handles - 1, threads)  # the listing is a handle itself


class _Mallinfo(ctypes.Structure):
    _fields_ = tuple((name, ctypes.c_size_t) for name in _FIELDS)


def _heaps() -> int:
    """Bytes that glibc's heaps have given out."""
    about = ctypes.CDLL(None).mallinfo2
    about.restype = _Mallinfo
    found = about()
    return int(found.hblkhd + found.uordblks)


def table(samples: list[Sample], title: str) -> str:
    """The samples in short, as Markdown; growth is from the first to the last."""
    lines = [f"| {title} | first | median of the second half | last | growth |", "| --- | --- | --- | --- | --- |"]
    for name in Sample._fields:
        values = [getattr(one, name) for one in samples]
        late = statistics.median(values[len(values) // 2 :])
        cells = (f"{value:.1f}" for value in (values[0], late, values[-1]))
        lines.append(f"| {name.replace('_mib', ', MiB')} | {' | '.join(cells)} | {values[-1] - values[0]:+.1f} |")
    return "\n".join(lines)


def score_again_and_again(source: Path, engines: list[Path], out: Path, times: int, every: int) -> list[Sample]:
    """Scores a source so often, by each engine in its turn; samples are taken every so many scores."""
    samples = []
    for number in range(1, times + 1):
        shutil.rmtree(out, ignore_errors=True)
        out.mkdir()
        pixelfast.score(source, engines[number % len(engines)], out=out / "scores.parquet")
        if number % every == 0:
            gc.collect()
            samples.append(sample())
    return samples


def send(film: str) -> None:
    """Prints a port of this machine and sends the film to who asks there, over and over, at its own pace."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        print(server.getsockname()[1], flush=True)
        while True:
            receiver, _ = server.accept()
            with receiver, suppress(OSError), receiver.makefile("wb") as sink:
                _send_rounds(film, sink)


def _send_rounds(film: str, sink: object) -> None:
    begun, sent = time.monotonic(), 0
    with av.open(sink, "w", format="mpegts") as to:
        stream = None
        for _ in range(ROUNDS):
            with av.open(film) as file:
                stream = to.add_stream_from_template(file.streams.video[0]) if stream is None else stream
                for packet in file.demux(video=0):
                    if packet.pts is not None:
                        packet.pts = packet.dts = round(sent / FPS / packet.time_base)
                        packet.stream = stream
                        to.mux(packet)
                        sent += 1
                        time.sleep(max(0.0, begun + sent / FPS - time.monotonic()))


def watch(film: Path, model: Path, out: Path, minutes: float) -> list[Sample]:
    """Watches the stream for so long; samples are taken every minute, the first after one."""
    sender = subprocess.Popen([sys.executable, __file__, "--send", film], stdout=subprocess.PIPE, text=True)
    samples: list[Sample] = []
    try:
        address = f"tcp://127.0.0.1:{sender.stdout.readline().strip()}"
        with pixelfast.watch(address, model, alarm_rate="1/100frames", save_events=out, page=0) as watching:
            threading.Thread(target=_keep_samples, args=(watching, samples, minutes), daemon=True).start()
            events = sum(1 for _ in watching)
            stood = watching.standing()
    finally:
        sender.kill()
        sender.wait()
    print(f"{stood.frames:,} frames, {events:,} events, {stood.dropped:,} dropped, {stood.reconnects} reconnects")
    return samples


def _keep_samples(watching: pixelfast.Watch, samples: list[Sample], minutes: float) -> None:
    for _ in range(round(60 * minutes / EVERY_SECONDS)):
        time.sleep(EVERY_SECONDS)
        samples.append(sample())
        print(f"  {samples[-1]}", file=sys.stderr, flush=True)
    watching.stop()


def made(out: Path) -> tuple[Path, Path, Path, Path]:
    """The frames to score, a film of them, a density model and an ONNX engine; what is there is taken."""
    scene = generate_scene(out / "scene", SPEC)
    film, model, engine = out / "film.ts", out / "model", out / "ae.onnx"
    if not (model / "model.json").exists():
        pixelfast.train(scene.train, model, live=True, fps=FPS, fresh=True)
    if not film.exists():
        _film(film, sorted(scene.test.rglob("*.jpg")))
    return scene.test, film, model, recorded_engine(engine)


def _film(film: Path, pictures: list[Path]) -> None:
    with av.open(str(film), "w") as file:
        stream = file.add_stream("libx264", rate=FPS)
        stream.height, stream.width, stream.pix_fmt = SPEC.height, SPEC.width, "yuv420p"
        stream.codec_context.options = {"bf": "0"}
        for number, path in enumerate(pictures):
            frame = av.VideoFrame.from_ndarray(cv2.imread(str(path)), format="bgr24").reformat(format="yuv420p")
            frame.pts = number
            file.mux(stream.encode(frame))
        file.mux(stream.encode())


def main() -> None:
    """Soaks what was asked for, and prints the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, help="folder for what is made; taken again")
    parser.add_argument("--minutes", type=float, help="how long to watch (20, where nothing is asked for)")
    parser.add_argument("--scores", type=int, help="how often to score (200, where nothing is asked for)")
    parser.add_argument("--send", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.send:
        send(given.send)
    if given.out is None:
        parser.error("--out is needed")
    if given.minutes is None and given.scores is None:
        given.minutes, given.scores = 20.0, 200
    logging.getLogger("pixelfast").setLevel(logging.ERROR)
    given.out.mkdir(parents=True, exist_ok=True)
    source, film, model, engine = made(given.out)
    if given.minutes:
        samples = watch(film, model, given.out / "events", given.minutes)
        print(table(samples, f"watch, {given.minutes:g} minutes"), flush=True)
    if given.scores:
        every = min(EVERY_SCORES, given.scores)
        samples = score_again_and_again(source, [model, engine], given.out / "scored", given.scores, every)
        print(table(samples, f"score, {given.scores} times"), flush=True)


if __name__ == "__main__":
    main()
