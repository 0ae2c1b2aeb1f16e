"""The files beside an ONNX file that hold its weights, whatever they are called, and the refusal of others.

An ONNX file is read here as protobuf writes it, field by field, without the libraries that would open what it names.
"""

import mmap
import re
from collections.abc import Iterator
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Final

from pixelfast.errors import EngineError

_KINDS: Final[dict[str, dict[int, str]]] = {
    "model": {7: "graph", 20: "training", 25: "function"},
    "training": {1: "graph", 2: "graph"},
    "graph": {1: "node", 5: "tensor", 15: "sparse"},
    "node": {5: "attribute"},
    "attribute": {5: "tensor", 6: "graph", 10: "tensor", 11: "graph", 22: "sparse", 23: "sparse"},
    "sparse": {1: "tensor", 2: "tensor"},
    "function": {7: "node", 11: "attribute"},
    "tensor": {13: "entry"},
}
"""Messages of ONNX in which a tensor may lie, by the numbers of their fields (onnx.proto)."""

_FIRST_BYTE: Final = b"\x08"  # the key of `ir_version`, the first field that every exporter writes
_KEY, _VALUE = 1, 2  # fields of an entry of a tensor's external data
_VARINT, _EIGHT, _BYTES, _GROUP, _END, _FOUR = range(6)  # how protobuf writes a field
_WIDTHS: Final = {_EIGHT: 8, _FOUR: 4}
_LONGEST_VARINT: Final = 10  # bytes


class _BrokenError(ValueError):
    """The bytes are not as protobuf writes them."""


def external_files(path: Path) -> set[Path]:
    """Returns the paths that the tensors of an `.onnx` file refer to, whether they exist or not; none for other files.

    Of a damaged file those before the damage count.

    Raises:
        OSError: it cannot be read.
    """
    names = set()
    if path.suffix.lower() == ".onnx":
        try:
            for name in _locations(path):
                names.add(name)
        except _BrokenError:
            pass  # whoever opens it says so
    return {path.parent / name for name in names if "\0" not in name}


def check_external(path: Path) -> None:
    """Refuses an ONNX file that takes weights from outside its own folder, before any library opens it.

    Raises:
        EngineError: it names such a file: an absolute path, one with "..", or a symbolic link; or it is damaged, so
            that nobody can tell.
    """
    try:
        names = sorted(set(_locations(path)))
    except OSError as error:
        raise EngineError(f"{path} cannot be read: {error.strerror or error}") from error
    except _BrokenError as error:
        raise EngineError(broken_onnx(path, str(error))) from error
    for name in names:
        fact = _outside(path.parent, name)
        if fact is not None:
            raise EngineError(
                f"{path} takes weights from {name!r}, {fact}, and an engine may read its own folder alone: put the "
                "weights beside it and write it again, or have nothing to do with it"
            )


def broken_onnx(path: Path, reason: str) -> str:
    """Returns the sentence about a file that is no ONNX file, or a damaged one, for which `reason` is a library's."""
    with path.open("rb") as file:
        start = file.read(16)
    if not start.startswith(_FIRST_BYTE):
        return f"{path} is no ONNX engine: it begins with {start!r}"
    return (
        f"{path} looks like an ONNX engine but cannot be loaded; cut off or damaged? Copy or export it again ({reason})"
    )


def _outside(folder: Path, name: str) -> str | None:
    """Says in what way a file's name leads out of the folder; None where it does not."""
    if PurePosixPath(name).is_absolute() or PureWindowsPath(name).anchor:
        return "an absolute path"
    parts = re.split(r"[/\\]", name)
    if ".." in parts:
        return 'a path with ".."'
    if "\0" in name:
        return "which is no path"
    here = folder
    for part in parts:
        here /= part
        if here.is_symlink():
            return "a symbolic link"
    return None


def _locations(path: Path) -> Iterator[str]:
    if path.stat().st_size == 0:
        return
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        left = [("model", 0, len(data))]
        while left:
            kind, start, end = left.pop()
            fields = list(_fields(data, start, end))
            if kind != "entry":
                known = _KINDS[kind]
                left += [(known[number], *span) for number, span in fields if number in known]
            elif any(number == _KEY and data[slice(*span)] == b"location" for number, span in fields):
                yield from (data[slice(*span)].decode(errors="replace") for number, span in fields if number == _VALUE)


def _fields(data: mmap.mmap, at: int, end: int) -> Iterator[tuple[int, tuple[int, int]]]:
    """The number of each field of a message that is written as bytes, and where these begin and end."""
    groups = 0
    while at < end:
        key, at = _varint(data, at, end)
        number, how = key >> 3, key & 7
        if key >> 32:  # some readers drop what is beyond, and read another field
            raise _BrokenError(f"a field of a number that none has before byte {at}")
        if how == _VARINT:
            _, at = _varint(data, at, end)
        elif how == _BYTES:
            size, at = _varint(data, at, end)
            if at + size <= end and not groups:
                yield number, (at, at + size)
            at += size
        elif how in (_GROUP, _END):  # of old protobuf; who knows no such field skips all within
            groups += 1 if how == _GROUP else -1
        elif how in _WIDTHS:
            at += _WIDTHS[how]
        else:
            raise _BrokenError(f"a field of an unknown kind before byte {at}")
        if number == 0 or at > end or groups < 0:
            raise _BrokenError(f"a field that cannot be before byte {at}")
    if groups:
        raise _BrokenError(f"a group without an end before byte {at}")


def _varint(data: mmap.mmap, at: int, end: int) -> tuple[int, int]:
    """A whole number, seven bits a byte, the lowest first; and where the next byte lies."""
    value = shift = 0
    while True:
        if at >= end or shift >= 7 * _LONGEST_VARINT:
            raise _BrokenError(f"a number without an end before byte {at}")
        byte = data[at]
        value |= (byte & 127) << shift
        at, shift = at + 1, shift + 7
        if byte < 128:
            return value, at
