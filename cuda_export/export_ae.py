"""Builds the TensorRT plan of a reconstruction model's autoencoder into the model's folder.

python cuda_export/export_ae.py model/ --precision fp16 --compute-capability 8.6
"""

import sys
from collections.abc import Sequence

from plan_command import run


def main(arguments: Sequence[str] | None = None) -> int:
    """Builds; returns 0, or 1 after a sentence on stderr."""
    return run(__doc__ or "", "reconstruction", arguments)


if __name__ == "__main__":
    sys.exit(main())
