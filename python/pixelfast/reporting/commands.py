"""The command beside each moment: by which a person tells the model that it is normal."""

import shlex
from os import PathLike
from pathlib import Path

from pixelfast.sources import Source, Video


def learn_command(model: str | PathLike[str] | None, source: Source, scores: object, number: int) -> str:
    """Returns the command that has a model learn a moment; in capitals what is not known.

    Args:
        model: the model folder, or an engine file in it.
        source: the footage.
        scores: the path of its scores; anything else is not known.
        number: of the moment.

    Examples:
        >>> from pixelfast.reporting.commands import learn_command
        >>> learn_command("model", "cam 1.mp4", "scores.parquet", 3)
        "pixelfast learn model 'cam 1.mp4' --events scores.parquet --normal 3"
    """
    items = [source] if isinstance(source, str | PathLike | Video) else list(source)
    footage = [str(item) for item in items if isinstance(item, str | PathLike)] or ["SOURCE"]
    events = str(scores) if isinstance(scores, str | PathLike) else "SCORES.parquet"
    folder = "MODEL" if model is None else str(Path(model).parent if Path(model).is_file() else model)
    return " ".join(
        map(shlex.quote, ["pixelfast", "learn", folder, *footage, "--events", events, "--normal", str(number)])
    )
