"""The command line: `pixelfast COMMAND`. Nothing heavy is imported before a command runs."""

import gc
import os
import sys
from contextlib import suppress

_FEW_COLLECTIONS = 100_000
"""New objects between two collections of garbage: imports make many objects and no garbage."""


def main() -> None:
    """Run the command line and exit: 0 done, 1 failed with one sentence, 2 wrong usage."""
    from pixelfast.cli.run import run
    from pixelfast.cli.streams import prepare_streams, read_utf8

    read_utf8()
    prepare_streams()
    gc.set_threshold(_FEW_COLLECTIONS)
    code = run(sys.argv[1:])
    with suppress(OSError):  # whoever read the results has gone
        sys.stdout.flush()
        sys.stderr.flush()
    os._exit(code)  # all files are closed by now; taking the engines' libraries down takes a tenth of a second
