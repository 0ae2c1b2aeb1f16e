"""Single error maps of a part, against the part as it is read whole."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from pixelfast.cleaning.stage import FrameRecord
from pixelfast.errors import ScoresError
from pixelfast.pipeline.part_maps import maps_at
from pixelfast.pipeline.parts import Job, Part, read_part, write_part


@pytest.fixture
def part(tmp_path: Path) -> Path:
    rng, none = np.random.default_rng(0), np.zeros(9, np.bool_)
    record = FrameRecord(np.arange(9), none, none, none, None, none)
    maps = rng.random((9, 3, 5)).astype(np.float16)
    job = Job("density.safetensors", {"method": "density"}, 1)
    write_part(tmp_path / "a.arrow", Part("a", "", rng.random(9).astype(np.float32), record, maps, job))
    return tmp_path / "a.arrow"


def test_they_are_those_of_the_rows(part: Path) -> None:
    whole = read_part(part).maps
    assert whole is not None
    for rows in ([4], [8, 0, 0]):
        found = maps_at(part, rows)
        assert found is not None
        assert (found.dtype, found.flags.owndata) == (np.float16, True)
        np.testing.assert_array_equal(found, whole[rows])


def test_a_part_without_maps_has_none(part: Path, tmp_path: Path) -> None:
    write_part(tmp_path / "b.arrow", replace(read_part(part), maps=None))
    assert maps_at(tmp_path / "b.arrow", [0]) is None


def test_what_is_no_part_is_named(part: Path) -> None:
    part.write_bytes(part.read_bytes()[:100])
    with pytest.raises(ScoresError, match=r"a\.arrow is damaged"):
        maps_at(part, [0])
    with pytest.raises(ScoresError, match="no part of pixelfast"):
        maps_at(part.with_name("none.arrow"), [0])
