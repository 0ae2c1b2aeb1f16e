"""NumPy archives (`np.savez`) of many small arrays, read some ten times faster than `np.load` reads them.

`np.load` parses each array's header as Python source and reads through several layers of buffers: more than a
millisecond for the part of a video of a minute, and a long run has tens of thousands of parts.
"""

import io
import re
import struct
import zipfile
import zlib
from collections.abc import Collection
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

# What NumPy writes for a contiguous array of plain numbers, format 1.0: magic, length of the header, the header.
_HEADER = re.compile(
    rb"\x93NUMPY\x01\x00(?s:..)\{'descr': '([<|][biuf]\d)', 'fortran_order': False, 'shape': \(([\d, ]*)\), \} *\n"
)
_SMALL = 1 << 20
_LOCAL_HEADER = struct.Struct("<26xHH")  # of a member of a ZIP file: the lengths of its name and of its extra field


def read_archive(path: Path, without: Collection[str] = ()) -> dict[str, NDArray[Any]]:
    """The arrays of an archive by name, each checked against its checksum; they cannot be written to.

    Args:
        path: the archive.
        without: names of arrays that are not read.

    Raises:
        OSError, ValueError, EOFError, zipfile.BadZipFile, zlib.error: it is missing, damaged, or no such archive.
    """
    with _open(path) as file, zipfile.ZipFile(file) as archive:
        members = {info.filename.removesuffix(".npy"): info for info in archive.infolist()}
        return {name: _array(_bytes(file, archive, info)) for name, info in members.items() if name not in without}


def _open(path: Path) -> BinaryIO:
    """A small file in one read, for each seek of a buffered one reads again."""
    return io.BytesIO(path.read_bytes()) if path.stat().st_size < _SMALL else path.open("rb")


def _bytes(file: BinaryIO, archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> bytes:
    if info.compress_type != zipfile.ZIP_STORED or info.flag_bits & 1:
        return archive.read(info)
    if info.header_offset + info.file_size > archive.start_dir:
        raise EOFError(f"the file ends within {info.filename}")
    file.seek(info.header_offset)
    file.seek(sum(_LOCAL_HEADER.unpack(file.read(_LOCAL_HEADER.size))), io.SEEK_CUR)
    data = file.read(info.file_size)
    if zlib.crc32(data) != info.CRC:
        raise zipfile.BadZipFile(f"bad checksum of {info.filename}")
    return data


def _array(data: bytes) -> NDArray[Any]:
    header = _HEADER.match(data)
    if header is None:
        # Fortran order, other byte orders, newer formats: as NumPy reads them.
        array: NDArray[Any] = np.lib.format.read_array(io.BytesIO(data), allow_pickle=False)
        return array
    dtype, shape = header.groups()
    values = np.frombuffer(data, dtype.decode(), offset=header.end())
    return values.reshape([int(length) for length in shape.split(b",") if length.strip()])
