"""Sound files to begin with, and how choices that are drawn from bytes change them."""

import base64
import json
import struct
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from made_models import MANIFEST, measure
from made_scores import make_scores
from pixelfast.cleaning.stage import FrameRecord
from pixelfast.methods.density.recipe import Times
from pixelfast.model import FileFacts
from pixelfast.model.events import EventCurve
from pixelfast.model.manifest import FILE_NAME, PlanFacts, write_manifest
from pixelfast.options import Reading
from pixelfast.pipeline.listing import Place
from pixelfast.pipeline.parts import Job, Part, write_part
from pixelfast.sources.masking import read_masks

JUNK: list[Any] = [
    None, True, False, 0, 1, -1, 2, 65_535, 2**31 - 1, 2**31, 2**63 - 1, 2**63, 10**30, 10**400, 0.0, -0.5,
    1e308, 5e-324, float("nan"), float("inf"), "", "x", "..", "../x", "a\\b", "\0", "\ud800", "é" * 300, "1/hour",
    "ae.onnx", [], [[]], [None], [0], [1, 2], ["x"], [0.5] * 1000, {}, {"x": {}}, {"": None},
]  # fmt: skip
"""What a field of JSON may be instead of what it should be."""


class Choices:
    """Whole numbers drawn from bytes; zeros once these are used up."""

    def __init__(self, data: bytes) -> None:
        self._data, self._at = data, 0

    def below(self, end: int) -> int:
        """The next number, 0 or more and below `end`."""
        taken = self._data[self._at : self._at + 2].ljust(2, b"\0")
        self._at += 2
        return int.from_bytes(taken, "little") % end

    def one(self, some: list[Any]) -> Any:
        return some[self.below(len(some))]


def changed(facts: Any, choices: Choices) -> Any:
    """JSON with one to four values replaced, added or taken away, anywhere in it."""
    facts = json.loads(json.dumps(facts))
    for _ in range(1 + choices.below(4)):
        holder, keys = facts, list[Any]()
        while isinstance(holder, dict | list) and holder:
            keys = sorted(holder) if isinstance(holder, dict) else list(range(len(holder)))
            key = choices.one(keys)
            inner = holder[key]
            if not isinstance(inner, dict | list) or not inner or choices.below(4) == 0:
                how = choices.below(8)
                if how == 0:
                    del holder[key]
                elif how == 1 and isinstance(holder, dict):
                    holder[choices.one(["", "..", "../x", "x", "\ud800", "motion", "density"])] = inner
                elif how == 2 and isinstance(inner, int | float) and not isinstance(inner, bool):
                    holder[key] = choices.one(
                        [-inner, inner + 1, inner * 1000, inner / 3 if abs(inner) < 2**60 else 0.5, str(inner)[:99]]
                    )
                else:
                    holder[key] = json.loads(json.dumps(choices.one(JUNK)))  # a copy, as it may be changed next
                break
            holder = inner
    return facts


MASK = read_masks(["0,0,2,1"], (4, 6))
CURVE = EventCurve.of([np.array([0.0, 3.0, 0.0, 2.0, 0.0, 1.0])], 25.0)
PLAN = PlanFacts("fp16", 16, 64, 128, "9.0", "tensorrt", "10", "0" * 64)
ONE = measure(np.linspace(0, 1, 500))
WHOLE = replace(
    MANIFEST,
    reading=Reading(mask=MASK, fps=25.0),
    rate=25.0,
    calibrations=(replace(ONE, events=CURVE), replace(ONE, pool="rare", cells=tuple(np.linspace(0, 1, 18)))),
    files={"ae.onnx": FileFacts("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855", 0)},
    plans={"ae.plan": PLAN},
)
FLOW = {"kind": "dis", "preset": "medium", "shorter_side": 240}
OWN: dict[str, dict[str, Any]] = {
    "reconstruction": {},
    "motion": {"flow": FLOW, "past": 8, "scale": 1.5, "bridge_noisy": True},
    "density": {
        "height": 96, "width": 128, "speed": 1.0, "edges": 1.0, "times": asdict(Times(*[1.0] * 6, True, False)),
        "knee": 3, "usual": [1.0] * 3, "high": [2.0] * 3, "turned": [1.0] * 3, "alarms": None,
    },
}  # fmt: skip


