"""How the decoding functions are called: sizes, the caller's own buffer, threads, refusals; fingerprints; the build."""

import hashlib
from pathlib import Path

import numpy as np
import pytest

from pictures import picture
from pixelfast import _core


@pytest.fixture
def paths(tmp_path: Path) -> list[Path]:
    """Nine frames of 48x64, of three kinds."""
    files = [tmp_path / f"{index}.{('jpg', 'png', 'bmp')[index % 3]}" for index in range(9)]
    for seed, path in enumerate(files):
        picture(48, 64, seed).save(path)
    return files


def test_without_a_size_the_files_keep_theirs(paths: list[Path]) -> None:
    frames, status = _core.decode_frames(paths)

    assert (frames.shape, frames.dtype, status.dtype) == ((9, 48, 64), np.uint8, np.uint8)
    assert not status.any()
    assert _core.decode_frames(paths, color="rgb")[0].shape == (9, 48, 64, 3)


def test_files_of_two_sizes_are_refused_by_name(paths: list[Path], tmp_path: Path) -> None:
    odd = tmp_path / "odd.png"
    picture(50, 64).save(odd)

    with pytest.raises(ValueError, match=r"odd\.png is 64x50 pixels, but .*0\.jpg is 64x48"):
        _core.decode_frames([*paths[:4], odd, *paths[4:]])
    assert _core.decode_frames([*paths, odd], 20, 20)[0].shape == (10, 20, 20)


def test_an_unreadable_file_has_no_say_in_the_size(paths: list[Path], tmp_path: Path) -> None:
    frames, status = _core.decode_frames([tmp_path / "none.jpg", *paths])

    assert status.tolist() == [2, *[0] * 9]
    assert not frames[0].any()
    with pytest.raises(ValueError, match=r"none\.jpg: does not exist"):
        _core.decode_frames([tmp_path / "none.jpg"])


def test_no_files() -> None:
    frames, status = _core.decode_frames([], 4, 5)

    assert (frames.shape, status.shape) == ((0, 4, 5), (0,))
    with pytest.raises(ValueError, match="height and width"):
        _core.decode_frames([])


def test_the_callers_buffer_is_filled_and_returned(paths: list[Path]) -> None:
    expected, _ = _core.decode_frames(paths, 16, 24)
    whole = np.full((20, 16, 24), 7, np.uint8)

    frames, _ = _core.decode_frames(paths, 16, 24, out=whole[5:14])

    np.testing.assert_array_equal(whole[5:14], expected)
    assert np.shares_memory(frames, whole)
    assert (whole[:5] == 7).all()
    assert (whole[14:] == 7).all()


def test_the_callers_buffer_may_be_a_file(paths: list[Path], tmp_path: Path) -> None:
    mapped = np.memmap(tmp_path / "cache", np.uint8, "w+", shape=(9, 16, 24))

    frames, _ = _core.decode_frames(paths, 16, 24, out=mapped)

    assert frames is mapped
    np.testing.assert_array_equal(np.fromfile(tmp_path / "cache", np.uint8), mapped.ravel())


def test_what_is_in_the_callers_buffer_does_not_show(paths: list[Path], tmp_path: Path) -> None:
    cut = tmp_path / "cut.png"
    cut.write_bytes(paths[1].read_bytes()[:2000])
    files = [tmp_path / "none.jpg", cut]
    over_zeros, over_sevens = (np.full((2, 48, 64), fill, np.uint8) for fill in (0, 7))

    _core.decode_frames(files, 48, 64, out=over_zeros)
    _core.decode_frames(files, 48, 64, out=over_sevens)

    np.testing.assert_array_equal(over_zeros, over_sevens)
    assert not over_sevens[0].any()


@pytest.mark.parametrize(
    ("out", "error", "what"),
    [
        (np.zeros((9, 16, 24), np.float32), TypeError, r"float32 \[9, 16, 24\]"),
        (np.zeros((9, 16, 23), np.uint8), ValueError, r"uint8 \[9, 16, 23\]"),
        (np.zeros((9, 16, 24, 3), np.uint8), ValueError, r"uint8 \[9, 16, 24, 3\]"),
        (np.zeros((9, 16, 48), np.uint8)[..., ::2], ValueError, "not contiguous"),
        ([1, 2, 3], TypeError, "list"),
    ],
)
def test_an_unfit_buffer_is_refused_with_a_sentence(
    paths: list[Path], out: object, error: type[Exception], what: str
) -> None:
    with pytest.raises(error, match=rf"out must be uint8 \[9, 16, 24\].*{what}"):
        _core.decode_frames(paths, 16, 24, out=out)  # type: ignore[arg-type]


