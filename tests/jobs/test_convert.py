"""Weights of the source's own training, brought in; and what is not such weights, refused without being run."""

import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnxruntime
import pytest
import torch
from torch import nn

from footage import walking_square
from oracles.networks import FlipClassifier, TemporalAutoencoder, seeded_autoencoder
from pixelfast.errors import ModelError
from pixelfast.flip.network import load_flip_classifier
from pixelfast.jobs.convert import FLIP, Converted, convert_weights
from pixelfast.methods.exports import ConvertRequest
from pixelfast.methods.reconstruction.network import load_autoencoder


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the two files that the source's training writes."""
    folder = tmp_path_factory.mktemp("weights")
    torch.manual_seed(0)
    torch.save(seeded_autoencoder(0).state_dict(), folder / "autoencoder.pth")
    torch.save(FlipClassifier().state_dict(), folder / "flip_classifier.pth")
    return folder


def convert(weights: list[Path], workdir: Path, frame_size: tuple[int, int] | None = None) -> Converted:
    return convert_weights(weights, workdir, ConvertRequest(frame_size, with_raft=False))


def source_of(weights: Path) -> tuple[TemporalAutoencoder, FlipClassifier]:
    """The source's own networks, with the weights of the files."""
    autoencoder, flip = TemporalAutoencoder().eval(), FlipClassifier().eval()
    autoencoder.load_state_dict(torch.load(weights / "autoencoder.pth", weights_only=True))
    flip.load_state_dict(torch.load(weights / "flip_classifier.pth", weights_only=True))
    return autoencoder, flip


def test_converted_files_compute_what_the_sources_networks_do(weights: Path, tmp_path: Path) -> None:
    found = convert([weights], tmp_path)
    assert (found.trained.report["channels"], found.files[FLIP]) == (64, weights / "flip_classifier.pth")
    assert max(found.differences.values()) < 1e-5
    autoencoder, flip = source_of(weights)
    frames = walking_square(18)
    cuboids = torch.from_numpy(np.stack([frames[start : start + 16] for start in range(3)]) / np.float32(255))
    halves = torch.from_numpy(frames.reshape(18, 64, 2, 64, 2).mean(axis=(2, 4)).astype(np.float32) / 255)
    with torch.no_grad():
        errors = (autoencoder(cuboids) - cuboids).square().mean(dim=(2, 3)).numpy()
        probabilities = flip(halves[:, None]).softmax(1)[:, 1].numpy()
    found = _run(tmp_path / "ae.onnx", frames)
    np.testing.assert_allclose(found.mean(axis=(2, 3)), errors, rtol=1e-4)
    np.testing.assert_allclose(_run(tmp_path / "flip.onnx", frames), probabilities, rtol=1e-4)
    for name, tensor in autoencoder.state_dict().items():
        assert torch.equal(load_autoencoder(tmp_path / "ae.safetensors").state_dict()[name], tensor)
    load_flip_classifier(tmp_path / "flip.safetensors")


class SourceGru(nn.Module):
    """The source's motion network."""

    def __init__(self, hidden: int = 24) -> None:
        super().__init__()
        self.gru = nn.GRU(8192, hidden, batch_first=True)
        self.fc = nn.Linear(hidden, 8192)

    def forward(self, sequences: torch.Tensor) -> torch.Tensor:
        return self.fc(self.gru(sequences)[0][:, -1])


def test_the_sources_gru_gets_flow_in_its_own_pixels(tmp_path: Path) -> None:
    torch.manual_seed(0)
    source = SourceGru().eval()
    torch.save(source.state_dict(), tmp_path / "gru.pth")
    found = convert([tmp_path / "gru.pth"], tmp_path, frame_size=(240, 640))
    assert found.files == {"motion GRU": tmp_path / "gru.pth"}
    of_frames = torch.randn(10, 2, 64, 64)  # in pixels of 640x240, as the source has it
    with torch.no_grad():
        sequences = torch.stack([of_frames.flatten(1)[start : start + 8] for start in range(2)])
        error = (of_frames.flatten(1)[8:] - source(sequences)).norm(dim=1).numpy()
    on_grid = of_frames.numpy() * np.array([64 / 640, 64 / 240], np.float32).reshape(2, 1, 1)
    session = onnxruntime.InferenceSession(str(tmp_path / "motion.onnx"), providers=["CPUExecutionProvider"])
    (cells,) = session.run(None, {"flow": on_grid})
    np.testing.assert_allclose(np.sqrt(cells.sum(axis=(1, 2))), error, rtol=1e-4)


def test_two_methods_make_no_one_model(weights: Path, tmp_path: Path) -> None:
    torch.save(SourceGru().state_dict(), tmp_path / "gru.pth")
    with pytest.raises(ModelError, match="belong to two methods"):
        convert([weights / "autoencoder.pth", tmp_path / "gru.pth"], tmp_path, frame_size=(64, 64))


