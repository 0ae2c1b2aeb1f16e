"""Sizes that the networks of the reconstruction method are built for (no torch here)."""

from typing import Final

WINDOW: Final = 16
"""Frames a cuboid, the channels of the autoencoder (METHOD: T = 16)."""

FRAME_SIZE: Final = 128
"""Height and width in pixels of the frames that the networks take (METHOD: 128x128)."""

GRID: Final = 8
"""Cells a side of an error map: each cell is the mean over 16x16 pixels."""

SOURCE_CHANNELS: Final = 64
"""Channels after the autoencoder's first convolution (METHOD: 16-64-128-256-512)."""

FLIP_SIZE: Final = 64
"""Height and width in pixels that the flip classifier looks at (METHOD: 64x64)."""

FLOW_SIZE: Final = 64
"""Height and width in cells of the grid that optical flow is reduced to (METHOD: 64x64)."""

PAST_FLOWS: Final = 8
"""Flows that the next one is predicted from (METHOD)."""
