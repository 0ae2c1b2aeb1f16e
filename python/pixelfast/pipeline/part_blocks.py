"""How an Arrow file holds its batch, read off its footer: before Arrow reserves memory for what it announces.

Parts are never compressed, so that no column is longer than the file. A few kilobytes of compressed zeros would become
gigabytes, and Arrow does not say that they are compressed until it has made them.
"""

import pyarrow as pa

_TAIL = 10  # bytes: the footer's length, and "ARROW1"
_DICTIONARIES, _BATCHES = 2, 3  # fields of a footer (File.fbs)
_HEADER = 2  # field of a message (Message.fbs)
_COMPRESSION = 3  # field of a record batch
_CONTINUES = b"\xff\xff\xff\xff"  # stands before a message's length in all but the oldest files


def check_plain(file: pa.NativeFile) -> None:
    """Refuses a file whose first batch is compressed, or that has dictionaries; it need not be sound otherwise.

    Raises:
        ValueError: it is one of them.
    """
    end = file.size() - _TAIL
    footer = _read(file, end - _number(_read(file, end, 4), 0), None)
    if _items(footer, _DICTIONARIES):
        raise ValueError("dictionaries, which no part has")
    batches = _items(footer, _BATCHES)
    if not batches:
        raise ValueError("no batch")
    place, size = _number(footer, batches, 8), _number(footer, batches + 8)
    message = _read(file, place, size)
    message = message[8:] if message.startswith(_CONTINUES) else message[4:]
    header = _field(message, _number(message, 0), _HEADER)
    if not header or _field(message, header + _number(message, header), _COMPRESSION):
        raise ValueError("compressed columns, which no part has")


def _read(file: pa.NativeFile, start: int, size: int | None) -> bytes:
    left = file.size() - start  # what the file says of itself may be more than it has
    if start < 0 or left < 0 or (size is not None and size < 0):
        raise ValueError("a place outside of the file")
    file.seek(start)
    read: bytes = file.read(left if size is None else min(size, left))
    return read


def _number(data: bytes, at: int, size: int = 4) -> int:
    return int.from_bytes(data[at : at + size], "little", signed=size == 8)


def _field(data: bytes, table: int, field: int) -> int:
    """Where a field of a FlatBuffers table stands; 0 where it has none."""
    fields = table - int.from_bytes(data[table : table + 4], "little", signed=True)
    at = 4 + 2 * field
    offset = _number(data, fields + at, 2) if fields >= 0 and at < _number(data, fields, 2) else 0
    return table + offset if offset else 0


def _items(data: bytes, field: int) -> int:
    """Where the first item of a vector stands that the root table has; 0 where there is none."""
    at = _field(data, _number(data, 0), field)
    start = at + _number(data, at)
    return start + 4 if at and _number(data, start) else 0
