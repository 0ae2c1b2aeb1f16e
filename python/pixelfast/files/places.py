"""Where results may lie: on a disk, or on any file system that PyArrow knows, as `s3://bucket/folder`.

A place elsewhere has those of a `Path`'s methods that reading and writing of results need, so that whoever does either
need not ask which of the two it has.
"""

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from functools import cache
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any, Final, NamedTuple
from urllib.parse import quote, unquote, urlsplit

from pixelfast.errors import OutputError
from pixelfast.files.refused import write_error

if TYPE_CHECKING:
    import pyarrow as pa
    from pyarrow.fs import FileSystem

SCHEMES: Final = ("s3", "gs", "gcs", "hdfs", "viewfs", "abfs", "abfss")

_URI: Final = re.compile(rf"({'|'.join(SCHEMES)}|file):/{{1,3}}(?!/)")
_LOST_SLASH: Final = re.compile(r"=(https?):/(?!/)")
_BUCKETS: Final = ("s3", "gs", "gcs")
_CONTAINERS: Final = ("abfs", "abfss")  # of Azure: `abfs://container@account.dfs.core.windows.net/path`
_WHOLE_OR_NOT: Final = ("s3", "gcs", "abfs")  # stores where a file appears when it is closed, and not before


class Stat(NamedTuple):
    """Of what `os.stat` says, what is known of a file elsewhere."""

    st_size: int
    st_mtime_ns: int


@dataclass(frozen=True)
class Elsewhere:
    """A file or folder on a file system that PyArrow opens by its URI.

    Attributes:
        uri: the whole of it, without a slash at the end; what stands behind a `?` is for the file system.
    """

    uri: str
    _info: Any = field(default=None, compare=False, repr=False)  # what a listing said of it

    def __str__(self) -> str:
        """Returns what may be shown: without what stands behind a `?`, and without a key before an `@`."""
        parts = urlsplit(self.uri)
        host = parts.netloc if parts.scheme in _CONTAINERS else parts.netloc.rsplit("@", 1)[-1]
        return f"{parts.scheme}://{host}{unquote(parts.path)}"

    def __fspath__(self) -> str:
        return self.uri

    @property
    def name(self) -> str:
        """Returns the last part of the path."""
        return PurePosixPath(self._path).name

    @property
    def suffix(self) -> str:
        """Returns how the name ends, from its last dot."""
        return PurePosixPath(self._path).suffix

    def with_name(self, name: str) -> "Elsewhere":
        """Returns what lies beside it under another name."""
        return self._with(str(PurePosixPath(self._path).with_name(name)))

    def __truediv__(self, name: str) -> "Elsewhere":
        return self._with(f"{self._path}/{name}")

    def exists(self) -> bool:
        """Says whether there is a file or a folder."""
        return self._kind() != "NotFound"

    def is_file(self) -> bool:
        """Says whether it is a file."""
        return self._kind() == "File"

    def is_dir(self) -> bool:
        """Says whether it is a folder, which stores of objects have only where something is in it."""
        return self._kind() == "Directory"

    def stat(self) -> Stat:
        """Returns size and time of change; a FileNotFoundError where there is nothing."""
        info = self._info if self._info is not None else self.file_system.get_file_info(self._path)
        if info.type.name == "NotFound":
            raise FileNotFoundError(f"{self} does not exist")
        return Stat(info.size or 0, 0 if info.mtime is None else info.mtime_ns)

    def glob(self, pattern: str) -> Iterator["Elsewhere"]:
        """Yields the files in this folder whose names match; nothing where there is no such folder."""
        from pyarrow.fs import FileSelector

        for info in self.file_system.get_file_info(FileSelector(self._path, allow_not_found=True)):
            if info.type.name == "File" and fnmatchcase(info.base_name, pattern):
                yield Elsewhere((self / info.base_name).uri, info)

    def read_bytes(self) -> bytes:
        """Returns the content; a FileNotFoundError where there is nothing."""
        with self.open_file() as file:
            return bytes(file.read())

    def open_file(self) -> "pa.NativeFile":
        """Opens the file for reading anywhere in it."""
        return self.file_system.open_input_file(self._path)

    def make(self) -> None:
        """Makes the folder, where the file system has folders."""
        if self.file_system.type_name not in _WHOLE_OR_NOT:
            self.file_system.create_dir(self._path, recursive=True)

    def unlink(self) -> None:
        """Deletes the file."""
        self.file_system.delete_file(self._path)

    def receive(self, local: Path) -> None:
        """Puts a local file's bytes here, whole or not at all."""
        from pyarrow.fs import LocalFileSystem, copy_files

        system = self.file_system
        at_once = system.type_name in _WHOLE_OR_NOT
        target = self if at_once else self.with_name(f".pixelfast-{os.urandom(8).hex()}{self.suffix}")
        if not at_once:
            system.create_dir(PurePosixPath(self._path).parent.as_posix(), recursive=True)
        try:
            # In one call, which Ctrl-C cannot end halfway: a store takes what was sent for whole when it is closed.
            copy_files(
                str(local), target._path, source_filesystem=LocalFileSystem(), destination_filesystem=system,
                use_threads=False,
            )  # fmt: skip
            if not at_once:
                system.move(target._path, self._path)
        except BaseException:
            if not at_once:
                with suppress(OSError):
                    system.delete_file(target._path)
            raise

    def check_writable(self) -> None:
        """Writes a small file beside it and deletes it again; an OutputError says why that cannot be."""
        probe = self.with_name(f".pixelfast-{os.urandom(8).hex()}")
        try:
            with probe.file_system.open_output_stream(probe._path) as stream:
                stream.write(b"pixelfast")
            probe.unlink()
        except OSError as error:
            raise write_error(self, error) from error

    @property
    def file_system(self) -> "FileSystem":
        """Returns the file system, opened once for each address.

        Raises:
            OutputError: PyArrow cannot open it; the message says what it says.
        """
        parts = urlsplit(self.uri)
        return _file_system(f"{parts.scheme}://{parts.netloc}/", parts.query)

    @property
    def _path(self) -> str:
        """The path as the file system has it, its bucket first where it has those."""
        return f"{self._bucket}{unquote(urlsplit(self.uri).path)}".rstrip("/").removeprefix("//")

    @property
    def _bucket(self) -> str:
        """What stands in the address and is the first part of the path; "" where the path is all."""
        parts = urlsplit(self.uri)
        if parts.scheme in _CONTAINERS:
            return parts.netloc.split("@", 1)[0] if "@" in parts.netloc else "/"
        return parts.netloc.rsplit("@", 1)[-1] if parts.scheme in _BUCKETS else ""

    def _with(self, path: str) -> "Elsewhere":
        parts = urlsplit(self.uri)
        inside = path.removeprefix(self._bucket).lstrip("/")
        return Elsewhere(parts._replace(path=f"/{quote(inside)}").geturl())

    def _kind(self) -> str:
        info = self._info if self._info is not None else self.file_system.get_file_info(self._path)
        return str(info.type.name)


