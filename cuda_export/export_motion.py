"""Builds the plans of a motion model's GRU and RAFT into its folder, as `pixelfast export --to plan`.

python cuda_export/export_motion.py motion-model/ --precision fp16 --compute-capability 8.6
"""

import sys

from pixelfast.cli.run import run

if __name__ == "__main__":
    sys.exit(run(["export", "--to", "plan", "--only", "motion", *sys.argv[1:]]))
