"""The files beside an ONNX file that hold its weights, whatever they are called."""

import mmap
from collections.abc import Iterator
from pathlib import Path
from typing import Final

_LOCATION: Final = b"\x0a\x08location\x12"
"""How protobuf writes the key "location" of a tensor's external data, and that a text follows: its length comes next.

Bytes within the weights may read the same by chance; a file that is not there is then all they name.
"""

_LONGEST: Final = 4096  # bytes of a path


def external_files(path: Path) -> set[Path]:
    """Returns the paths that the tensors of an `.onnx` file refer to, whether they exist or not; none for other files.

    Raises:
        OSError: it cannot be read.
    """
    if path.suffix.lower() != ".onnx" or path.stat().st_size == 0:
        return set()
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        names = set(_locations(data))
    return {path.parent / name for name in names}


def _locations(data: mmap.mmap) -> Iterator[str]:
    at = data.find(_LOCATION)
    while at >= 0:
        at += len(_LOCATION)
        head = data[at : at + 2]
        # A varint of one byte, or of two: seven bits each, the lowest first.
        size, begin = (head[0], at + 1) if head and head[0] < 128 else (0, at)
        if len(head) == 2 and head[0] >= 128:
            size, begin = (head[0] & 127) | head[1] << 7, at + 2
        name = data[begin : begin + size].decode(errors="replace")
        if 0 < size <= _LONGEST and "\0" not in name:
            yield name
        at = data.find(_LOCATION, at)