AnyPath = Path | Elsewhere


def place(written: str | os.PathLike[str]) -> AnyPath:
    """Returns a path, or the place elsewhere that a URI names; `file:///home` is `/home`.

    A URI that went through a `Path`, which makes one slash of two, is known again.
    """
    if isinstance(written, Elsewhere):
        return written
    text = written.as_posix() if isinstance(written, Path) else os.fspath(written)
    match = _URI.match(text)
    if match is None:
        return Path(written)
    if match[1] == "file":
        from urllib.request import url2pathname

        return Path(url2pathname(text[match.end() - 1 :].removeprefix("/localhost")))
    rest = _LOST_SLASH.sub(r"=\1://", text[match.end() :].rstrip("/")).replace("#", "%23")
    return Elsewhere(f"{match[1]}://{rest}")


def opened(path: AnyPath, *, mapped: bool = False) -> "pa.NativeFile":
    """Opens a file of either kind for Arrow to read; one that lies here as a map of memory, where asked for.

    Raises:
        OSError: it cannot be opened.
    """
    import pyarrow as pa

    if isinstance(path, Elsewhere):
        return path.open_file()
    return pa.memory_map(str(path)) if mapped else pa.OSFile(str(path))


@cache
def _file_system(root: str, query: str) -> "FileSystem":
    import pyarrow as pa
    from pyarrow.fs import FileSystem

    try:
        return FileSystem.from_uri(f"{root}{'?' if query else ''}{query}")[0]
    except (pa.ArrowException, OSError, ValueError) as error:
        raise OutputError(f"{root} cannot be opened: {' '.join(str(error).split())[:300]}") from error


@contextmanager
def to_be_sent(target: Elsewhere) -> Iterator[Path]:
    """Yields an empty local file that becomes `target` when the block ends well, whole or not at all.

    Raises:
        OutputError: it cannot be written there, or not here.
    """
    import tempfile

    with tempfile.TemporaryDirectory(prefix="pixelfast-", ignore_cleanup_errors=True) as folder:
        local = Path(folder) / f"result{target.suffix[:32]}"
        local.touch()
        yield local
        try:
            target.receive(local)
        except OSError as error:
            raise write_error(target, error) from error