def _run(path: Path, frames: np.ndarray) -> np.ndarray:
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    (output,) = session.run(None, {"frames": frames})
    return output


def small() -> dict[str, torch.Tensor]:
    """The state of an autoencoder of 4 channels: quicker to write and export."""
    from pixelfast.methods.reconstruction.network import TemporalAutoencoder as Ours

    return Ours(4).state_dict()


def test_autoencoder_alone_is_taken_as_checkpoints_usually_wrap_it(tmp_path: Path) -> None:
    state = small()
    parallel = {f"module.{name}": tensor.double() for name, tensor in state.items()}
    torch.save({"model_state_dict": parallel, "epoch": 3}, tmp_path / "ae.pth")
    assert FLIP not in convert([tmp_path / "ae.pth"], tmp_path).files
    assert not (tmp_path / "flip.onnx").exists()
    torch.testing.assert_close(load_autoencoder(tmp_path / "ae.safetensors").state_dict(), state)


class Planted:
    """Makes a file when unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Callable[..., object], tuple[object, ...]]:
        return Path.touch, (self.path,)


def with_odd_shape() -> dict[str, torch.Tensor]:
    return {**small(), "decoder.0.weight": torch.zeros(3, 3)}


def with_a_hole() -> dict[str, torch.Tensor]:
    state = small()
    del state["decoder.6.bias"]
    return state


def with_a_nan() -> dict[str, torch.Tensor]:
    return {**small(), "decoder.6.bias": torch.full((16,), float("nan"))}


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (lambda: nn.Linear(1, 1), "holds no plain weights"),
        (lambda: [1, 2], "holds no state dict"),
        (lambda: {"a": 1}, "holds no state dict"),
        (dict, "holds nothing"),
        (lambda: nn.Linear(1, 1).state_dict(), r"holds weight, bias…, which is none"),
        (lambda: nn.GRU(2, 2).state_dict(prefix="gru."), "motion GRU, whose flow is in pixels of the footage"),
        (
            lambda: FlipClassifier().state_dict(),
            "holds neither the weights of a trained motion GRU .* nor .* autoencoder",
        ),
        (lambda: {"encoder.0.weight": torch.zeros(3)}, r"encoder.0.weight has the shape \[3\]"),
        (with_odd_shape, "does not fit the source method's network: size mismatch for decoder.0.weight"),
        (with_a_hole, "does not fit .*decoder.6.bias"),
        (with_a_nan, "decoder.6.bias holds values that are not finite"),
    ],
)
def test_other_files_get_a_sentence(tmp_path: Path, content: Callable[[], object], sentence: str) -> None:
    path = tmp_path / "weights.pth"
    torch.save(content(), path)
    with pytest.raises(ModelError, match=sentence) as caught:
        convert([path], tmp_path)
    assert "weights.pth" in str(caught.value)
    assert [one.name for one in tmp_path.iterdir()] == ["weights.pth"]


def test_code_in_a_file_is_not_run(tmp_path: Path) -> None:
    torch.save({"encoder.0.weight": Planted(tmp_path / "planted")}, tmp_path / "weights.pth")
    with pytest.raises(ModelError, match="pixelfast runs no code from a file"):
        convert([tmp_path / "weights.pth"], tmp_path)
    assert not (tmp_path / "planted").exists()


def test_damaged_files_get_a_sentence(weights: Path, tmp_path: Path) -> None:
    whole = (weights / "flip_classifier.pth").read_bytes()
    rng = np.random.default_rng(0)
    path = tmp_path / "weights.pth"
    damaged = [b"", b"hello", b"\x80\x02}q\x00.", whole[:100], whole[:-30], whole[len(whole) // 2 :]]
    for _ in range(100):
        noisy = bytearray(whole)
        for position in rng.integers(0, len(whole), 20):
            noisy[position] = rng.integers(0, 256)
        damaged.append(bytes(noisy))
    for content in damaged:
        path.write_bytes(content)
        with pytest.raises(ModelError, match=r"weights\.pth"):
            convert([path], tmp_path)


def test_other_zip_files_get_a_sentence(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "weights.pth", "w") as archive:
        archive.writestr("data.txt", "hello")
    with pytest.raises(ModelError, match="holds no plain weights"):
        convert([tmp_path / "weights.pth"], tmp_path)


def test_missing_empty_and_doubled_inputs_get_a_sentence(weights: Path, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"there are no weights at .*none\.pth"):
        convert([tmp_path / "none.pth"], tmp_path)
    with pytest.raises(ModelError, match="holds no weights"):
        convert([tmp_path], tmp_path)
    flip = weights / "flip_classifier.pth"
    with pytest.raises(ModelError, match="both hold weights of one kind"):
        convert([flip, flip], tmp_path)
