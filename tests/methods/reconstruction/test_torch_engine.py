"""The autoencoder's PyTorch runner against ONNX Runtime and OpenVINO, on a CPU; on a GPU where the machine has one."""

import gc
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

import pixelfast
from footage import walking_square
from frame_files import write_video
from pixelfast.errors import EngineError
from pixelfast.flip.engine import load_flip_engine
from pixelfast.flip.export import write_flip_classifier
from pixelfast.flip.network import FlipClassifier, save_flip_classifier
from pixelfast.machine.stopwatch import Stopwatch
from pixelfast.methods.reconstruction.engine import AUTOENCODER, WindowEngine, load_window_engine, window_engine
from pixelfast.methods.reconstruction.export import write_autoencoder
from pixelfast.methods.reconstruction.network import TemporalAutoencoder, save_autoencoder
from pixelfast.methods.reconstruction.scoring import Reconstruction
from pixelfast.methods.settings import Settings
from pixelfast.runtime.torch.choice import TorchWish
from pixelfast.runtime.torch.runner import TorchRunner

Errors = NDArray[np.float32]

FRAMES = walking_square(45, seed=2)
LONG = walking_square(256 + 64 + 5 + 15, seed=3)
"""Windows for pieces of three sizes on a GPU, the last of which is not full."""


def torch_engine(weights: Path, *asked: str | None) -> WindowEngine:
    """The engine by PyTorch: device, precision and speedup, as far as they are asked for."""
    return load_window_engine(weights, 1, wish=TorchWish(*asked))


needs_gpu = pytest.mark.skipif(not torch.cuda.is_available(), reason="the autoencoder on a GPU needs an NVIDIA GPU")


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("weights")
    torch.manual_seed(0)
    network = TemporalAutoencoder(8, "batch").eval()
    save_autoencoder(network, folder / "ae.safetensors", recipe="default", trained_with={})
    write_autoencoder(network, folder / "ae.onnx")
    return folder / "ae.safetensors"


@pytest.mark.parametrize("frames", [16, 17, 31, 45])
@pytest.mark.parametrize("stride", [1, 4, 16])
def test_same_errors_as_the_exported_file(weights: Path, frames: int, stride: int) -> None:
    before = torch.get_num_threads()
    engine = torch_engine(weights, "cpu")
    assert engine.facts.stride is None  # any stride costs what its windows cost
    found = engine.errors(FRAMES[:frames], stride)
    expected = load_window_engine(weights.with_name("ae.onnx"), 1).errors(FRAMES[:frames], stride)
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-7)
    assert (found.dtype, torch.get_num_threads()) == (np.float32, before)


@pytest.mark.parametrize("precision", ["fp16", "bf16"])
def test_half_precision_keeps_the_order(weights: Path, precision: str) -> None:
    half = torch_engine(weights, "cpu", precision)
    assert rank_correlation(half.errors(FRAMES, 1), torch_engine(weights, "cpu").errors(FRAMES, 1)) > 0.999
    assert (half.facts.best, half.facts.precision) == (None, precision)
    # Parts of one precision must not be taken for those of another: the file's digest does not tell them apart.
    methods = [Reconstruction(one, Settings(), 1, Stopwatch()) for one in (half, torch_engine(weights, "cpu"))]
    assert [method.facts().get("precision") for method in methods] == [precision, None]


def rank_correlation(errors: Errors, others: Errors) -> float:
    """Of the errors of all frames in all windows."""
    ranks = [some.mean(axis=(2, 3)).ravel().argsort().argsort() for some in (errors, others)]
    return float(np.corrcoef(*ranks)[0, 1])


@needs_gpu
@pytest.mark.parametrize("speedup", ["graph", "compile", "none"])
def test_float32_on_a_gpu_is_the_cpu(weights: Path, speedup: str) -> None:
    runner = TorchRunner(weights, AUTOENCODER, 1, TorchWish("cuda", "fp32", speedup))
    gpu, cpu = window_engine(runner, 1), torch_engine(weights, "cpu")
    for frames in (FRAMES[:16], FRAMES[:17], FRAMES, LONG):
        np.testing.assert_allclose(gpu.errors(frames, 1), cpu.errors(frames, 1), rtol=1e-3, atol=1e-6)
    np.testing.assert_allclose(gpu.errors(LONG, 4), cpu.errors(LONG, 4), rtol=1e-3, atol=1e-6)
    assert runner.fallback is None


@needs_gpu
@pytest.mark.parametrize("precision", [None, "bf16"])
@pytest.mark.parametrize("speedup", ["graph", "compile", "none"])
def test_half_precision_on_a_gpu_keeps_the_order(weights: Path, speedup: str, precision: str | None) -> None:
    runner = TorchRunner(weights, AUTOENCODER, 1, TorchWish("cuda", precision, speedup))
    gpu, cpu = window_engine(runner, 1), torch_engine(weights, "cpu")
    for frames in (FRAMES, LONG):
        errors = gpu.errors(frames, 1)
        assert rank_correlation(errors, cpu.errors(frames, 1)) > 0.999
        np.testing.assert_allclose(gpu.errors(frames, 1), errors, rtol=1e-3, atol=1e-6)  # cuDNN adds in any order
    assert (runner.fallback, gpu.facts.best) == (None, 4 * 256 + 15)


