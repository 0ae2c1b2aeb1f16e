"""RBDC and TBDC against a plain transcription, cases worked out on paper, and what must hold of any maps."""

import doctest

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from oracles import regions as plain
from pixelfast.errors import ScoresError
from pixelfast.evaluation import regions
from pixelfast.evaluation.regions import abnormal_regions, region_criteria, thresholds

Maps = NDArray[np.float64]
Masks = NDArray[np.bool_]


def drawn(seed: int, videos: int = 2, cells: tuple[int, int] = (4, 5), size: tuple[int, int] = (16, 20)) -> tuple[
    list[Maps], list[Masks]
]:  # fmt: skip
    """Videos of 6 frames: blocks that walk, come and go, and maps that know of them beside noise with ties."""
    rng = np.random.default_rng(seed)
    maps, masks = [], []
    for _ in range(videos):
        mask = np.zeros((6, *size), np.bool_)
        for _ in range(rng.integers(1, 4)):
            (y, x), first = rng.integers(0, size), rng.integers(0, 6)
            for frame in range(first, min(6, first + rng.integers(1, 6))):
                mask[frame, y : y + rng.integers(1, 8), x : x + rng.integers(1, 8)] = True
                y, x = max(0, y + rng.integers(-2, 3)), max(0, x + rng.integers(-2, 3))
        rows = (2 * np.arange(cells[0]) + 1) * size[0] // (2 * cells[0])
        columns = (2 * np.arange(cells[1]) + 1) * size[1] // (2 * cells[1])
        maps.append(np.round(rng.random((6, *cells)) + rng.choice([0, 0.6]) * mask[:, rows][:, :, columns], 2))
        masks.append(mask)
    return maps, masks


def ours(maps: list[Maps], masks: list[Masks], **changes: float) -> tuple[float, float]:
    return region_criteria({str(number): one for number, one in enumerate(maps)}, masks, **changes)


@pytest.mark.parametrize(
    ("cells", "size"), [((4, 5), (16, 20)), ((8, 8), (12, 19)), ((3, 4), (10, 7)), ((9, 14), (6, 10)), ((1, 1), (5, 5))]
)
@pytest.mark.parametrize("seed", range(4))
def test_agrees_with_the_plain_transcription(seed: int, cells: tuple[int, int], size: tuple[int, int]) -> None:
    maps, masks = drawn(seed, cells=cells, size=size)
    assert ours(maps, masks) == pytest.approx(plain.region_criteria(maps, masks), abs=1e-12)


@given(st.integers(0, 10**6), st.sampled_from([0.05, 0.1, 0.3, 0.5, 1.0]), st.sampled_from([0.1, 0.34, 0.5, 1.0]))
@settings(max_examples=15)
def test_agrees_at_other_alpha_and_beta(seed: int, beta: float, alpha: float) -> None:
    maps, masks = drawn(seed, videos=1)
    expected = plain.region_criteria(maps, masks, alpha=alpha, beta=beta)
    assert ours(maps, masks, alpha=alpha, beta=beta) == pytest.approx(expected, abs=1e-12)


def test_a_choice_of_thresholds_gives_nearly_the_area_of_all(monkeypatch: pytest.MonkeyPatch) -> None:
    maps, masks = drawn(3, videos=8, cells=(8, 10), size=(32, 40))
    maps = [one + 1e-6 * np.random.default_rng(0).random(one.shape) for one in maps]
    assert 200 <= len(thresholds(maps)) <= regions.THRESHOLDS
    chosen = ours(maps, masks)
    monkeypatch.setattr(regions, "THRESHOLDS", 10**9)
    assert len(thresholds(maps)) > 3000
    assert chosen == pytest.approx(ours(maps, masks), abs=5e-3)


def test_thresholds_hold_the_lowest_and_the_highest() -> None:
    values = np.random.default_rng(0).random((50, 5, 5))
    some = thresholds([values[:20], values[20:]])
    assert (some[0], some[-1]) == (values.min(), values.max())
    assert np.isin(some, values).all()
    assert np.all(np.diff(some) > 0)


