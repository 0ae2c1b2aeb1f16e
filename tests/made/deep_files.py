"""Pictures of more than 8 bits a sample as files, for tests."""

import struct
import zlib
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image


def deep_footage(folder: Path, frames: NDArray[Any], suffix: str = ".png") -> Path:
    """Writes grey frames of any kind as `frame_0001.png`, …, by OpenCV."""
    folder.mkdir(parents=True)
    for number, frame in enumerate(frames, start=1):
        assert cv2.imwrite(str(folder / f"frame_{number:04d}{suffix}"), frame)
    return folder


def write_tiff(
    path: Path, samples: NDArray[Any], tags: dict[int, int] | None = None, data: bytes | None = None
) -> Path:
    """Writes [H, W] or [H, W, C] in one strip, in the bytes' order of its dtype; `data` stands for its bytes."""
    order = ">" if samples.dtype.byteorder == ">" else "<"
    height, width, count = (*samples.shape, 1)[:3]
    kind = {"u": 1, "i": 2, "f": 3}[samples.dtype.kind]
    data = samples.tobytes() if data is None else data
    fields = {
        256: width, 257: height, 258: 8 * samples.itemsize, 259: 1, 262: 1 if count < 3 else 2, 273: 8, 277: count,
        278: height, 279: len(data), 339: kind, **(tags or {}),
    }  # fmt: skip
    directory = b"".join(struct.pack(f"{order}HHII", tag, 4, 1, value) for tag, value in sorted(fields.items()))
    head = (b"II*\0" if order == "<" else b"MM\0*") + struct.pack(f"{order}I", 8 + len(data))
    path.write_bytes(head + data + struct.pack(f"{order}H", len(fields)) + directory + bytes(4))
    return path


def write_png(path: Path, samples: NDArray[np.uint16], significant: bytes = b"") -> Path:
    """Writes a grey PNG of 16 bits by Pillow, its chunk sBIT saying so many bits a sample."""
    Image.fromarray(samples).save(path)
    if significant:
        data = path.read_bytes()
        chunk = struct.pack(">I", len(significant)) + b"sBIT" + significant
        chunk += struct.pack(">I", zlib.crc32(chunk[4:]))
        path.write_bytes(data[:33] + chunk + data[33:])
    return path
