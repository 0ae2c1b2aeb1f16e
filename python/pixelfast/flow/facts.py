"""The optical flow that a model was trained on."""

from dataclasses import dataclass
from typing import Self

from pixelfast.model.fields import Fields


@dataclass(frozen=True)
class FlowFacts:
    """The optical flow that a model was trained on, and that it is scored with.

    Attributes:
        kind: "dis" or "raft".
        preset: of DIS: "ultrafast", "fast" or "medium".
        shorter_side: of DIS: frames are reduced to this, pixels.
    """

    kind: str
    preset: str | None = None
    shorter_side: int | None = None

    @classmethod
    def read(cls, fields: Fields) -> Self:
        """Reads them from a model's manifest.

        Raises:
            ModelError: a field is missing or means nothing.
        """
        kind = fields.read("kind", str)
        if kind not in ("dis", "raft"):
            raise fields.damaged("kind", "dis or raft")
        return cls(kind) if kind == "raft" else cls(kind, fields.read("preset", str), fields.read("shorter_side", int))