def test_tracks_are_regions_that_overlap_over_time() -> None:
    masks = np.zeros((5, 10, 10), np.bool_)
    masks[0, 0:2, 0:2] = masks[1, 1:3, 1:3] = masks[2, 2:4, 2:4] = True  # one that walks
    masks[0, 6:8, 0:9] = masks[1, 6:8, 0:3] = masks[1, 6:8, 5:9] = True  # one that falls apart
    masks[4, 2:4, 2:4] = True  # where the first was, a frame later
    found = abnormal_regions(masks)
    assert found.boxes.tolist() == [
        [0, 0, 2, 2], [0, 6, 9, 8], [1, 1, 3, 3], [0, 6, 3, 8], [5, 6, 9, 8], [2, 2, 4, 4], [2, 2, 4, 4],
    ]  # fmt: skip
    assert found.frame.tolist() == [0, 0, 1, 1, 1, 2, 4]
    assert found.track.tolist() == [0, 1, 0, 1, 1, 0, 2]


def test_corners_touch() -> None:
    masks = np.zeros((1, 4, 4), np.bool_)
    masks[0, 1, 1] = masks[0, 2, 2] = True
    assert abnormal_regions(masks).boxes.tolist() == [[1, 1, 3, 3]]


def one_cell(frames: int, truth: list[int]) -> tuple[Maps, Masks]:
    """Maps of 2x4 cells with nothing, and masks of 2x4 such cells of 10x10 pixels, the first of them abnormal."""
    maps, masks = np.zeros((frames, 2, 4)), np.zeros((frames, 20, 40), np.bool_)
    masks[truth, :10, :10] = True
    return maps, masks


def test_found_first_and_a_false_one_in_every_other_frame() -> None:
    """Half of the regions come without a false positive, the other half with one in half of the frames.

    (0, 0), (0, 1/2), (1/2, 1): 1/2 x 3/4 + 1/2 x 1 = 7/8. The track, one of four regions, is found at once.
    """
    maps, masks = one_cell(4, [0, 1, 2, 3])
    maps[[0, 1], 0, 0] = 3
    maps[[2, 3], 0, 0] = maps[[0, 1], 1, 3] = 2
    assert ours([maps], [masks]) == (7 / 8, 1.0)


def test_false_ones_come_first() -> None:
    """(0, 0), (1/2, 0), (1/2, 1): half of the area, by region and by track."""
    maps, masks = one_cell(4, [0, 1])
    maps[[2, 3], 1, 3] = 3
    maps[[0, 1], 0, 0] = 2
    assert ours([maps], [masks]) == (0.5, 0.5)


def test_beyond_one_false_positive_a_frame_nothing_counts() -> None:
    """Two false ones in every frame before the true one."""
    maps, masks = np.zeros((3, 1, 6)), np.zeros((3, 10, 60), np.bool_)
    maps[:, 0, [2, 4]] = 3
    maps[:, 0, 0] = 2
    masks[:, :, :10] = True
    assert ours([maps], [masks]) == (0.0, 0.0)
    maps[0, 0, 4] = 0  # 5/3 a frame, still too many
    assert ours([maps], [masks]) == (0.0, 0.0)
    maps[1:, 0, 4] = 0  # 1 a frame: (0, 0), (1, 0), (1, 1)
    assert ours([maps], [masks]) == (0.0, 0.0)
    maps[0, 0, 2] = 0  # (0, 0), (2/3, 0), (2/3, 1)
    assert ours([maps], [masks]) == pytest.approx((1 / 3, 1 / 3))


def test_a_lower_threshold_that_finds_less_takes_nothing_away() -> None:
    """At the lowest threshold all but one cell is one region, whose box has an IoU of 1/8 with the abnormal cell."""
    maps, masks = one_cell(2, [0])
    maps[0] = 1
    maps[0, 0, 0], maps[0, 1, 3] = 2, 0
    assert ours([maps], [masks], beta=1 / 8) == (1.0, 1.0)
    assert ours([maps], [masks], beta=1 / 7) == (1.0, 1.0)


