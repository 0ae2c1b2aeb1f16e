"""The training augmentation pixel by pixel in NumPy: an implementation of its own of Philox4x32-10 and of its use.

Philox: J. K. Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", SC 2011.
"""

import numpy as np
from numpy.typing import NDArray

MULTIPLIERS = (0xD2511F53, 0xCD9E8D57)
WEYL = (0x9E3779B9, 0xBB67AE85)
LOW = np.uint64(0xFFFFFFFF)


def philox(counter: NDArray[np.uint64], key: int) -> NDArray[np.uint64]:
    """Four words for each counter u64[..., 4] (each below 2**32) under a key of 64 bits."""
    a, b, c, d = np.moveaxis(counter.astype(np.uint64), -1, 0)
    keys = [key & 0xFFFFFFFF, key >> 32]
    for _ in range(10):
        first, second = a * np.uint64(MULTIPLIERS[0]), c * np.uint64(MULTIPLIERS[1])
        a, b, c, d = (
            (second >> np.uint64(32)) ^ b ^ np.uint64(keys[0]),
            second & LOW,
            (first >> np.uint64(32)) ^ d ^ np.uint64(keys[1]),
            first & LOW,
        )
        keys = [(key + step) & 0xFFFFFFFF for key, step in zip(keys, WEYL, strict=True)]
    return np.stack([a, b, c, d], axis=-1)


def words(seed: int, sample: int, stream: int, blocks: int) -> NDArray[np.uint64]:
    """The words u64[4 * blocks] of one stream of a sample."""
    counter = np.zeros((blocks, 4), np.uint64)
    counter[:, 0] = np.arange(blocks)
    counter[:, 1:] = stream, sample & 0xFFFFFFFF, (sample >> 32) & 0xFFFFFFFF
    return philox(counter, seed).ravel()


def augmented(
    cuboid: NDArray[np.float32], seed: int, sample: int, *, noise: float, amplitude: float, flips: float, flip: str
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """A cuboid f32[T,H,W] with its augmentation, and the same without noise."""
    out, clean = cuboid.copy(), cuboid.copy()
    pixels = cuboid[0].size
    for frame in range(len(cuboid)):
        for_noise, for_flip = words(seed, sample, frame | 1 << 31, 1)[:2]
        if flip == "cuboid":
            for_flip = words(seed, sample, 0xFFFFFFFF, 1)[0]
        if for_noise < noise * 2**32:
            steps = words(seed, sample, frame, -(-pixels // 4))[:pixels] >> np.uint64(8)
            uniform = steps.astype(np.float32) / np.float32(2**23) - np.float32(1)
            moved = cuboid[frame].ravel() + np.float32(amplitude) * uniform
            out[frame] = np.clip(moved, 0, 1).reshape(out[frame].shape)
        if for_flip < flips * 2**32:
            out[frame], clean[frame] = out[frame, ::-1].copy(), clean[frame, ::-1].copy()
    return out, clean
