"""Exported files: ONNX Runtime against PyTorch, dynamic dimensions, metadata, and files that must not be written."""

import re
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
import torch

from footage import walking_square
from pixelfast.errors import ModelError, OutputError
from pixelfast.flip.export import write_flip_classifier
from pixelfast.flip.network import FlipClassifier, halve, load_flip_classifier, save_flip_classifier
from pixelfast.methods.reconstruction.export import export_onnx, write_autoencoder
from pixelfast.methods.reconstruction.network import TemporalAutoencoder, load_autoencoder, save_autoencoder
from pixelfast.training.cache import CachedVideo, FrameCache
from pixelfast.training.made_up import made_up_frames
from pixelfast.training.onnx import checked_frames


def trained_network() -> TemporalAutoencoder:
    """A small network whose normalisation has seen some frames, so that folding it matters."""
    torch.manual_seed(0)
    network = TemporalAutoencoder(8, "batch").train()
    with torch.no_grad():
        for _ in range(5):
            network(torch.rand(2, 16, 128, 128))
    return network.eval()


@pytest.fixture(scope="module")
def network() -> TemporalAutoencoder:
    return trained_network()


@pytest.fixture(scope="module")
def folder(network: TemporalAutoencoder, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the weights and three exported files: ae.onnx, ae.s4.onnx, flip.onnx."""
    folder = tmp_path_factory.mktemp("model")
    save_autoencoder(network, folder / "ae.safetensors", recipe="default", trained_with={"seed": 0})
    export_onnx(folder, folder / "ae.onnx", 1, frames=walking_square(20), threads=1)
    export_onnx(folder / "ae.safetensors", folder / "ae.s4.onnx", stride=4, threads=1)
    torch.manual_seed(1)
    write_flip_classifier(FlipClassifier(), folder / "flip.onnx")
    return folder


def run(path: Path, frames: np.ndarray) -> np.ndarray:
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    (output,) = session.run(None, {"frames": frames})
    return output


@pytest.mark.parametrize(("file", "stride"), [("ae.onnx", 1), ("ae.s4.onnx", 4)])
@pytest.mark.parametrize("count", [16, 17, 20, 43, 80])
def test_autoencoder_file_computes_what_the_unfolded_network_does(
    network: TemporalAutoencoder, folder: Path, file: str, stride: int, count: int
) -> None:
    frames = walking_square(count, seed=2)
    starts = range(0, count - 15, stride)
    cuboids = torch.from_numpy(np.stack([frames[start : start + 16] for start in starts]) / np.float32(255))
    with torch.no_grad():
        squares = (network(cuboids) - cuboids).square().double()
    expected = squares.reshape(-1, 16, 8, 16, 8, 16).mean(dim=(3, 5)).numpy()
    found = run(folder / file, frames)
    assert found.dtype == np.float32
    assert found.shape == (len(starts), 16, 8, 8)
    np.testing.assert_allclose(found, expected, rtol=1e-4)


@pytest.mark.parametrize("chunk", [16, 19, 24])
def test_chunks_that_overlap_by_a_window_give_the_same_rows(folder: Path, chunk: int) -> None:
    frames = walking_square(50)
    whole = run(folder / "ae.onnx", frames)
    parts = [
        run(folder / "ae.onnx", frames[first : first + chunk])
        for first in range(0, 50 - 15, chunk - 15)
        if first + 16 <= 50
    ]
    np.testing.assert_allclose(np.concatenate(parts), whole, rtol=1e-5)


def test_flip_file_computes_what_the_network_does(folder: Path) -> None:
    torch.manual_seed(1)
    network, frames = FlipClassifier(), walking_square(7)
    with torch.no_grad():
        expected = network.flip_probability(halve(torch.from_numpy(frames) / 255)).numpy()
    for count in (1, 7):
        np.testing.assert_allclose(run(folder / "flip.onnx", frames[:count]), expected[:count], rtol=1e-5)


@pytest.mark.parametrize(
    ("file", "output", "facts"),
    [
        ("ae.onnx", "window_errors", {"kind": "ae", "window": "16", "stride": "1", "grid": "8"}),
        ("ae.s4.onnx", "window_errors", {"kind": "ae", "window": "16", "stride": "4", "grid": "8"}),
        ("flip.onnx", "flip_probability", {"kind": "flip"}),
    ],
)
def test_files_say_what_they_are(folder: Path, file: str, output: str, facts: dict[str, str]) -> None:
    model = onnx.load(folder / file)
    onnx.checker.check_model(model, full_check=True)
    said = {entry.key: entry.value for entry in model.metadata_props if entry.key.startswith("pixelfast.")}
    assert said == {f"pixelfast.{name}": value for name, value in {"format": "1", **facts}.items()}
    (given,), (got,) = model.graph.input, model.graph.output
    assert (given.name, got.name) == ("frames", output)
    assert given.type.tensor_type.elem_type == onnx.TensorProto.UINT8
    dims = given.type.tensor_type.shape.dim
    assert dims[0].dim_param
    assert [dim.dim_value for dim in dims[1:]] == [128, 128]
    assert got.type.tensor_type.shape.dim[0].dim_param
    assert model.opset_import[0].version == 18
    # Cast first (TensorRT slices no bytes); nothing of the normalisation is left.
    assert model.graph.node[0].op_type == "Cast"
    assert "BatchNormalization" not in {node.op_type for node in model.graph.node}


def test_files_hold_no_paths_of_the_machine(folder: Path) -> None:
    for file in ("ae.onnx", "flip.onnx"):
        content = (folder / file).read_bytes()
        assert not re.search(rb"site-packages|pixelfast/|/home/|\.py\b", content)


def test_the_same_network_gives_the_same_file(folder: Path, network: TemporalAutoencoder, tmp_path: Path) -> None:
    write_autoencoder(network, tmp_path / "again.onnx")
    assert (tmp_path / "again.onnx").read_bytes() == (folder / "ae.onnx").read_bytes()


def test_file_that_computes_something_else_is_not_written(tmp_path: Path) -> None:
    network = TemporalAutoencoder(4)
    with torch.no_grad():
        network.decoder[0].weight[0, 0, 0, 0] = float("nan")
    out = tmp_path / "ae.onnx"
    out.write_bytes(b"what stood there before")
    with pytest.raises(ModelError, match=r"ae\.onnx was not written: ONNX Runtime and PyTorch differ"):
        write_autoencoder(network, out)
    assert out.read_bytes() == b"what stood there before"
    assert list(tmp_path.iterdir()) == [out]


@pytest.mark.parametrize("stride", [0, -1, 17])
def test_strides_that_leave_frames_out_are_refused(folder: Path, tmp_path: Path, stride: int) -> None:
    with pytest.raises(ModelError, match="stride must be 1 to 16"):
        export_onnx(folder, tmp_path / "ae.onnx", stride)


def test_unwritable_place_is_named(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="no folder"):
        export_onnx(folder, tmp_path / "nowhere" / "ae.onnx")


def test_checked_frames_are_neighbours_of_the_longest_video(tmp_path: Path) -> None:
    frames = np.arange(100, dtype=np.uint8)[:, None, None].repeat(2, 1).repeat(2, 2)
    for spans, seen in (([(0, 20), (20, 60), (80, 20)], range(20, 60)), ([(80, 20)], range(80, 100))):
        videos = tuple(CachedVideo(str(offset), offset, length, 0) for offset, length in spans)
        cache = FrameCache(tmp_path, frames, videos, "", ())
        assert checked_frames(cache)[:, 0, 0].tolist() == list(seen)
    assert made_up_frames().shape == (40, 128, 128)
    assert made_up_frames().std() > 20


# Weights on disk


def test_weights_come_back_with_their_network(network: TemporalAutoencoder, folder: Path) -> None:
    loaded = load_autoencoder(folder / "ae.safetensors")
    assert (loaded.channels, loaded.normalisation, loaded.training) == (8, "batch", False)
    for name, tensor in network.state_dict().items():
        assert torch.equal(loaded.state_dict()[name], tensor)


def test_same_weights_give_the_same_file(network: TemporalAutoencoder, tmp_path: Path) -> None:
    for name in "ab":
        facts = {"seed": 0, "batch": 4, "precision": "bf16", "epochs": 3}
        save_autoencoder(network, tmp_path / name, recipe="default", trained_with=facts)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_weights_that_do_not_fit_are_refused(folder: Path, tmp_path: Path) -> None:
    save_flip_classifier(FlipClassifier(), tmp_path / "flip.safetensors", recipe="default")
    load_flip_classifier(tmp_path / "flip.safetensors")
    (tmp_path / "text.safetensors").write_text("hello")
    whole = (folder / "ae.safetensors").read_bytes()
    (tmp_path / "cut.safetensors").write_bytes(whole[: len(whole) // 2])
    (tmp_path / "wide.safetensors").write_bytes(whole.replace(b'\\"width\\": 8', b'\\"width\\": 9'))
    for name, sentence in {
        "none": "there are no weights at",
        "text": "damaged or no safetensors file",
        "cut": "damaged or no safetensors file",
        "flip": "does not hold the weights of a pixelfast autoencoder",
        "wide": "does not fit its network",
    }.items():
        with pytest.raises(ModelError, match=sentence):
            load_autoencoder(tmp_path / f"{name}.safetensors")
    with pytest.raises(ModelError, match="does not hold the weights of a pixelfast flip-classifier"):
        load_flip_classifier(folder / "ae.safetensors")


def test_weights_that_are_not_finite_are_refused(tmp_path: Path) -> None:
    network = FlipClassifier()
    with torch.no_grad():
        network.net[8].bias[0] = float("inf")
    save_flip_classifier(network, tmp_path / "flip.safetensors", recipe="default")
    with pytest.raises(ModelError, match="not finite"):
        load_flip_classifier(tmp_path / "flip.safetensors")
