"""Writes RAFT-Large as one ONNX file, or a TensorRT plan: frames in as bytes, flow on a grid of 64x64 out.

    python cuda_export/export_raft.py --height 360 --width 640 --weights raft_large.pth --out raft.onnx
    python cuda_export/export_raft.py --height 360 --width 640 --out raft.fp16.plan --precision fp16

Height and width are those of the frames and fixed in the file; the number of frames a call is free.
"""

import sys
from collections.abc import Sequence

from pixelfast.cli.raft import run


def main(arguments: Sequence[str] | None = None) -> int:
    """Exports; returns 0, or 1 after a sentence on stderr."""
    return run(__doc__ or "", arguments)


if __name__ == "__main__":
    sys.exit(main())
