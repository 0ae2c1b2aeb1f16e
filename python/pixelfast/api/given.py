"""What a public function may be given in place of a path."""

from os import PathLike
from typing import Any

from pixelfast.arguments import path

StrPath = str | PathLike[str]


def model_or_path(name: str, value: Any) -> Any:
    """Returns a model as it is, and anything else as a path."""
    from pixelfast.model import Model

    return value if isinstance(value, Model) else path(name, value)


def scores_or_path(name: str, value: Any) -> Any:
    """Returns scores as they are, and anything else as a path."""
    from pixelfast.scores import Scores

    return value if isinstance(value, Scores) else path(name, value)
