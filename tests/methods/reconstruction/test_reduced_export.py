"""int8 and bf16 engines for CPUs: made from a trained model's own footage, checked against float32, calibrated."""

import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import pytest

import pixelfast
from footage import walking_square
from frame_files import write_video
from pixelfast.errors import EngineError, ModelError
from pixelfast.methods.reconstruction.engine import load_window_engine
from pixelfast.methods.reconstruction.quantize import write_int8
from pixelfast.model import Model
from pixelfast.sources.masking import read_masks
from untrained import write_untrained

FRAMES = walking_square(45, seed=7)


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Model:
    """A model that says what footage it was trained on; its weights are random."""
    return write_untrained(tmp_path_factory.mktemp("home"), 300, 8)


@pytest.fixture
def model(trained: Model, tmp_path: Path) -> Model:
    """A copy of its own."""
    shutil.copytree(trained.folder, tmp_path / "model")
    return Model.load(tmp_path / "model")


def test_int8_engine(model: Model) -> None:
    path = pixelfast.export(model, precision="int8", threads=1)
    assert path == model.folder / "ae.int8.onnx"
    graph = onnx.load(path).graph
    kinds = [node.op_type for node in graph.node]
    makers = {output: node for node in graph.node for output in node.output}
    quantized = [node for node in graph.node if node.op_type in ("Conv", "ConvTranspose")]
    assert all(makers[node.input[0]].op_type == "DequantizeLinear" for node in quantized)
    floats = [node for node in graph.node if node.op_type in ("Sub", "Mul", "AveragePool", "Sigmoid", "Div")]
    assert not any(
        makers[name].op_type == "DequantizeLinear" for node in floats for name in node.input if name in makers
    )
    assert kinds.count("ConvTranspose") == 4
    engines = [load_window_engine(model.folder / name, 1) for name in ("ae.onnx", "ae.int8.onnx")]
    assert [engine.facts.precision for engine in engines] == ["fp32", "int8"]
    float32, int8 = (engine.errors(FRAMES, 1) for engine in engines)
    assert int8.shape == float32.shape
    assert 0 < np.abs(int8 - float32).max() < 0.1 * float32.max()


@pytest.mark.parametrize("precision", ["int8", "bf16"])
def test_each_has_a_calibration_of_its_own_and_scores(model: Model, tmp_path: Path, precision: str) -> None:
    path = pixelfast.export(model, precision=precision, threads=1)
    assert path.name == f"ae.{precision}.onnx"
    own = Model.load(model.folder).calibration(path, 1, "mean", "mean", 3)
    assert own is not None
    assert own.precision == precision
    write_video(tmp_path / "footage" / "01", FRAMES)
    scores, others = (pixelfast.score(tmp_path / "footage", model.folder / name) for name in (path.name, "ae.onnx"))
    assert scores.threshold == own.threshold
    np.testing.assert_allclose(scores.raw, others.raw, rtol=0.1)


def test_a_model_with_a_mask_has_calibrations_too(model: Model) -> None:
    reading = replace(model.manifest.reading, mask=read_masks(["0,0,32,32"], (128, 128)))
    masked = Model.write(model.folder, model.folder.parent / "masked", replace(model.manifest, reading=reading))
    pixelfast.export(masked, stride=4, threads=1)
    pixelfast.export(masked, precision="int8", threads=1)
    measured = {one.engine for one in Model.load(masked.folder).manifest.calibrations}
    assert measured == {"ae.s4.onnx", "ae.int8.onnx"}


def test_a_stride_of_its_own(model: Model) -> None:
    pixelfast.export(model, stride=4, threads=1)
    path = pixelfast.export(model.folder, precision="int8", stride=4, threads=1)
    assert path.name == "ae.s4.int8.onnx"
    assert load_window_engine(path, 1).facts.stride == 4


def test_what_changes_the_order_is_not_written(model: Model, monkeypatch: pytest.MonkeyPatch) -> None:
    before = {entry.name: entry.read_bytes() for entry in model.folder.iterdir()}
    monkeypatch.setattr("pixelfast.scores.agreement.LEAST_AGREEMENT", 1.5)
    with pytest.raises(ModelError, match=r"ae.int8.onnx was not written: .* is [01]\.\d{4}, below 1.5"):
        pixelfast.export(model, precision="int8", threads=1)
    assert {entry.name: entry.read_bytes() for entry in model.folder.iterdir()} == before


def test_footage_that_is_gone_gets_a_sentence(model: Model) -> None:
    text = (model.folder / "model.json").read_text()
    normal = model.manifest.training
    assert normal is not None
    (model.folder / "model.json").write_text(text.replace(normal.sources[0], "/gone"))
    with pytest.raises(ModelError, match=r"checked on the training footage .*/gone"):
        pixelfast.export(model.folder, precision="int8", threads=1)


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"precision": "fp16"}, "not onnx in fp16"),
        ({"to": "plan", "precision": "int8"}, "precision must be fp32, fp16 or bf16, not 'int8'"),
        ({"precision": "int8", "stride": 3}, r"has no ae.s3.onnx, .*--stride 3"),
    ],
)
def test_what_cannot_be_exported_gets_a_sentence(model: Model, options: dict[str, object], sentence: str) -> None:
    with pytest.raises((EngineError, ModelError), match=sentence):
        pixelfast.export(model, **options, threads=1)  # type: ignore[arg-type]


def test_a_graph_without_a_network_gets_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "ae.onnx").write_text("no graph")
    with pytest.raises(EngineError, match=r"ae.onnx is no ONNX engine: it begins with"):
        write_int8(tmp_path / "ae.onnx", tmp_path / "ae.int8.onnx", [FRAMES])
    assert not (tmp_path / "ae.int8.onnx").exists()


def test_nothing_is_printed_or_reported(model: Model, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "pixelfast", "export", str(model.folder), "--precision", "int8", "--threads", "1"]
    home = tmp_path / "home"
    home.mkdir()
    # Only what pixelfast keeps itself, the hashes of footage, may lie in the user's cache.
    environment = {"HOME": str(home), "PATH": "/usr/bin:/bin", "XDG_CACHE_HOME": str(tmp_path / "cache")}
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    assert done.returncode == 0, done.stderr
    assert done.stdout == f"written {model.folder / 'ae.int8.onnx'}\n"
    assert [line.split(":")[0] for line in done.stderr.splitlines()] == ["note"], done.stderr
    assert list(home.rglob("*")) == []
    assert {path.name for path in tmp_path.glob("cache/*")} <= {"pixelfast"}
