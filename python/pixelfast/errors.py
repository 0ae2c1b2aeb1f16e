"""What pixelfast raises: each error is a `PixelfastError` and the built-in that a caller would expect."""

from typing import Any


class PixelfastError(Exception):
    """Something the user can mend; the message is a sentence that names the file and says what to do.

    Examples:
        >>> try: pixelfast.score("new", engine="model", stride=0)
        ... except pixelfast.PixelfastError as error: print(error)
        stride must be ...
    """


class ArgumentError(PixelfastError, TypeError, ValueError):
    """An argument of a call is of a wrong type, or beyond what memory or sense allows; found out before any work.

    Examples:
        >>> try: pixelfast.score("new", engine="model", threads="2")
        ... except pixelfast.ArgumentError as error: print(error)
        threads must be a whole number, not '2' (str)
    """


class SourceError(PixelfastError, FileNotFoundError, ValueError):
    """The footage is not there, holds no frames, or its layout cannot be understood.

    Examples:
        >>> try: pixelfast.open_source("nowhere")
        ... except pixelfast.SourceError as error: print(error)
        nowhere does not exist...
    """


class DecodeError(PixelfastError, ValueError):
    """A frame cannot be decoded and the caller asked not to repair it.

    Examples:
        >>> try: pixelfast.score("new", engine="model", on_error="raise")
        ... except pixelfast.DecodeError as error: print(error)
        new/02/frame_0021.jpg is truncated: ...
    """


class LostFootageError(SourceError, DecodeError):
    """So much of a video cannot be read that it is not repaired; other videos of the run were scored.

    Attributes:
        scores: the `Scores` of the videos that were scored; None where there are none.
        insist: whether `on_error="insist"` may help: there is something to repair.

    Examples:
        >>> issubclass(pixelfast.LostFootageError, pixelfast.DecodeError)
        True
    """

    scores: Any = None
    insist: bool = True


def beyond_repair(sentence: str) -> LostFootageError:
    """Returns the error of footage in which there is nothing to repair."""
    error = LostFootageError(sentence)
    error.insist = False
    return error


class EngineError(PixelfastError, FileNotFoundError, ValueError):
    """The engine is not there, cannot be loaded, or does not fit the frames.

    Examples:
        >>> try: pixelfast.score("new", engine="nothing.onnx")
        ... except pixelfast.EngineError as error: print(error)
        nothing.onnx does not exist...
    """


class GpuMemoryError(EngineError, MemoryError):
    """The GPU's memory is full: the engine may fit another time, or with smaller calls.

    Examples:
        >>> issubclass(pixelfast.errors.GpuMemoryError, pixelfast.EngineError)
        True
    """


class ModelError(PixelfastError, FileNotFoundError, ValueError):
    """The model folder is not there, incomplete or damaged, or the training cannot make one.

    Examples:
        >>> try: pixelfast.Model.load("new")
        ... except pixelfast.ModelError as error: print(error)
        new holds no model.json...
    """


class ScoresError(PixelfastError, FileNotFoundError, ValueError):
    """A table of scores or labels is not there, cannot be read, or does not fit.

    Examples:
        >>> try: pixelfast.Scores.read("labels.csv")
        ... except pixelfast.ScoresError as error: print(error)
        labels.csv ...
    """


class UnknownVideoError(ScoresError, KeyError):
    """Scores have no video of this name.

    Examples:
        >>> try: pixelfast.Scores.read("scores.parquet")["1"]
        ... except pixelfast.UnknownVideoError as error: print(error)
        there is no video 1: did you mean 01...
    """


class OutputError(PixelfastError, OSError):
    """A result cannot be written (no permission, no such folder, disk full).

    Examples:
        >>> try: pixelfast.score("new", engine="model", out="scores.txt")
        ... except pixelfast.OutputError as error: print(error)
        scores.txt must end in .csv or .parquet...
    """


def first_line(error: Exception) -> str:
    """Returns the first line of what a library's error says, for a sentence; its name where it says nothing."""
    lines = str(error).strip().splitlines()
    return lines[0] if lines else type(error).__name__
