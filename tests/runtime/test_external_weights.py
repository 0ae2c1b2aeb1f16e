"""Weights that an ONNX file leaves to another file are part of what it is, whatever that file is called."""

from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from pixelfast.methods.choose import choose_engine
from pixelfast.runtime.external import external_files


def engine(path: Path, **locations: str) -> Path:
    """An ONNX file whose tensors, by name, lie in other files."""
    weights = []
    for name, location in locations.items():
        tensor = numpy_helper.from_array(np.ones(4, np.float32), name)
        onnx.external_data_helper.set_external_data(tensor, location)
        tensor.ClearField("raw_data")
        tensor.data_location = TensorProto.EXTERNAL
        weights.append(tensor)
        (path.parent / location).parent.mkdir(parents=True, exist_ok=True)
        (path.parent / location).write_bytes(np.ones(4, np.float32).tobytes())
    ends = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [4]) for name in ("x", "y")]
    inner = helper.make_graph([helper.make_node("Identity", ["x"], ["y"])], "g", ends[:1], ends[1:], weights)
    path.write_bytes(helper.make_model(inner).SerializeToString())
    return path


@pytest.mark.parametrize(
    "name", ["ae.onnx.data", "weights.bin", "w", "deep/ünder.bin", "x" * 127, "x" * 128, "y" * 250]
)
def test_changed_weights_are_another_engine(tmp_path: Path, name: str) -> None:
    path = engine(tmp_path / "ae.onnx", first=name, second="second.bin")
    assert external_files(path) == {tmp_path / name, tmp_path / "second.bin"}
    before = choose_engine(path).sha256
    assert choose_engine(path).sha256 == before
    (tmp_path / name).write_bytes(np.full(4, 2, np.float32).tobytes())
    assert choose_engine(path).sha256 != before


def test_an_engine_without_other_files_is_told_by_its_own_bytes(tmp_path: Path) -> None:
    path = engine(tmp_path / "ae.onnx")
    assert external_files(path) == set()
    for damage in (b"\x0a\x08location\x12", b"\x0a\x08location\x12\xff", b"\x0a\x08location\x12\x05ab\0cd"):
        path.write_bytes(damage)
        assert external_files(path) == set()
