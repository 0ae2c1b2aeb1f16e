"""Names of files in little memory: whatever a list of them does."""

import pickle
import sys
import tracemalloc

from hypothesis import given
from hypothesis import strategies as st

from pixelfast.sources.names import Names

FILE_NAMES = st.lists(
    st.text(st.characters(exclude_categories=["Cs"], exclude_characters="/\0"), max_size=9), max_size=9
)
PLACES = st.none() | st.integers(-12, 12)


@given(FILE_NAMES, PLACES, PLACES)
def test_they_are_what_a_list_is(plain: list[str], start: int | None, stop: int | None) -> None:
    names = Names(plain)
    assert list(names) == plain
    assert len(names) == len(plain)
    assert list(names[start:stop]) == plain[start:stop]
    assert list(names[::-1]) == plain[::-1]
    assert [names[index] for index in range(-len(plain), len(plain))] == plain + plain
    assert list(pickle.loads(pickle.dumps(names))) == plain


def test_bytes_that_are_no_text_come_back() -> None:
    assert list(Names(["\udcff.jpg"])) == ["\udcff.jpg"]


def test_they_take_a_third_of_a_lists_memory() -> None:
    tracemalloc.start()
    names = Names(f"{index:06d}.jpg" for index in range(10_000))
    taken, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert taken * 3 < 10_000 * (8 + sys.getsizeof("000000.jpg"))
    assert names[9_999] == "009999.jpg"
