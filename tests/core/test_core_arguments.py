"""Sentences about the core's arguments, and its help."""

import inspect
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from pixelfast import _core

FRAMES = np.zeros((200, 24, 16), np.uint8)
STARTS = np.arange(40)
CUBOIDS = np.zeros((2, 20, 16, 24, 16), np.float32)
WINDOW_ERRORS = np.zeros((1500, 16, 4, 4), np.float32)
MAPS = np.zeros((3000, 8, 8), np.float32)
VALUES = np.zeros(1000)
F32 = np.float32
WRONG: list[tuple[str, Callable[[], Any], type[Exception], str]] = [
    ("rank", lambda: _core.rank([1.0]), TypeError, r"values must be float32 or float64 \[N\], not list"),
    ("rank", lambda: _core.rank(np.arange(3)), TypeError, r"values must be float32 or float64 \[N\], not int64 \[3\]"),
    ("rank", lambda: _core.rank(np.zeros(3, ">f8")), TypeError, "values must be float32 or float64"),
    ("rank", lambda: _core.rank(np.zeros((3, 1))), ValueError, r"values must be float64 \[N\], not float64 \[3, 1\]"),
    ("normalise", lambda: _core.normalise(np.zeros(3, np.float16)), TypeError, r"raw must be .*, not float16 \[3\]"),
    ("smooth", lambda: _core.smooth(np.zeros(3, int), np.ones(3, int), 3), TypeError, "values must be float32 or"),
    (
        "smooth",
        lambda: _core.smooth(np.zeros(3), np.ones(3, np.int32), 3),
        TypeError,
        r"lengths must be int64 \[V\], not int32 \[3\]",
    ),
    (
        "push",
        lambda: _core.OverlapAggregator(16).push(np.zeros((3, 16))),
        TypeError,
        r"window_errors must be float32 \[W, T, G, G\] or \[W, T\], not float64 \[3, 16\]",
    ),
    (
        "push",
        lambda: _core.OverlapAggregator(16).push(np.zeros((3, 16, 2), F32)),
        ValueError,
        r"window_errors must be .*, not float32 \[3, 16, 2\]",
    ),
    (
        "push",
        lambda: _core.OverlapAggregator(16).push(np.zeros((3, 16, 2, 3), F32)),
        ValueError,
        r"not float32 \[3, 16, 2, 3\]",
    ),
    ("push", lambda: _core.OverlapAggregator(4).push(np.zeros((3, 4))), TypeError, "window_errors must be float32"),
    (
        "push",
        lambda: _core.OverlapAggregator(4).push(np.zeros((3, 5), F32)),
        ValueError,
        "window_errors must have windows of 4 frames, not 5",
    ),
    (
        "finish",
        lambda: _core.OverlapAggregator(4).finish(np.zeros(4)),
        TypeError,
        r"anchored must be float32 \[T, G, G\], .* not float64 \[4\]",
    ),
    ("pool", lambda: _core.pool(np.zeros((3, 2, 2))), TypeError, r"maps must be float32 \[N, G, G\], not float64"),
    ("pool", lambda: _core.pool(np.zeros((3, 4), F32)), ValueError, r"maps must be .*, not float32 \[3, 4\]"),
    ("pool", lambda: _core.pool(np.zeros((3, 2, 4), F32)), ValueError, r"maps must be .*, not float32 \[3, 2, 4\]"),
    ("noise_sigma", lambda: _core.noise_sigma(np.zeros((3, 9, 9))), TypeError, r"frames must be uint8 \[N, H, W\]"),
    ("noise_sigma", lambda: _core.noise_sigma(FRAMES[0]), ValueError, r"frames must be .*, not uint8 \[24, 16\]"),
    (
        "cuboid_errors",
        lambda: _core.cuboid_errors(CUBOIDS[0], CUBOIDS[1, :5]),
        ValueError,
        r"reconstruction must be .* here \[20, 16, 24, 16\], not \[5, 16, 24, 16\]",
    ),
    ("cuboid_errors", lambda: _core.cuboid_errors(CUBOIDS[0, 0], CUBOIDS[0]), ValueError, "cuboids must be float32"),
    (
        "assemble_cuboids",
        lambda: _core.assemble_cuboids(FRAMES, STARTS, np.empty((40, 16, 24, 16))),
        TypeError,
        r"out must be float32 \[B, T, H, W\], not float64",
    ),
    (
        "assemble_cuboids",
        lambda: _core.assemble_cuboids(FRAMES, STARTS, np.empty((40, 16, 24, 17), F32)),
        ValueError,
        r"out must be \[B, T, H, W\], here \[40, 16, 24, 16\], not \[40, 16, 24, 17\]",
    ),
    (
        "assemble_cuboids",
        lambda: _core.assemble_cuboids(FRAMES, STARTS.astype(np.int32), np.empty((40, 16, 24, 16), F32)),
        TypeError,
        r"starts must be int64 \[B\], not int32 \[40\]",
    ),
]


@pytest.mark.parametrize(("name", "call", "error", "sentence"), WRONG, ids=[name for name, *_ in WRONG])
def test_sentences_about_dtypes_and_shapes(
    name: str, call: Callable[[], Any], error: type[Exception], sentence: str
) -> None:
    with pytest.raises(error, match=sentence):
        call()


def unaligned() -> np.ndarray:
    return np.frombuffer(bytes(81), np.uint8)[1:].view(np.float64)


@pytest.mark.parametrize(
    "call",
    [
        lambda: _core.rank(VALUES[::2]),
        lambda: _core.rank(unaligned()),
        lambda: _core.pool(MAPS.transpose(0, 2, 1)),
        lambda: _core.pool(np.asfortranarray(MAPS)),
        lambda: _core.noise_sigma(FRAMES[:, :, ::2]),
        lambda: _core.OverlapAggregator(16).push(WINDOW_ERRORS[::2]),
        lambda: _core.assemble_cuboids(FRAMES, STARTS, np.empty((40, 24, 16, 16), F32).transpose(0, 3, 1, 2)),
    ],
)
def test_arrays_that_do_not_lie_in_order_are_refused(call: Callable[[], Any]) -> None:
    with pytest.raises(ValueError, match=r"must be C-contiguous and aligned: use np\.ascontiguousarray\("):
        call()


def test_an_array_that_may_not_be_written_to_is_refused() -> None:
    out = np.empty((40, 16, 24, 16), F32)
    out.flags.writeable = False
    with pytest.raises(ValueError, match="out cannot be written to"):
        _core.assemble_cuboids(FRAMES, STARTS, out)
    out.flags.writeable = True
    with pytest.raises(ValueError, match="clean cannot be written to"):
        _core.assemble_cuboids(FRAMES, STARTS, out, clean=out)


@pytest.mark.parametrize("name", sorted(name for name in vars(_core) if not name.startswith("_")))
def test_help_says_what_goes_in_and_what_comes_out(name: str) -> None:
    text = inspect.getdoc(getattr(_core, name)) or ""
    assert len(text.splitlines()[0]) > 15, "a sentence first"
    assert any(heading in text for heading in ("Args:", "Returns:"))
