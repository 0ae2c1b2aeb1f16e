"""Made-up scenes, for what is checked or measured without footage."""

import numpy as np
from numpy.typing import NDArray

from pixelfast.geometry import FLOW_SIZE, FRAME_SIZE


def made_up_flows(past: int, scale: float) -> NDArray[np.float32]:
    """f32[past+240,2,64,64]: waves that wander, rise and fall, with noise, to check an export without footage.

    Their deviation is about `scale` pixels of the grid.
    """
    rng, count = np.random.default_rng(0), past + 240
    rows, columns = 6.28 * np.mgrid[0:FLOW_SIZE, 0:FLOW_SIZE] / FLOW_SIZE
    time = np.arange(count)[:, None, None, None]
    phases = np.array([0.0, 1.5])[:, None, None]
    waves = np.sin(2 * columns + rows + 0.11 * time + phases) + np.sin(3 * rows - 0.07 * time - phases)
    strength = 1 + 0.8 * np.sin(0.05 * time) + 0.1 * rng.standard_normal((count, 1, 1, 1))
    noise = 0.3 * rng.standard_normal((count, 2, FLOW_SIZE, FLOW_SIZE))
    flows: NDArray[np.float32] = (scale * (strength * waves + noise)).astype(np.float32)
    return flows


def made_up_frames(count: int = 40, height: int = FRAME_SIZE, width: int = FRAME_SIZE) -> NDArray[np.uint8]:
    """u8[count,height,width]: a smooth texture under changing light with some noise."""
    rng = np.random.default_rng(0)
    rows, columns = np.mgrid[0:height, 0:width] / max(height, width)
    texture = 0.5 + 0.2 * np.sin(9 * columns + 4 * rows) + 0.2 * np.sin(13 * rows)
    light = 0.8 + 0.2 * np.sin(np.arange(count) / 5)[:, None, None]
    noisy = light * texture + 0.03 * rng.standard_normal((count, height, width))
    levels: NDArray[np.uint8] = np.round(255 * noisy.clip(0, 1)).astype(np.uint8)
    return levels


def moving_texture(count: int, height: int, width: int) -> NDArray[np.uint8]:
    """u8[count,height,width,3]: a smooth random texture that moves by 3 pixels down and 2 to the right a frame."""
    down, right = 3, 2
    rng = np.random.default_rng(0)
    rows, columns = np.arange(height + count * down), np.arange(width + count * right)
    picture = np.full((len(rows), len(columns), 3), 127.5)
    for frequency, angle, phase, *colour in rng.uniform(0, 1, (24, 6)):
        turn = (0.05 + 0.6 * frequency) * np.array([np.cos(6.3 * angle), np.sin(6.3 * angle)])
        wave = np.sin(turn[0] * rows[:, None] + turn[1] * columns + 6.3 * phase)
        picture += 20 * wave[..., None] * (np.array(colour) - 0.2)
    levels = picture.clip(0, 255).round().astype(np.uint8)
    starts = [(down * step, right * step) for step in reversed(range(count))]
    return np.stack([levels[top : top + height, left : left + width] for top, left in starts])