def test_a_buffer_that_may_not_be_written_is_refused(paths: list[Path]) -> None:
    out = np.zeros((9, 16, 24), np.uint8)
    out.flags.writeable = False

    with pytest.raises(ValueError, match="out"):
        _core.decode_frames(paths, 16, 24, out=out)


@pytest.mark.parametrize(
    ("arguments", "what"),
    [
        ({"height": 5}, "both"),
        ({"height": 0, "width": 5}, "height must be from 1 to 65535"),
        ({"height": -1, "width": 5}, "height must be from 1 to 65535 pixels, not -1"),
        ({"height": 5, "width": 65536}, "width must be from 1 to 65535"),
        ({"height": 5, "width": 5, "color": "gray"}, 'color must be "grey" or "rgb", not "gray"'),
        ({"height": 5, "width": 5, "threads": 0}, "threads must be at least 1"),
    ],
)
def test_wrong_settings_are_refused_with_a_sentence(paths: list[Path], arguments: dict[str, object], what: str) -> None:
    with pytest.raises(ValueError, match=what):
        _core.decode_frames(paths, **arguments)  # type: ignore[arg-type]


def test_one_path_is_not_a_list_of_letters() -> None:
    with pytest.raises(TypeError):
        _core.decode_frames("frame.jpg", 4, 4)


def test_more_memory_than_there_is_is_an_ordinary_error(paths: list[Path]) -> None:
    with pytest.raises(MemoryError):
        _core.decode_frames(paths * 10_000, 65_535, 65_535)


@pytest.mark.parametrize("color", ["grey", "rgb"])
def test_the_same_bits_for_any_threads_and_any_order(paths: list[Path], tmp_path: Path, color: str) -> None:
    files = list(paths)
    for index, path in enumerate(paths):
        data = bytearray(path.read_bytes())
        data[len(data) * 2 // 3] ^= 0xFF
        files += [tmp_path / f"cut{index}", tmp_path / f"bent{index}"]
        files[-2].write_bytes(data[: len(data) // 2])
        files[-1].write_bytes(data)
    expected = _core.decode_frames(files, 24, 32, color, 1)
    assert {0, 1} <= set(expected[1].tolist())

    for threads in (1, 2, 7):
        frames, status = _core.decode_frames(files[::-1], 24, 32, color, threads)
        np.testing.assert_array_equal(frames[::-1], expected[0])
        np.testing.assert_array_equal(status[::-1], expected[1])


@pytest.mark.parametrize(
    ("frames", "error"),
    [
        (np.zeros((4, 5), np.uint8), TypeError),
        (np.zeros((2, 4, 5), np.float32), TypeError),
        (np.zeros((2, 4, 10), np.uint8)[..., ::2], ValueError),
        (np.zeros((2, 0, 5), np.uint8), ValueError),
    ],
)
def test_resize_frames_refuses_what_it_cannot_take(frames: np.ndarray, error: type[Exception]) -> None:
    with pytest.raises(error, match="frames"):
        _core.resize_frames(frames, 3, 3)


def test_resizing_no_frames() -> None:
    assert _core.resize_frames(np.zeros((0, 4, 5), np.uint8), 3, 2).shape == (0, 3, 2)


def fingerprint(paths: list[Path]) -> bytes:
    """The documented hash, by Python."""
    parts = []
    for path in paths:
        name = path.name.encode()
        data = path.read_bytes() if path.is_file() else None
        body = b"\0" if data is None else b"\1" + len(data).to_bytes(8, "little") + data
        parts.append(hashlib.sha256(len(name).to_bytes(8, "little") + name + body).digest())
    return hashlib.sha256(b"".join(parts)).digest()


@pytest.mark.parametrize("size", [0, 1, 65536, 131071, 131072, 131073, 400_000])
def test_fingerprint(paths: list[Path], tmp_path: Path, size: int) -> None:
    large = tmp_path / "large"
    large.write_bytes(np.random.default_rng(size).bytes(size))
    files = [*paths, large, tmp_path / "none", tmp_path]

    assert {_core.fingerprint_files(files, threads) for threads in (1, 2, 7)} == {fingerprint(files)}
    assert _core.fingerprint_files(files[::-1]) != fingerprint(files)


def test_the_build_tells_about_itself() -> None:
    facts = _core.build_info()

    assert facts["simd"] in {"yes", "no"}
    assert facts["libjpeg_turbo"].split(".")[0] == "3"
    assert facts["profile"] in {"release", "debug"}
    assert bool(facts["nasm"]) <= (facts["simd"] == "yes")
