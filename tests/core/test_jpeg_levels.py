"""Grey levels of pictures of few levels, whose blocks leave 0 to 255: every decoder cuts them, and then averages."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image, ImageDraw

from pixelfast import _core


def text(height: int, width: int, _: np.random.Generator) -> Image.Image:
    image = Image.new("L", (width, height), 255)
    for top in range(4, height, 12):
        ImageDraw.Draw(image).text((4, top), "The quick brown fox jumps over the lazy dog. " * 4, fill=0)
    return image


def dots(height: int, width: int, random: np.random.Generator) -> Image.Image:
    return Image.fromarray((random.integers(0, 2, (height, width)) * 255).astype(np.uint8))


def night(height: int, width: int, random: np.random.Generator) -> Image.Image:
    return Image.fromarray(random.normal(8, 12, (height, width)).clip(0, 255).astype(np.uint8))


def whiteboard(height: int, width: int, random: np.random.Generator) -> Image.Image:
    image = Image.new("L", (width, height), 250)
    for _ in range(40):
        ends = [(int(random.integers(width)), int(random.integers(height))) for _ in range(2)]
        ImageDraw.Draw(image).line(ends, fill=10, width=2)
    return image


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    draw=st.sampled_from([text, dots, night, whiteboard]),
    quality=st.integers(5, 95),
    sizes=st.tuples(st.sampled_from([(360, 640), (357, 501), (720, 1280)]), st.sampled_from([(128, 128), (99, 201)])),
    seed=st.integers(0, 2**16),
)
def test_levels_are_pillows_and_the_same_for_both_kinds_of_jpeg(tmp_path: Path, draw, quality, sizes, seed) -> None:
    size, target = sizes
    image = draw(*size, np.random.default_rng(seed))
    levels = []
    for progressive in (False, True):
        path = tmp_path / "frame.jpg"
        image.save(path, quality=quality, progressive=progressive)
        with Image.open(path) as saved:
            expected = np.asarray(saved.resize(target[::-1], Image.Resampling.BILINEAR)).astype(float)
        levels.append(_core.decode_frames([path], *target)[0][0].astype(float))
        assert np.abs(levels[-1] - expected).mean() <= 0.5
    assert np.abs(levels[0] - levels[1]).mean() <= 0.4


@pytest.mark.parametrize("level", range(0, 256, 5))
@pytest.mark.parametrize("quality", [10, 30, 75])
def test_a_flat_picture_keeps_its_level(tmp_path: Path, level: int, quality: int) -> None:
    path = tmp_path / "frame.jpg"
    Image.new("L", (640, 360), level).save(path, quality=quality)
    with Image.open(path) as saved:
        expected = np.asarray(saved)[0, 0]

    assert np.unique(_core.decode_frames([path], 128, 128)[0]).tolist() == [expected]
