"""What the motion method knows about its engines."""

from dataclasses import dataclass
from typing import Self

from pixelfast.errors import ModelError
from pixelfast.flow.engine import FlowFacts
from pixelfast.model import Model
from pixelfast.model.fields import Fields
from pixelfast.model.manifest import FILE_NAME


@dataclass(frozen=True)
class MotionFacts:
    """What a motion model needs beside its engine; its manifest holds it.

    Attributes:
        flow: where its flow comes from.
        past: flows that the next one is predicted from.
        scale: the deviation of the training flows, in pixels of the 64x64 grid: what predictions are measured in.
        bridge_noisy: whether flow leaps over noisy and damaged frames; the source's own recipe has no repair.
    """

    flow: FlowFacts
    past: int
    scale: float
    bridge_noisy: bool

    @classmethod
    def of(cls, model: Model) -> Self:
        """Reads them from a model's manifest.

        Raises:
            ModelError: they are missing or mean nothing.
        """
        own = model.manifest.own
        if not own:
            raise ModelError(f"{model.folder} does not say which flow it was trained on: train the model again")
        fields = Fields(own, model.folder / FILE_NAME, f"{model.manifest.method}.")
        flow, scale = FlowFacts.read(fields.part("flow")), fields.read("scale", float)
        if scale <= 0:
            raise fields.damaged("scale", "a number above 0")
        return cls(flow, fields.read("past", int), scale, fields.read("bridge_noisy", bool))