@pytest.mark.parametrize(("found", "by_track"), [(1, 1.0), (0, 0.0)])
def test_a_tenth_of_ten_regions_is_a_track(found: int, by_track: float) -> None:
    maps, masks = one_cell(10, list(range(10)))
    maps[:found, 0, 0] = 1
    maps[0, 1, 3] = 1  # so that there is a threshold in either case: a false positive in a tenth of the frames
    x = 0.1
    area = x * (found / 10) / 2 + (1 - x) * found / 10, x * by_track / 2 + (1 - x) * by_track
    assert ours([maps], [masks]) == pytest.approx(area, abs=1e-15)
    fewer = masks.copy()
    assert ours([maps], [fewer], alpha=0.11)[1] == 0.0


@pytest.mark.parametrize(("width", "share"), [(1, 1.0), (0, 0.0)])
def test_an_overlap_of_exactly_a_tenth_is_enough(width: int, share: float) -> None:
    """A cell of 10x10 pixels that holds 10 or fewer abnormal ones in a column."""
    maps, masks = np.zeros((2, 2, 4)), np.zeros((2, 20, 40), np.bool_)
    maps[0, 0, 0] = 1
    masks[0, : 9 + width, 0] = True
    assert ours([maps], [masks])[0] == share


@given(st.integers(0, 10**6))
@settings(max_examples=25)
def test_what_must_hold_of_any_maps(seed: int) -> None:
    maps, masks = drawn(seed, videos=2)
    rbdc, tbdc = found = ours(maps, masks)
    assert 0 <= rbdc <= 1
    assert 0 <= tbdc <= 1
    assert ours([np.exp(3 * one) for one in maps], masks) == found  # only the order of values counts
    assert ours([one.astype(np.float32).astype(np.float64) for one in maps], masks) == found
    assert ours(maps[::-1], masks[::-1]) == pytest.approx(found, abs=1e-12)
    mirrored = ours([one[:, ::-1] for one in maps], [one[:, ::-1] for one in masks])
    assert mirrored == pytest.approx(found, abs=1e-12)
    assert ours([one.astype(np.float64) for one in masks], masks) == (1.0, 1.0)  # perfect
    assert ours([np.full_like(one, 7) for one in maps], masks) == (0.0, 0.0)


@given(st.integers(0, 10**6), st.floats(0.05, 0.9))
@settings(max_examples=15)
def test_asking_for_more_finds_no_more_regions(seed: int, alpha: float) -> None:
    maps, masks = drawn(seed, videos=1)
    assert ours(maps, masks, alpha=alpha)[1] >= ours(maps, masks, alpha=alpha + 0.1)[1]


def test_maps_of_half_precision_and_a_video_without_masks() -> None:
    maps, masks = drawn(1, videos=2)
    masks[1][:] = False
    half = {"a": maps[0].astype(np.float16), "b": maps[1].astype(np.float16)}
    expected = plain.region_criteria([one.astype(float) for one in half.values()], masks)
    assert region_criteria(half, masks) == pytest.approx(expected, abs=1e-12)
    assert region_criteria(half, [masks[0], None]) == region_criteria(half, masks)


def test_what_cannot_be_compared_is_named() -> None:
    maps, masks = drawn(1, videos=2)
    both = {"1": maps[0], "2": maps[1]}
    with pytest.raises(ScoresError, match=r"video 2 has 6 maps, but masks \[5, 16, 20\]"):
        region_criteria(both, [masks[0], masks[1][:5]])
    with pytest.raises(ScoresError, match=r"maps of video 2 must be \[N, h, w\], not \[6, 4\]"):
        region_criteria({"1": maps[0], "2": maps[1][..., 0]}, masks)
    maps[1][3, 0, 0] = np.nan
    with pytest.raises(ScoresError, match="a map of video 2 holds what is not a finite number"):
        region_criteria(both, masks)
    with pytest.raises(ScoresError, match="no pixel of the masks is abnormal"):
        region_criteria({"1": maps[0]}, [None])


def test_examples() -> None:
    done = doctest.testmod(regions, extraglobs={"np": np})
    assert (done.failed, done.attempted > 0) == (0, True)
