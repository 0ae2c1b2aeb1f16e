"""What goes wrong in the test videos: frames upside down, frames under heavy noise, files cut short."""

from dataclasses import dataclass

import numpy as np

_FLIPPED_SHARE = 0.10
_NOISY_SHARE = 0.02
_TRUNCATED_VIDEOS = (2, 5)
_LONGEST_RUN = 7


@dataclass(frozen=True)
class Faults:
    """Frame indices (from 0) of one video that are flipped, noisy or truncated. No frame has two faults."""

    flipped: frozenset[int] = frozenset()
    noisy: frozenset[int] = frozenset()
    truncated: frozenset[int] = frozenset()


def draw_faults(seed: int, video: int, frames: int) -> Faults:
    """Choose the faults of a test video: a tenth of the frames flipped, half of them in runs and half of them alone.

    Args:
        seed: Seed of the scene.
        video: Number of the video, from 1.
        frames: How many frames it has.
    """
    rng = np.random.default_rng([seed, 4, video])
    wanted = max(round(_FLIPPED_SHARE * frames), 1)
    flipped: set[int] = set()
    while len(flipped) < wanted // 2:
        length = min(int(rng.integers(3, _LONGEST_RUN + 1)), wanted // 2 - len(flipped))
        first = int(rng.integers(0, frames - length + 1))
        flipped |= set(range(first, first + length))
    alone = [i for i in rng.permutation(frames).tolist() if not {i - 1, i, i + 1} & flipped]
    for index in alone:
        if len(flipped) < wanted and not {index - 1, index + 1} & flipped:
            flipped.add(index)
    spared = [i for i in rng.permutation(frames).tolist() if i not in flipped]
    n_noisy = max(round(_NOISY_SHARE * frames), 1)
    truncated = spared[n_noisy : n_noisy + 1] if video in _TRUNCATED_VIDEOS else []
    return Faults(frozenset(flipped), frozenset(spared[:n_noisy]), frozenset(truncated))
