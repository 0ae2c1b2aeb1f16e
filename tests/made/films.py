"""Video files, made of drawn frames."""

from collections.abc import Callable, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
from numpy.typing import NDArray

Frames = NDArray[np.uint8]


def walk(count: int = 60, height: int = 96, width: int = 128, seed: int = 0) -> Frames:
    """Grey frames u8[N,H,W]: a patterned box walks over a mottled ground, with a little noise."""
    rng = np.random.default_rng(seed)
    ground = np.kron(rng.integers(70, 180, (-(-height // 8), -(-width // 8))), np.ones((8, 8)))[:height, :width]
    box = rng.integers(20, 236, (24, 16))
    frames = ground + rng.normal(0, 1.5, (count, height, width))
    for index, frame in enumerate(frames):
        left = 4 + (2 * index) % (width - 24)
        frame[30:54, left : left + 16] = box
    return frames.clip(16, 235).astype(np.uint8)


def write_film(
    path: Path,
    frames: Frames,
    *,
    codec: str = "libx264",
    pixels: str = "yuv420p",
    rate: int = 25,
    times: Sequence[float] | None = None,
    options: dict[str, str] | None = None,
    rotation: int = 0,
    container: str | None = None,
    **context: Any,
) -> Path:
    """Writes grey frames, whose bytes become luma as they are, or RGB ones; `times` are in seconds."""
    with av.open(str(path), "w", format=container) as file:
        stream: Any = file.add_stream(codec, rate=rate, options=options or {})
        stream.pix_fmt, stream.height, stream.width = pixels, *frames.shape[1:3]
        stream.codec_context.time_base = stream.time_base = Fraction(1, 1000 if times else rate)
        for name, value in context.items():
            setattr(stream.codec_context, name, value)
        if rotation:
            stream.set_display_rotation(rotation)
        for index, pixels_of_it in enumerate(frames):
            frame = picture(pixels_of_it, pixels)
            frame.pts = index if times is None else round(1000 * times[index])
            frame.time_base = stream.codec_context.time_base
            file.mux(stream.encode(frame))
        file.mux(stream.encode())
    return path


def rewritten(path: Path, into: Path, change: Callable[[int, Any], Any]) -> Path:
    """The packets of a film in another file, as `change(index, packet)` leaves them; False leaves one out."""
    with av.open(str(path)) as source, av.open(str(into), "w") as target:
        stream = target.add_stream_from_template(source.streams.video[0])
        for index, packet in enumerate(source.demux(video=0)):
            if packet.size and change(index, packet) is not False:
                packet.stream = stream
                target.mux(packet)
    return into


def picture(pixels: Frames, kind: str) -> Any:
    """A frame for an encoder: grey bytes are its luma, whatever range they are of."""
    if pixels.ndim == 3:
        return av.VideoFrame.from_ndarray(pixels, format="rgb24").reformat(format=kind)
    made = av.VideoFrame(pixels.shape[1], pixels.shape[0], kind)
    for plane in made.planes:
        plane.update(bytes(np.full(plane.buffer_size, 128, np.uint8)))
    luma = made.planes[0]
    rows = np.zeros((luma.height, luma.line_size), np.uint8)
    rows[:, : pixels.shape[1]] = pixels
    luma.update(rows.tobytes())
    return made
