"""The command line: `pixelfast COMMAND`. Nothing heavy is imported before a command runs."""

import sys


def main() -> None:
    """Run the command line and exit: 0 done, 1 failed with one sentence, 2 wrong usage."""
    from pixelfast.cli.run import run

    sys.exit(run(sys.argv[1:]))
