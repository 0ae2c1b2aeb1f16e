"""What an engine file says about itself in its metadata."""

from pixelfast.errors import EngineError
from pixelfast.runtime.runner import EngineFile


def metadata_integer(runner: EngineFile, name: str) -> int | None:
    """The whole number under `pixelfast.<name>` in the engine's metadata, None where there is none.

    Raises:
        EngineError: it is no whole number.
    """
    text = runner.metadata.get(f"pixelfast.{name}")
    if text is None:
        return None
    if not text.isdecimal():
        raise EngineError(f"{runner.path}: its metadata pixelfast.{name} is {text!r}, not a whole number")
    return int(text)
