"""Tries every engine of a model on this machine; the same as `pixelfast verify`.

python cuda_export/verify.py model/ --source footage/
"""

import sys

from pixelfast.cli.run import run

if __name__ == "__main__":
    sys.exit(run(["verify", *sys.argv[1:]]))
