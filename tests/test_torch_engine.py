"""The PyTorch runner against ONNX Runtime and OpenVINO, on a CPU; on a GPU where the machine has one."""

from pathlib import Path

import numpy as np
import pytest
import torch

import pixelfast
from footage import walking_square
from frame_files import write_video
from pixelfast.engines import load_window_engine
from pixelfast.engines.torch_frames import TorchFrames
from pixelfast.errors import EngineError
from pixelfast.networks.autoencoder import TemporalAutoencoder
from pixelfast.networks.flip import FlipClassifier
from pixelfast.networks.weights import save_autoencoder, save_flip_classifier
from pixelfast.training.export import write_autoencoder

FRAMES = walking_square(45, seed=2)


@pytest.fixture
def weights(tmp_path: Path) -> Path:
    torch.manual_seed(0)
    network = TemporalAutoencoder(8, "batch").eval()
    save_autoencoder(network, tmp_path / "ae.safetensors", recipe="default", trained_with={})
    write_autoencoder(network, tmp_path / "ae.onnx")
    return tmp_path / "ae.safetensors"


@pytest.mark.parametrize("frames", [16, 17, 31, 45])
@pytest.mark.parametrize("stride", [1, 4, 16])
def test_same_errors_as_the_exported_file(weights: Path, frames: int, stride: int) -> None:
    before = torch.get_num_threads()
    found = TorchFrames(weights, 1, "cpu").errors(FRAMES[:frames], stride)
    expected = load_window_engine(weights.with_name("ae.onnx"), 1).errors(FRAMES[:frames], stride)
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-7)
    assert (found.dtype, torch.get_num_threads()) == (np.float32, before)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="half precision on a GPU needs an NVIDIA GPU")
def test_half_precision_on_a_gpu_keeps_the_order(weights: Path) -> None:
    errors = [TorchFrames(weights, 1, device).errors(FRAMES, 1).mean(axis=(2, 3)) for device in ("cuda", "cpu")]
    ranks = [some.ravel().argsort().argsort() for some in errors]
    assert np.corrcoef(*ranks)[0, 1] > 0.999


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