@needs_gpu
def test_a_full_gpu_gets_smaller_pieces(tmp_path: Path) -> None:
    save_autoencoder(TemporalAutoencoder().eval(), tmp_path / "ae.safetensors", recipe="default", trained_with={})
    expected = torch_engine(tmp_path / "ae.safetensors", "cuda").errors(LONG, 1)
    gc.collect()
    torch.cuda.empty_cache()
    # 256 windows of this network want at least 800 MiB for the float32 reconstruction and its difference alone.
    allowed = torch.cuda.memory_reserved() + 700 * 2**20
    torch.cuda.set_per_process_memory_fraction(allowed / torch.cuda.mem_get_info()[1])
    try:
        engine = torch_engine(tmp_path / "ae.safetensors", "cuda")
        errors = engine.errors(LONG, 1)
    finally:
        torch.cuda.set_per_process_memory_fraction(1.0)
    np.testing.assert_allclose(errors, expected, rtol=1e-2, atol=1e-5)


def test_weights_score_as_the_exported_file_does(weights: Path, tmp_path: Path) -> None:
    write_video(tmp_path / "footage" / "01", FRAMES)
    scores = [pixelfast.score(tmp_path / "footage", engine) for engine in (weights, weights.with_name("ae.onnx"))]
    np.testing.assert_allclose(scores[0].raw, scores[1].raw, rtol=1e-4)
    np.testing.assert_allclose(scores[0].score, scores[1].score, atol=1e-4)


def test_other_weights_get_a_sentence(tmp_path: Path) -> None:
    save_flip_classifier(FlipClassifier(), tmp_path / "flip.safetensors", recipe="default")
    (tmp_path / "notes.safetensors").write_text("no weights")
    write_video(tmp_path / "footage" / "01", FRAMES)
    for name, sentence in {
        "flip": "does not hold the weights of a pixelfast autoencoder",
        "notes": "is damaged or no safetensors file",
        "missing": "does not exist",
    }.items():
        with pytest.raises(EngineError, match=sentence) as caught:
            pixelfast.score(tmp_path / "footage", tmp_path / f"{name}.safetensors")
        assert f"{name}.safetensors" in str(caught.value)


@pytest.mark.parametrize(
    ("choice", "sentence"),
    [
        ({"device": "tpu"}, "PyTorch has the device cuda, cpu, not 'tpu'"),
        ({"precision": "int8"}, "PyTorch has the precision fp16, bf16, fp32, not 'int8'"),
        ({"speedup": "magic"}, "PyTorch has the speedup graph, compile, none, not 'magic'"),
    ],
)
def test_other_choices_get_a_sentence(weights: Path, choice: dict[str, str], sentence: str) -> None:
    with pytest.raises(EngineError, match=sentence):
        load_window_engine(weights, 1, wish=TorchWish(**choice))


@pytest.mark.skipif(torch.cuda.is_available(), reason="this machine has a GPU")
def test_a_gpu_that_is_not_there_gets_a_sentence(weights: Path) -> None:
    with pytest.raises(EngineError, match="PyTorch finds no CUDA GPU here"):
        torch_engine(weights, "cuda")


@pytest.mark.parametrize("package", ["torch", "safetensors"])
def test_without_pytorch_there_is_a_sentence(weights: Path, package: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(EngineError) as caught:
        torch_engine(weights)
    assert str(caught.value) == (
        f"{weights} needs PyTorch, and {package} is missing: pip install 'pixelfast[train]', or name the ae.onnx "
        "beside it"
    )


def test_importing_the_engines_imports_no_torch() -> None:
    methods = ("methods.reconstruction.engine", "methods.motion.engine", "flow.raft", "flip.engine")
    names = ", ".join(f"pixelfast.{name}" for name in methods)
    subprocess.run([sys.executable, "-c", f"import sys, {names}; assert 'torch' not in sys.modules"], check=True)


@pytest.mark.parametrize("frames", [1, 45])
def test_flip_probabilities_as_of_the_exported_file(tmp_path: Path, frames: int) -> None:
    torch.manual_seed(0)
    network = FlipClassifier().eval()
    save_flip_classifier(network, tmp_path / "flip.safetensors", recipe="default")
    write_flip_classifier(network, tmp_path / "flip.onnx")
    engines = [load_flip_engine(tmp_path / f"flip.{suffix}", 128, 128, 1) for suffix in ("safetensors", "onnx")]
    found, expected = (engine.probabilities(FRAMES[:frames]) for engine in engines)
    np.testing.assert_allclose(found, expected, atol=1e-6)
    save_autoencoder(TemporalAutoencoder(8).eval(), tmp_path / "ae.safetensors", recipe="default", trained_with={})
    with pytest.raises(EngineError, match="does not hold the weights of a pixelfast flip-classifier"):
        load_flip_engine(tmp_path / "ae.safetensors", 128, 128, 1)


def test_a_torch_that_does_not_load_gets_a_sentence(weights: Path, tmp_path: Path) -> None:
    (tmp_path / "broken" / "torch").mkdir(parents=True)
    (tmp_path / "broken" / "torch" / "__init__.py").write_text("raise OSError('libcudart.so.13: not found')")
    write_video(tmp_path / "footage" / "01", FRAMES)
    environment = {**os.environ, "PYTHONPATH": str(tmp_path / "broken")}
    command = [sys.executable, "-m", "pixelfast", "score", str(tmp_path / "footage"), "--engine"]
    done = [
        subprocess.run([*command, str(file)], env=environment, capture_output=True, text=True, check=False)
        for file in (weights, weights.with_name("ae.onnx"))
    ]
    assert [one.returncode for one in done] == [1, 0], done[1].stderr
    assert "installed and cannot be imported (libcudart.so.13: not found)" in " ".join(done[0].stderr.split())
    assert "Traceback" not in done[0].stderr
