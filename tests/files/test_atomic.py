"""Files are written whole or not at all."""

import os
import re
import stat
from pathlib import Path

import pytest

from disk import file_size_limit, locked_folder
from pixelfast.errors import OutputError, ScoresError
from pixelfast.files.atomic import atomic_path, check_writable


def test_the_file_appears_with_its_content_and_nothing_else(tmp_path: Path) -> None:
    with atomic_path(tmp_path / "a.csv") as temporary:
        assert temporary.parent == tmp_path
        assert temporary.suffix == ".csv"
        temporary.write_bytes(b"whole")
        assert not (tmp_path / "a.csv").exists()
    assert (tmp_path / "a.csv").read_bytes() == b"whole"
    assert [entry.name for entry in tmp_path.iterdir()] == ["a.csv"]


@pytest.mark.parametrize("error", [KeyboardInterrupt, ScoresError, RuntimeError, MemoryError])
def test_a_failure_leaves_what_was_there(tmp_path: Path, error: type[BaseException]) -> None:
    (tmp_path / "a.csv").write_bytes(b"old")
    with pytest.raises(error), atomic_path(tmp_path / "a.csv") as temporary:
        temporary.write_bytes(b"hal")
        raise error("stop")
    assert (tmp_path / "a.csv").read_bytes() == b"old"
    assert [entry.name for entry in tmp_path.iterdir()] == ["a.csv"]


def test_a_disk_that_takes_no_more_is_a_sentence_and_leaves_nothing(tmp_path: Path) -> None:
    refused = pytest.raises(OutputError, match=r"b\.bin cannot be written: the file grew")
    with file_size_limit(4096), refused, atomic_path(tmp_path / "b.bin") as temporary:
        temporary.write_bytes(bytes(100_000))
    assert list(tmp_path.iterdir()) == []


def test_an_error_about_another_file_is_not_called_an_output_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError) as caught, atomic_path(tmp_path / "a.csv"):
        (tmp_path / "input.txt").read_text()
    assert not isinstance(caught.value, OutputError)
    assert list(tmp_path.iterdir()) == []


def test_permissions_are_those_of_any_new_file(tmp_path: Path) -> None:
    before = os.umask(0o027)
    try:
        with atomic_path(tmp_path / "a") as temporary:
            temporary.write_bytes(b"")
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "a").stat().st_mode) == 0o640


def test_a_symbolic_link_is_followed(tmp_path: Path) -> None:
    (tmp_path / "far").mkdir()
    (tmp_path / "link.csv").symlink_to(tmp_path / "far" / "real.csv")
    with atomic_path(tmp_path / "link.csv") as temporary:
        temporary.write_bytes(b"x")
    assert (tmp_path / "link.csv").is_symlink()
    assert (tmp_path / "far" / "real.csv").read_bytes() == b"x"


def test_places_that_cannot_be_written_are_refused_before_the_work(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    os.mkfifo(tmp_path / "pipe")
    cases = {
        tmp_path / "none" / "a.csv": "there is no folder",
        tmp_path / "file" / "a.csv": "is a file, not a folder",
        tmp_path: "is a folder: give the name of a file",
        tmp_path / "pipe": "is a device or a pipe",
        tmp_path / ("x" * 300): "the name is too long",
        tmp_path / "loop": "symbolic links",
    }
    for path, sentence in cases.items():
        with pytest.raises(OutputError, match=re.escape(str(path)[:80])) as caught:
            check_writable(path)
        assert sentence in str(caught.value)
        with pytest.raises(OutputError), atomic_path(path):
            pytest.fail("the work began")
    assert stat.S_ISFIFO((tmp_path / "pipe").stat().st_mode)


def test_a_folder_without_permission_is_a_sentence() -> None:
    with locked_folder() as folder, pytest.raises(OutputError, match="there is no permission to write there"):
        check_writable(folder / "a.csv")


def test_checking_changes_nothing(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes(b"old")
    check_writable(tmp_path / "a.csv")
    check_writable(tmp_path / "b.csv")
    assert [(entry.name, entry.read_bytes()) for entry in tmp_path.iterdir()] == [("a.csv", b"old")]
