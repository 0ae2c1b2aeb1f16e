"""What a density model keeps: arrays in `density.safetensors`, sizes and constants in the manifest."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final, Self

import numpy as np

from pixelfast.errors import EngineError, ModelError
from pixelfast.methods.density import STREAMS
from pixelfast.methods.density.cells import DIRECTIONS, LOOK, block_grid
from pixelfast.methods.density.learning import Known
from pixelfast.methods.density.levels import RESTLESS, SPEAKERS, Level
from pixelfast.methods.density.over_time import Values
from pixelfast.methods.density.reasons import Habits
from pixelfast.methods.density.recipe import Times
from pixelfast.methods.density.streams import Exemplars, Tails, Units
from pixelfast.model import Model
from pixelfast.model.fields import Fields
from pixelfast.model.manifest import FILE_NAME
from pixelfast.model.tails import TAILS

ALLOWED: Final = "allowed"
"""The speeds of each place that a person called normal."""

WHERE: Final = 2
"""Coordinates of an exemplar that say where it was."""


@dataclass(frozen=True)
class AlarmRate:
    """How often frames of left-out videos would have alarmed, by levels and thresholds of the others.

    Attributes:
        asked: the share of frames that was asked for.
        observed: the share that was found.
        frames: in how many.
        videos: of how many videos, or thirds of fewer than three.
    """

    asked: float
    observed: float
    frames: int
    videos: int


@dataclass(frozen=True)
class DensityFacts:
    """What the manifest says of a density model beside its arrays.

    Attributes:
        height: of the working image, in pixels.
        width: likewise.
        speed: the usual one, in pixels of the working image a frame.
        edges: their usual strength.
        times: how long things are smoothed.
        knee: see `DensityRecipe.knee`.
        usual: the median of what each speaker says of held-out frames.
        high: the 99th percentile.
        turned: by how much each speaker is turned down.
        alarms: what was observed on left-out videos.
    """

    height: int
    width: int
    speed: float
    edges: float
    times: Times
    knee: int
    usual: tuple[float, ...]
    high: tuple[float, ...]
    turned: tuple[float, ...]
    alarms: AlarmRate | None

    @classmethod
    def of(cls, model: Model) -> Self:
        """Reads them from a model's manifest.

        Raises:
            ModelError: they are missing or mean nothing.
        """
        own = model.manifest.own
        fields = Fields(own, model.folder / FILE_NAME, f"{model.manifest.method}.")
        facts: Self = fields.read_all(cls)
        for name in ("speed", "edges"):
            if getattr(facts, name) <= 0:
                raise fields.damaged(name, "a number above 0")
        if min(asdict(facts.times).values()) < 0 or facts.times.slow <= 0:
            raise fields.damaged("times", "numbers of frames above 0")
        if not 0 < facts.knee < len(TAILS) - 1:
            raise fields.damaged("knee", f"a position from 1 to {len(TAILS) - 2}")
        if not len(facts.usual) == len(facts.high) == len(facts.turned) == len(SPEAKERS):
            raise fields.damaged("usual", f"{len(SPEAKERS)} numbers, and so high and turned")
        if any(high <= usual for high, usual in zip(facts.high, facts.usual, strict=True)) or min(facts.turned) < 1:
            raise fields.damaged("high", "above usual, and turned at least 1")
        return facts

    @property
    def grid(self) -> tuple[int, int]:
        """Returns rows and columns of cells."""
        rows, columns = block_grid(self.height, self.width)
        return rows - 1, columns - 1


def facts_of(known: Known, size: tuple[int, int], alarms: AlarmRate | None) -> dict[str, Any]:
    """Returns what stands in the manifest, as plain values."""
    (height, width), units = size, known.units
    usual, high, turned = zip(*(known.levels[name] for name in SPEAKERS), strict=True)
    knee = known.tails.knee % len(TAILS)
    own = DensityFacts(height, width, units.speed, units.edges, units.times, knee, usual, high, turned, alarms)
    return asdict(own)


def save(known: Known, picture: Values, path: Path) -> None:
    """Writes the arrays, with the usual picture f32[H, W] of the training."""
    from safetensors.numpy import save_file

    exemplars, habits = known.exemplars, known.habits
    arrays = {**exemplars._asdict(), "fastest": habits.fastest, "ways": habits.ways, "picture": picture}
    arrays["tails"] = np.stack(list(known.tails.at.values()))
    places = {RESTLESS: known.tails.restless, ALLOWED: known.tails.allowed}
    arrays |= {name: values for name, values in places.items() if values is not None}
    save_file({name: np.ascontiguousarray(array) for name, array in arrays.items()}, path)


def load(path: Path, facts: DensityFacts) -> tuple[Known, Values]:
    """Reads the arrays that go with what a manifest says, and the usual picture f32[H, W].

    Raises:
        EngineError: the file is damaged, or of another model.
    """
    from safetensors import SafetensorError
    from safetensors.numpy import load_file

    try:
        arrays = load_file(path)
    except (SafetensorError, OSError, ValueError) as error:
        raise EngineError(f"{path} is damaged, or no safetensors file ({error}): train the model again") from error
    _check(arrays, facts, path)
    exemplars = Exemplars(*(arrays[name] for name in Exemplars._fields))
    names = [*STREAMS, *([RESTLESS] if RESTLESS in arrays else [])]
    tails = Tails(dict(zip(names, arrays["tails"], strict=True)), facts.knee, arrays.get(RESTLESS), arrays.get(ALLOWED))
    levels = {name: Level(*one) for name, *one in zip(SPEAKERS, facts.usual, facts.high, facts.turned, strict=True)}
    units = Units(facts.speed, facts.edges, facts.times)
    return Known(units, exemplars, tails, levels, Habits(arrays["fastest"], arrays["ways"])), arrays["picture"]


def _check(arrays: Mapping[str, Values], facts: DensityFacts, path: Path) -> None:
    rows, columns = facts.grid
    cells = rows * columns
    shapes: dict[str, tuple[int | None, ...]] = {
        "directions": (None, DIRECTIONS + WHERE),
        "looks": (None, LOOK + WHERE),
        "places": (cells, None, LOOK),
        "usual": (cells, LOOK),
        "fastest": (rows, columns),
        "ways": (rows, columns, DIRECTIONS),
        "tails": (len(STREAMS) + (RESTLESS in arrays), len(TAILS)),
        "picture": (facts.height, facts.width),
    }
    shapes |= {name: (rows, columns) for name in (RESTLESS, ALLOWED) if name in arrays}
    for name, shape in shapes.items():
        array = arrays.get(name)
        dtype = np.float64 if name == "tails" else np.float32
        wanted = f"{name} {np.dtype(dtype)} {['any' if one is None else one for one in shape]}"
        if array is None or array.dtype != dtype or array.ndim != len(shape):
            raise EngineError(f"{path} is no density model's file: it should hold {wanted}; train the model again")
        if any(one not in (None, own) for one, own in zip(shape, array.shape, strict=True)) or not array.size:
            raise EngineError(
                f"{path} is not of this model: it should hold {wanted}, not {list(array.shape)}; train again"
            )
        if not np.isfinite(array).all():
            raise EngineError(f"{path} is damaged: {name} holds values that are not finite; train the model again")


def known_of(path: Path, model: Model | None) -> tuple[DensityFacts, Known, Values]:
    """Reads a model's file and what its manifest says of it.

    Raises:
        ModelError: there is no model, or its manifest is damaged.
        EngineError: the file is damaged.
    """
    if model is None:
        raise ModelError(f"{path} belongs to no model, and does not say what it was learnt from: give the model folder")
    facts = DensityFacts.of(model)
    return facts, *load(path, facts)
