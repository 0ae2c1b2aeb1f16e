"""Builds the TensorRT plan of a reconstruction model's autoencoder into its folder, as `pixelfast export --to plan`.

python cuda_export/export_ae.py model/ --precision fp16 --compute-capability 8.6
"""

import sys

from pixelfast.cli.run import run

if __name__ == "__main__":
    sys.exit(run(["export", "--to", "plan", "--only", "reconstruction", *sys.argv[1:]]))
