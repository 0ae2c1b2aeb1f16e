"""Builds the TensorRT plans of a motion model into its folder: of the GRU, and of RAFT where the model has one.

python cuda_export/export_motion.py motion-model/ --precision fp16 --compute-capability 8.6
"""

import sys
from collections.abc import Sequence

from plan_command import run


def main(arguments: Sequence[str] | None = None) -> int:
    """Builds; returns 0, or 1 after a sentence on stderr."""
    return run(__doc__ or "", "motion", arguments)


if __name__ == "__main__":
    sys.exit(main())
