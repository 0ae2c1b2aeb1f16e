"""Cuboids against NumPy, their augmentation against an implementation of its own and against its distribution."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy import stats

from oracles.augmentation import augmented, philox
from pixelfast import _core

Cuboids = NDArray[np.float32]
WINDOW = 16


def random_frames(count: int, height: int = 12, width: int = 10, seed: int = 0) -> NDArray[np.uint8]:
    return np.random.default_rng(seed).integers(0, 256, (count, height, width), np.uint8)


def assemble(frames: NDArray[np.uint8], starts: Any, window: int = WINDOW, **settings: Any) -> Cuboids:
    out = np.full((len(starts), window, *frames.shape[1:]), np.nan, np.float32)
    _core.assemble_cuboids(frames, np.array(starts, np.int64), out, **settings)
    return out


def augment(frames: NDArray[np.uint8], starts: Any, samples: Any, **settings: Any) -> Cuboids:
    usual = {"noise_probability": 0.3, "flip_probability": 0.2, "seed": 5}
    return assemble(frames, starts, samples=np.array(samples, np.int64), **(usual | settings))


@given(st.data())
def test_plain_cuboids_are_numpys_to_the_bit(data: st.DataObject) -> None:
    count, height, width = (data.draw(st.integers(1, 9)) for _ in range(3))
    window = data.draw(st.integers(1, count))
    starts = data.draw(st.lists(st.integers(0, count - window), max_size=6))
    frames = random_frames(count, height, width)

    out = assemble(frames, starts, window, threads=2)

    for cuboid, start in zip(out, starts, strict=True):
        np.testing.assert_array_equal(cuboid, frames[start : start + window].astype(np.float32) / 255)


def test_every_level_is_numpys_quotient() -> None:
    levels = np.arange(256, dtype=np.uint8).reshape(1, 16, 16)
    np.testing.assert_array_equal(assemble(levels, [0], 1)[0], levels.astype(np.float32) / 255)


def test_the_oracles_generator_gives_the_authors_known_answers() -> None:
    """kat_vectors of Random123, philox4x32 10."""
    pi = np.array([0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344], np.uint64)
    assert philox(pi, 0x299F31D0A4093822).tolist() == [0xD16CFE09, 0x94FDCCEB, 0x5001E420, 0x24126EA1]


@pytest.mark.parametrize("flip", ["frame", "cuboid"])
@pytest.mark.parametrize("size", [(12, 10), (7, 5)], ids=str)
def test_augmentation_equals_the_oracle_to_the_bit(flip: str, size: tuple[int, int]) -> None:
    frames = random_frames(60, *size)
    starts, samples = [0, 7, 30, 44, 7], [0, 3, 2**40 + 1, 2**62, 9]
    clean = np.empty((5, WINDOW, *size), np.float32)

    out = augment(
        frames, starts, samples, flip=flip, clean=clean, seed=2**63 + 17, noise_probability=0.5, flip_probability=0.5
    )

    for index, (start, sample) in enumerate(zip(starts, samples, strict=True)):
        plain = frames[start : start + WINDOW].astype(np.float32) / 255
        theirs, theirs_clean = augmented(plain, 2**63 + 17, sample, noise=0.5, amplitude=0.15, flips=0.5, flip=flip)
        np.testing.assert_array_equal(out[index], theirs)
        np.testing.assert_array_equal(clean[index], theirs_clean)


@given(st.permutations(range(12)), st.integers(0, 12), st.sampled_from(["frame", "cuboid"]), st.integers(0, 2**64 - 1))
def test_a_sample_is_the_same_in_any_order_split_and_threads(order: list[int], cut: int, flip: str, seed: int) -> None:
    frames = random_frames(30, 4, 5)
    whole = augment(frames, np.arange(12), np.arange(12), flip=flip, seed=seed, threads=1)

    for threads in (2, 7):
        parts = [
            augment(frames, part, part, flip=flip, seed=seed, threads=threads) for part in (order[:cut], order[cut:])
        ]
        np.testing.assert_array_equal(np.concatenate(parts), whole[order])


def test_seeds_samples_frames_and_pixels_differ() -> None:
    frames = np.full((WINDOW, 16, 16), 128, np.uint8)
    batch = [augment(frames, [0, 0], [1, 2], seed=seed, noise_probability=1) for seed in (1, 2)]
    # Two seeds x two samples x 16 frames of grey: every frame its own noise.
    noisy = np.concatenate(batch).reshape(-1, 256)
    assert len(np.unique(noisy, axis=0)) == 2 * 2 * WINDOW
    correlations = np.corrcoef(noisy)[np.triu_indices(len(noisy), 1)]
    # 2016 pairs of 256 independent pixels: 5.5 standard errors of 1/16.
    assert np.abs(correlations).max() < 5.5 / 16
    assert len(np.unique(noisy)) > 0.99 * noisy.size


def test_noise_is_uniform_within_its_amplitude() -> None:
    """Grey frames are never clipped, so the noise can be read off."""
    frames = np.full((WINDOW, 64, 64), 128, np.uint8)
    out = augment(frames, [0] * 4, range(4), noise_probability=1, flip_probability=0, noise_amplitude=0.2)
    noise = (out - np.float32(128 / 255)).ravel().astype(np.float64)

    # 262,144 values: the seed is fixed, so this fails always or never.
    assert stats.kstest(noise, stats.uniform(-0.2, 0.4).cdf).pvalue > 0.01
    assert 0.1999 < np.abs(noise).max() < 0.20001
    assert abs(np.corrcoef(noise[:-1], noise[1:])[0, 1]) < 0.01


def test_shares_of_noise_and_flips() -> None:
    frames = random_frames(WINDOW, 6, 5)
    plain = frames.astype(np.float32) / 255
    samples = np.arange(500)

    noisy = (augment(frames, [0] * 500, samples, flip_probability=0) != plain).any(axis=(2, 3))
    flipped = (augment(frames, [0] * 500, samples, noise_probability=0) != plain).any(axis=(2, 3))

    for found, share in ((noisy, 0.3), (flipped, 0.2)):
        assert stats.binomtest(int(found.sum()), found.size, share).pvalue > 0.01
        # Each frame on its own: the count in a cuboid varies like a binomial one.
        assert found.sum(axis=1).var() == pytest.approx(WINDOW * share * (1 - share), rel=0.2)
    assert abs(np.corrcoef(noisy.ravel(), flipped.ravel())[0, 1]) < 0.04


def test_whole_cuboids_are_turned_together() -> None:
    frames = random_frames(WINDOW, 6, 5)
    plain = frames.astype(np.float32) / 255
    out = augment(frames, [0] * 1000, range(1000), noise_probability=0, flip="cuboid")

    turned = (out != plain).any(axis=(2, 3))
    assert set(turned.sum(axis=1)) == {0, WINDOW}
    assert stats.binomtest(int(turned[:, 0].sum()), 1000, 0.2).pvalue > 0.01
    np.testing.assert_array_equal(out[turned[:, 0]][0], plain[:, ::-1])


def test_noise_is_clipped_and_absent_from_the_clean_cuboid() -> None:
    frames = np.repeat(np.array([0, 255], np.uint8), 8)[:, None, None] * np.ones((1, 8, 8), np.uint8)
    clean = np.empty((1, WINDOW, 8, 8), np.float32)
    out = augment(frames, [0], [0], noise_probability=1, clean=clean)

    assert out.min() == 0 and out.max() == 1
    assert 0.3 < (out == clean).mean() < 0.7, "half of the noise on black and white is clipped away"
    np.testing.assert_array_equal(clean[0], frames.astype(np.float32) / 255)


def test_clean_without_augmentation_is_the_cuboid() -> None:
    frames = random_frames(20)
    clean = np.empty((2, WINDOW, 12, 10), np.float32)
    np.testing.assert_array_equal(assemble(frames, [0, 4], clean=clean), clean)


def test_the_callers_frames_may_be_a_memory_map(tmp_path: Any) -> None:
    frames = random_frames(20)
    frames.tofile(tmp_path / "frames")
    mapped = np.memmap(tmp_path / "frames", np.uint8, "r", shape=frames.shape)
    np.testing.assert_array_equal(assemble(mapped, [3]), assemble(frames, [3]))


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"starts": [5]}, r"starts\[0\] is 5, but windows of 16 in 20 frames start at 0 to 4"),
        ({"starts": [0, -1]}, r"starts\[1\] is -1, but"),
        ({"noise_probability": 0.1}, "samples is required with a noise or flip probability"),
        ({"samples": [1, 2], "flip_probability": 0.1}, "samples must have one number for each of 1 starts, not 2"),
        ({"samples": [1], "flip_probability": 1.5}, "flip_probability must lie between 0 and 1, not 1.5"),
        ({"samples": [1], "noise_probability": np.nan}, "noise_probability must lie between 0 and 1, not NaN"),
        ({"samples": [1], "noise_probability": 1, "noise_amplitude": -1}, "noise_amplitude must be finite and not neg"),
        ({"samples": [1], "flip_probability": 1, "flip": "row"}, 'flip must be "frame" or "cuboid", not "row"'),
        ({"threads": 0}, "threads must be at least 1, not 0"),
        (
            {"clean": np.zeros((1, 8, 12, 10), np.float32)},
            r"clean must be .* here \[1, 16, 12, 10\], not \[1, 8, 12, 1",
        ),
    ],
    ids=lambda value: str(value)[:40],
)
def test_refusals(settings: dict[str, Any], sentence: str) -> None:
    settings = {"starts": [0], **settings}
    if "samples" in settings:
        settings["samples"] = np.array(settings["samples"], np.int64)
    with pytest.raises(ValueError, match=sentence):
        assemble(random_frames(20), **settings)


def test_a_cuboid_longer_than_the_video_is_refused() -> None:
    with pytest.raises(ValueError, match="windows of 16 in 9 frames"):
        assemble(random_frames(9), [0])


@given(st.integers(1, 6), st.integers(1, 5), st.integers(1, 9), st.integers(0, 3), st.integers(0, 99))
def test_errors_equal_numpys(grid: int, cell_height: int, cell_width: int, batch: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    shape = (batch, 3, grid * cell_height, grid * cell_width)
    cuboids, reconstruction = rng.random((2, *shape), np.float32)

    errors = _core.cuboid_errors(cuboids, reconstruction, grid, threads=2)

    squares = (cuboids.astype(np.float64) - reconstruction) ** 2
    expected = squares.reshape(batch, 3, grid, cell_height, grid, cell_width).mean((3, 5))
    assert (errors.shape, errors.dtype) == ((batch, 3, grid, grid), np.float32)
    np.testing.assert_allclose(errors, expected, rtol=1e-6)


def test_errors_that_are_not_finite_stay_in_their_cell() -> None:
    cuboids = np.zeros((1, 2, 8, 8), np.float32)
    reconstruction = cuboids.copy()
    reconstruction[0, 1, 5, 2] = np.nan
    errors = _core.cuboid_errors(cuboids, reconstruction, 4)
    assert np.argwhere(np.isnan(errors)).tolist() == [[0, 1, 2, 1]]


@pytest.mark.parametrize("grid", [0, 3, 2**40])
def test_errors_refuse_a_grid_that_does_not_divide(grid: int) -> None:
    cuboids = np.zeros((1, 2, 8, 8), np.float32)
    with pytest.raises(ValueError, match=f"frames of 8x8 cannot be cut into {grid}x{grid} equal cells"):
        _core.cuboid_errors(cuboids, cuboids, grid)
