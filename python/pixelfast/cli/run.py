"""Runs a command and turns whatever goes wrong into one sentence and an exit code."""

import os
import signal
import sys
import threading
import traceback
from collections.abc import Sequence

from pixelfast.cli.console import print_aside
from pixelfast.errors import PixelfastError
from pixelfast.files.refused import is_disk_full

DONE, FAILED, STOPPED = 0, 1, 130
_DEBUG = "--debug"


def run(arguments: Sequence[str]) -> int:
    """Run the command line with these arguments and say how it ended.

    Args:
        arguments: What stands behind `pixelfast`. `--debug` may stand anywhere before `--`.

    Returns:
        0 done, 1 failed, 2 wrong usage, 130 stopped by Ctrl-C, or by SIGTERM, which ends it as gently.
    """
    arguments, debug = _take_debug(list(arguments))
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        from pixelfast.cli.app import app

        app(args=arguments, prog_name="pixelfast")
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else DONE if end.code is None else FAILED
    except KeyboardInterrupt:
        code = STOPPED
    except BrokenPipeError:
        # Whoever read the results has gone (`| head`): not worth a word, and nothing more must be written there.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return FAILED
    except Exception as error:
        if debug:
            traceback.print_exc()
        print_aside(explain(error), "error")
        return FAILED
    else:
        code = DONE
    if code == STOPPED:
        sentence = "nothing is half-written; run again, `score` goes on by itself and `train` with --resume"
        print_aside(sentence, "stopped")
    return code


def explain(error: BaseException) -> str:
    """One sentence, on one line, for whoever typed the command."""
    text = " ".join(str(error).split())
    if isinstance(error, PixelfastError):
        return text or type(error).__name__
    if isinstance(error, MemoryError) or "allocate memory" in text:  # the latter is PyTorch's way to say so
        return f"there is not enough memory for this{f' ({text})' if text else ''}: close other programs, or use less"
    if is_disk_full(error):
        return f"the disk is full{_of_file(error)}: make room and run the same command again"
    if isinstance(error, OSError) and error.errno is not None:
        return f"the system says: {error.strerror}{_of_file(error)} (--debug shows where)"
    return (
        f"this is a bug in pixelfast ({type(error).__name__}: {text}): run again with --debug and report what it prints"
    )


def _of_file(error: BaseException) -> str:
    name = getattr(error, "filename", None)
    return f" ({name})" if name is not None else ""


def _take_debug(arguments: list[str]) -> tuple[list[str], bool]:
    """The arguments without `--debug`, and whether it was there; what follows `--` is left alone."""
    end = arguments.index("--") if "--" in arguments else len(arguments)
    kept = [argument for argument in arguments[:end] if argument != _DEBUG]
    return kept + arguments[end:], len(kept) < end