def sound_manifest(folder: Path, method: str = "reconstruction") -> dict[str, Any]:
    """What stands in a model.json without fault; its one file is written, too."""
    (folder / "ae.onnx").write_bytes(b"")
    write_manifest(replace(WHOLE, method=method, own=OWN[method]), folder / FILE_NAME)
    facts: dict[str, Any] = json.loads((folder / FILE_NAME).read_text("utf-8"))
    return facts


def sound_part() -> Part:
    """A part with all that a part can hold."""
    frame, marks = np.arange(3) + 7, np.array([True, False, True])
    record = FrameRecord(frame, marks, ~marks, np.zeros(3, bool), np.array([0.0, 0.04, np.nan]))
    maps = np.arange(12, dtype=np.float16).reshape(3, 2, 2)
    job = Job("ae.onnx", {"method": "reconstruction"}, 3, {"quantiles": [0.5]}, 2, "ab", 2)
    place = Place(0, ("02",))
    return Part("01", "f00", np.array([1, 2, 3], np.float32), record, maps, job, ["a note"], 3, place, "here")


def other_column(choices: Choices) -> pa.Array:
    """Three values of some kind."""
    kinds = [pa.int8(), pa.int32(), pa.int64(), pa.float16(), pa.float32(), pa.float64(), pa.bool_(), pa.string()]
    kinds += [pa.null(), pa.list_(pa.float16()), pa.list_(pa.float16(), 2), pa.list_(pa.list_(pa.float16(), 2), 0)]
    values = [
        [1, 2, 3],
        [None, 1, None],
        [-1, 0, 2],
        [1, 1, 1],
        [[1, 2], [3, 4], [5, 6]],
        [[], [], []],
        ["a", "b", "c"],
    ]
    kind, value = choices.one(kinds), choices.one(values)
    try:
        return pa.array(value, kind)
    except (pa.ArrowException, TypeError, ValueError, OverflowError):
        return pa.nulls(3, kind)


def sound_scores(path: Path) -> None:
    """Writes scores with all that scores can hold."""
    make_scores({"01": 5, "02": 3}).write(path)


def sound_onnx() -> bytes:
    """A graph with weights in another file, in an initialiser, a node's attribute and a graph within."""
    from onnx import TensorProto, helper

    def outside(name: str, location: str) -> Any:
        tensor = TensorProto(name=name, data_type=TensorProto.FLOAT, dims=[4], data_location=TensorProto.EXTERNAL)
        tensor.external_data.add(key="location", value=location)
        tensor.external_data.add(key="length", value="16")
        return tensor

    ends = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [4]) for name in ("x", "y")]
    inner = helper.make_graph([], "inner", [], [], [outside("b", "deep/b.bin")])
    nodes = [
        helper.make_node("Constant", [], ["c"], value=outside("c", "c.bin")),
        helper.make_node("If", ["x"], ["y"], then_branch=inner, else_branch=inner),
    ]
    graph = helper.make_graph(nodes, "g", ends[:1], ends[1:], [outside("a", "a.bin")])
    whole: bytes = helper.make_model(graph).SerializeToString()
    return whole


def sound_safetensors() -> bytes:
    """One small tensor, and a header of ours."""
    about = json.dumps({"format": 1, "network": "autoencoder", "channels": [8, 8]})
    head = {"__metadata__": {"pixelfast": about}, "0.weight": {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]}}
    text = json.dumps(head).encode()
    return struct.pack("<Q", len(text)) + text + bytes(8)


def seeds(name: str, folder: Path) -> list[bytes]:
    """Sound files to begin with."""
    if name == "manifest":
        found = []
        for method in sorted(OWN):
            sound_manifest(folder, method)
            found.append((folder / FILE_NAME).read_bytes())
        return found
    if name == "part":
        write_part(folder / "a.arrow", sound_part())
        return [(folder / "a.arrow").read_bytes()]
    if name == "scores":
        sound_scores(folder / "scores.parquet")
        return [(folder / "scores.parquet").read_bytes()]
    if name == "mask":
        return [base64.b64decode(MASK or "")]
    return {"onnx": [sound_onnx()], "safetensors": [sound_safetensors()]}.get(name, [bytes(range(64))])
