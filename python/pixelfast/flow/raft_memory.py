"""Sizes that RAFT works in and the memory it takes (no torch here: scoring asks, too)."""

from typing import Final

SHRINKAGE: Final = 8
"""Pixels of a frame a side of one feature (RAFT, section 3.1)."""

LEAST_SIDE: Final = 128
"""Pixels: the last of the four levels of the correlation pyramid needs two features a side, 2 * 2**3 * 8."""

MEMORY_BYTES: Final = 1 << 30
"""What one call of the engine may take where nobody says otherwise: 1 GiB."""

_VOLUMES: Final = 7
"""Correlations of every feature with every other (f32) at the peak. The product, its scaled copy, a third for the
smaller levels and the allocator's gaps make 3.5; ONNX Runtime lays out a second arena for a size of call that it has
seen before, and keeps the first. Measured on a CPU, 240x360 to 480x640: 5 to 7, with the scaled copy, which is not
made any more."""

_BYTES_A_FEATURE: Final = 8_000
"""What lies beside the correlations, a feature: the hidden state, the context, the sampled correlations."""

_ENCODER_BYTES_A_FEATURE: Final = 42_000
"""What the encoders take before there are correlations, both arenas: layers of 4 kB a feature, some at a time.
Measured at 128x128; it is the larger below about 240x320."""


def padded_size(height: int, width: int) -> tuple[int, int]:
    """Height and width in pixels after padding: the next multiples of 8, at least 128."""
    height, width = (max(LEAST_SIDE, -(-side // SHRINKAGE) * SHRINKAGE) for side in (height, width))
    return height, width


def pairs_within(memory_bytes: int, height: int, width: int) -> int:
    """How many pairs of frames of this size in pixels one call may hold, so that it takes about `memory_bytes` at most.

    That is what it takes beside the engine itself, whatever the number of updates; a call of n pairs takes n + 1
    frames. It is at least 1: a single pair is never refused, however large.
    """
    return max(1, memory_bytes // pair_bytes(height, width))


def pair_bytes(height: int, width: int) -> int:
    """Bytes that a pair takes at the peak, rounded up: 0.4 GB at 640x360."""
    padded_height, padded_width = padded_size(height, width)
    features = (padded_height // SHRINKAGE) * (padded_width // SHRINKAGE)
    refining = _VOLUMES * 4 * features * features + _BYTES_A_FEATURE * features
    return max(refining, _ENCODER_BYTES_A_FEATURE * features)


PLAN_BYTES: Final = 4 << 30
"""Memory that a call of RAFT's plan may take on the GPU: TensorRT takes it for the largest call, when it is loaded."""

MOST_PAIRS: Final = 32
"""Pairs of a call that fill any GPU; more only take memory."""


def call_sizes(height: int, width: int) -> tuple[int, int, int]:
    """Returns the frames of this size in pixels that a call of RAFT's plan takes: at least, best, at most."""
    most = min(MOST_PAIRS, pairs_within(PLAN_BYTES, height, width)) + 1
    return 2, most, most
