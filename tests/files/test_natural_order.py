"""Natural order of names, and the numbers of frames in them."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pixelfast.files.natural import natural_key, unpadded
from pixelfast.sources.numbering import ordered_frames


@given(st.lists(st.tuples(st.sampled_from(["", "a", "b-"]), st.integers(0, 2000), st.integers(1, 6)), unique=True))
def test_natural_order_is_by_text_then_number(parts: list[tuple[str, int, int]]) -> None:
    by_name = {f"{text}{number:0{width}d}": (text, number) for text, number, width in parts}
    in_order = [by_name[name] for name in sorted(by_name, key=natural_key)]
    assert in_order == sorted(by_name.values())


@given(st.lists(st.text(max_size=12)).flatmap(lambda names: st.tuples(st.just(names), st.permutations(names))))
def test_natural_order_does_not_depend_on_the_order_given(orders: tuple[list[str], list[str]]) -> None:
    assert sorted(orders[0], key=natural_key) == sorted(orders[1], key=natural_key)


def test_natural_order_of_known_names() -> None:
    names = ["10", "9", "frame_100", "frame_20", "Frame_3", "02", "2", "1a10", "1a9", "9" * 5000]
    ordered = ["1a9", "1a10", "02", "2", "9", "10", "9" * 5000, "Frame_3", "frame_20", "frame_100"]
    assert sorted(names, key=natural_key) == ordered
    assert sorted(["B1", "a2", "b2", "A3"], key=natural_key) == ["a2", "A3", "B1", "b2"]
    for names in (["1", "01", "001"], ["001", "1", "01"]):
        assert sorted(names, key=natural_key) == ["001", "01", "1"]


@pytest.mark.parametrize(
    ("name", "plain"),
    [("007", "7"), ("000", "0"), ("10", "10"), ("01_014", "01_014"), ("Test001", "Test001"), ("", ""), ("٣", "٣")],
)
def test_only_names_of_digits_alone_lose_their_zeros(name: str, plain: str) -> None:
    assert unpadded(name) == plain


def read_number(name: str) -> int | None:
    """The trailing digits of a stem, found letter by letter."""
    stem, digits = name[: name.rindex(".")], ""
    while stem and stem[-1] in "0123456789":
        stem, digits = stem[:-1], stem[-1] + digits
    return int(digits) if digits and int(digits) < 2**63 else None


FRAME_NAME = st.builds(
    "{}{}.{}".format,
    st.sampled_from(["", "frame_", "f7_", "é", "0x"]),
    st.one_of(
        st.integers(0, 10**20).map(str), st.integers(0, 99).map("{:04d}".format), st.sampled_from(["", "²", "٣"])
    ),
    st.sampled_from(["jpg", "JPG", "png"]),
)


@given(st.lists(FRAME_NAME, min_size=1, unique=True))
def test_frame_names_are_ordered_naturally_and_numbered_by_their_trailing_digits(names: list[str]) -> None:
    ordered, ids = ordered_frames(names)
    assert ordered == sorted(names, key=natural_key)
    numbers = [read_number(name) for name in ordered]
    if None in numbers or numbers != sorted(set(numbers)):  # type: ignore[type-var]
        assert ids is None
    else:
        assert ids is not None
        assert ids.dtype == np.int64
        assert ids.tolist() == numbers


@given(st.lists(st.integers(0, 10**6), min_size=1, unique=True), st.integers(0, 8))
def test_frame_names_that_differ_in_a_number_alone_go_by_it(numbers: list[int], width: int) -> None:
    ordered, ids = ordered_frames([f"frame_{number:0{width}d}.jpg" for number in numbers])
    assert ids is not None
    assert ids.tolist() == sorted(numbers)
    assert ordered == [f"frame_{number:0{width}d}.jpg" for number in sorted(numbers)]
