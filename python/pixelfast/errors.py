"""What pixelfast raises: each error is a `PixelfastError` and the built-in that a caller would expect."""


class PixelfastError(Exception):
    """Something the user can mend; the message is a sentence that names the file and says what to do."""


class SourceError(PixelfastError, FileNotFoundError, ValueError):
    """The footage is not there, holds no frames, or its layout cannot be understood."""


class DecodeError(PixelfastError, ValueError):
    """A frame cannot be decoded and the caller asked not to repair it."""


class EngineError(PixelfastError, FileNotFoundError, ValueError):
    """The engine is not there, cannot be loaded, or does not fit the frames."""


class ModelError(PixelfastError, FileNotFoundError, ValueError):
    """The model folder is not there, incomplete or damaged, or the training cannot make one."""


class ScoresError(PixelfastError, FileNotFoundError, ValueError):
    """A table of scores or labels is not there, cannot be read, or does not fit."""


class OutputError(PixelfastError, OSError):
    """A result cannot be written (no permission, no such folder, disk full)."""
