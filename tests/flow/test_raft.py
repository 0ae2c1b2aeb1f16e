"""RAFT as one graph: against torchvision's own forward run pair by pair, in PyTorch and as an ONNX file."""

import hashlib
import pickle
import subprocess
import sys
from collections.abc import Callable
from copy import deepcopy
from pathlib import Path

import cv2
import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from numpy.typing import NDArray
from torchvision.models.optical_flow import RAFT, Raft_Large_Weights

import export_raft
from made_raft import HEIGHT, UPDATES, WIDTH, seeded_raft
from pixelfast.errors import ModelError, OutputError
from pixelfast.flow.raft_export import default_weights, new_raft, write_raft
from pixelfast.flow.raft_export import export_raft as export_raft_file
from pixelfast.flow.raft_network import Correlation, RaftGraph
from pixelfast.sources import open_source
from pixelfast.training.made_up import moving_texture

COMMAND = Path(__file__).parents[2] / "cuda_export" / "export_raft.py"
PED2 = Path(__file__).parents[3] / "shared" / "data" / "ped2"

needs_ped2 = pytest.mark.skipif(not PED2.is_dir(), reason="needs ../shared/data/ped2")


@pytest.fixture(scope="module")
def raft() -> RAFT:
    return seeded_raft(0)


@pytest.fixture
def weights(raft_files: Path) -> Path:
    """A file as torchvision's own: nothing but the state dict."""
    return raft_files / "raft_large.pth"


@pytest.fixture
def exported(raft_files: Path) -> Path:
    """The ONNX file that the command writes."""
    return raft_files / "raft.onnx"


@torch.no_grad()
def pair_by_pair(raft: RAFT, frames: NDArray[np.uint8], updates: int) -> NDArray[np.float32]:
    """f32[N-1,2,H,W]: torchvision's forward on each pair alone, padded as RAFT's authors pad."""
    height, width = frames.shape[1:3]
    down, right = max(128, -(-height // 8) * 8) - height, max(128, -(-width // 8) * 8) - width
    before = (down // 2, right // 2)
    sides = ((0, 0), (before[0], down - before[0]), (before[1], right - before[1]), (0, 0))
    padded = torch.from_numpy(np.pad(frames, sides, mode="edge")).permute(0, 3, 1, 2)
    images = (padded.float() / 255 - 0.5) / 0.5
    flows = [raft(images[i : i + 1], images[i + 1 : i + 2], updates)[-1][0].numpy() for i in range(len(frames) - 1)]
    return np.stack(flows)[:, :, before[0] : before[0] + height, before[1] : before[1] + width]


def on_grid(flow: NDArray[np.float32]) -> NDArray[np.float32]:
    """f32[P,2,H,W] in pixels of frames to f32[P,2,64,64] in pixels of the grid, by OpenCV."""
    height, width = flow.shape[2:]
    small = [cv2.resize(pair.transpose(1, 2, 0), (64, 64), interpolation=cv2.INTER_AREA) for pair in flow]
    return np.stack(small).transpose(0, 3, 1, 2) * np.array([64 / width, 64 / height], np.float32)[:, None, None]


def ped2(count: int) -> NDArray[np.uint8]:
    """u8[count,240,360,3]: people who walk."""
    (chunk, *_) = open_source(PED2 / "testing")[0].chunks(None, None, color="rgb", chunk=count)
    return chunk.frames


def run(path: Path, frames: NDArray[np.uint8]) -> NDArray[np.float32]:
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    (flow,) = session.run(["flow"], {"frames": frames})
    return flow


def assert_agree(found: NDArray[np.float32], expected: NDArray[np.float32], width: int) -> None:
    assert found.dtype == np.float32
    assert found.shape == expected.shape
    assert abs(expected).max() > 0.1  # random weights, but they see something move
    assert abs(found - expected).max() < max(1e-3 * 64 / width, 1e-4 * abs(expected).max())


# The graph in PyTorch


@pytest.mark.parametrize(
    ("height", "width", "updates"), [(128, 128, 12), (120, 150, 3), (137, 128, 2), (40, 130, 1), (30, 300, 1)]
)
@torch.no_grad()
def test_graph_computes_what_torchvision_does_pair_by_pair(raft: RAFT, height: int, width: int, updates: int) -> None:
    frames = moving_texture(3, height, width)
    graph = RaftGraph(raft, height, width, updates)
    expected = pair_by_pair(raft, frames, updates)
    full = graph.full_flow(torch.from_numpy(frames)).numpy()
    assert abs(full - expected).max() < max(1e-3, 1e-4 * abs(expected).max())
    found = graph(torch.from_numpy(frames)).numpy()
    assert found.shape == (2, 2, 64, 64)
    if min(height, width) >= 64:  # where one side grows and one shrinks, OpenCV interpolates instead
        assert_agree(found, on_grid(expected), width)


@torch.no_grad()
def test_flow_depends_on_both_frames_and_on_the_updates(raft: RAFT) -> None:
    frames = torch.from_numpy(moving_texture(3, 128, 128))
    first, again = RaftGraph(raft, 128, 128, 3)(frames), RaftGraph(raft, 128, 128, 3)(frames[[0, 2]])
    assert (first[0] - again[0]).abs().max() > 1e-3 * first.abs().max()
    assert (first[0] - first[1]).abs().max() > 1e-3 * first.abs().max()
    assert (RaftGraph(raft, 128, 128, 4)(frames) - first).abs().max() > 1e-2 * first.abs().max()


@torch.no_grad()
def test_features_of_a_frame_are_computed_once(raft: RAFT) -> None:
    rows: dict[str, list[int]] = {"feature_encoder": [], "context_encoder": [], "mask_predictor": []}
    hooks = [
        getattr(raft, name).register_forward_hook(lambda _, given, __, calls=calls: calls.append(len(given[0])))
        for name, calls in rows.items()
    ]
    RaftGraph(raft, 128, 128, 2)(torch.from_numpy(moving_texture(5, 128, 128)))
    for hook in hooks:
        hook.remove()
    assert rows == {"feature_encoder": [5], "context_encoder": [4], "mask_predictor": [4]}


def test_vectors_are_rescaled_with_the_frame(raft: RAFT) -> None:
    graph = RaftGraph(raft, 360, 640, 1)
    flow = torch.tensor([5.0, -4.5])[:, None, None].expand(1, 2, 360, 640)
    small = graph.on_grid(flow)
    assert small.shape == (1, 2, 64, 64)
    assert torch.allclose(small[:, 0], torch.tensor(0.5))
    assert torch.allclose(small[:, 1], torch.tensor(-0.8))
    uneven = torch.from_numpy(np.random.default_rng(0).normal(0, 3, (2, 2, 360, 640)).astype(np.float32))
    np.testing.assert_allclose(graph.on_grid(uneven).numpy(), on_grid(uneven.numpy()), atol=2e-6)


@torch.no_grad()
@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
def test_correlations_are_torchvisions_to_the_last_bit(raft: RAFT, layout: torch.memory_format) -> None:
    generator, block = torch.Generator().manual_seed(0), deepcopy(raft.corr_block)
    features = torch.randn(4, 256, 17, 23, generator=generator).to(memory_format=layout)
    targets = 12 + 12 * torch.randn(3, 2, 17, 23, generator=generator)  # some of them off the map
    block.build_pyramid(features[:-1], features[1:])
    own = Correlation(block.num_levels, block.radius)
    pyramid = own.pyramid(features)
    assert [tuple(level.shape) for level in pyramid] == [
        (3 * 17 * 23, 1, 17 >> level, 23 >> level) for level in range(4)
    ]
    assert all(torch.equal(*levels) for levels in zip(pyramid, block.corr_pyramid, strict=True))
    assert torch.equal(own(pyramid, targets), block.index_pyramid(targets))


def test_the_network_is_left_as_it_was(raft: RAFT) -> None:
    before = raft.corr_block.corr_pyramid
    graph = RaftGraph(raft, 128, 128, 1)
    with torch.no_grad():
        graph(torch.from_numpy(moving_texture(2, 128, 128)))
    assert raft.corr_block.corr_pyramid is before
    assert set(graph.state_dict()) == {f"raft.{name}" for name in raft.state_dict()}


def test_seeded_weights_are_the_same_and_leave_the_random_state_alone(raft: RAFT) -> None:
    state = torch.get_rng_state()
    other, again = seeded_raft(1), seeded_raft(0)
    assert torch.equal(torch.get_rng_state(), state)
    name = "update_block.flow_head.conv1.weight"
    assert torch.equal(again.state_dict()[name], raft.state_dict()[name])
    assert not torch.equal(other.state_dict()[name], raft.state_dict()[name])


@pytest.mark.parametrize("sizes", [(0, 128, 12), (128, -1, 12), (128, 128, 0)])
def test_sizes_that_cannot_be_are_refused(raft: RAFT, tmp_path: Path, sizes: tuple[int, int, int]) -> None:
    height, width, updates = sizes
    with pytest.raises(ModelError, match="height, width and updates must be at least 1") as caught:
        RaftGraph(raft, height, width, updates)
    assert isinstance(caught.value, ValueError)
    torch.save(raft.state_dict(), tmp_path / "raft.pth")
    with pytest.raises(ModelError, match="height, width and updates must be at least 1"):
        export_raft_file(tmp_path / "raft.pth", tmp_path / "raft.onnx", height, width, updates=updates)
    assert not (tmp_path / "raft.onnx").exists()


# The ONNX file


@pytest.mark.parametrize("count", [2, 3, 4])
def test_file_computes_what_torchvision_does_pair_by_pair(raft: RAFT, exported: Path, count: int) -> None:
    frames = moving_texture(count, HEIGHT, WIDTH)
    expected = on_grid(pair_by_pair(raft, frames, UPDATES))
    assert_agree(run(exported, frames), expected, WIDTH)


@pytest.mark.data
@needs_ped2
def test_file_computes_what_torchvision_does_on_real_frames(raft: RAFT, exported: Path) -> None:
    frames = np.ascontiguousarray(ped2(3)[:, 60 : 60 + HEIGHT, 100 : 100 + WIDTH])
    assert_agree(run(exported, frames), on_grid(pair_by_pair(raft, frames, UPDATES)), WIDTH)


@pytest.mark.long
@pytest.mark.data
@needs_ped2
def test_whole_real_frames_with_all_updates(raft: RAFT, tmp_path: Path) -> None:
    frames = ped2(4)
    difference = write_raft(RaftGraph(raft, 240, 360), tmp_path / "raft.onnx", weights_sha256=None, frames=frames)
    assert difference < 1e-4
    assert_agree(run(tmp_path / "raft.onnx", frames), on_grid(pair_by_pair(raft, frames, 12)), 360)


def test_file_says_what_it_is(exported: Path, weights: Path) -> None:
    model = onnx.load(exported)
    onnx.checker.check_model(model, full_check=True)
    said = {entry.key: entry.value for entry in model.metadata_props if entry.key.startswith("pixelfast.")}
    assert said == {
        "pixelfast.format": "1",
        "pixelfast.kind": "flow",
        "pixelfast.flow": "raft",
        "pixelfast.updates": str(UPDATES),
        "pixelfast.height": str(HEIGHT),
        "pixelfast.width": str(WIDTH),
        "pixelfast.weights_sha256": hashlib.sha256(weights.read_bytes()).hexdigest(),
    }
    (given,), (got,) = model.graph.input, model.graph.output
    assert (given.name, got.name) == ("frames", "flow")
    assert given.type.tensor_type.elem_type == onnx.TensorProto.UINT8
    taken, made = (
        [dim.dim_param or dim.dim_value for dim in value.type.tensor_type.shape.dim] for value in (given, got)
    )
    assert isinstance(taken[0], str)
    assert isinstance(made[0], str)
    assert (taken[1:], made[1:]) == ([HEIGHT, WIDTH, 3], [2, 64, 64])
    assert model.opset_import[0].version == 18
    # Cast first: TensorRT permutes no bytes.
    assert [node.op_type for node in model.graph.node if "frames" in node.input] == ["Shape", "Cast"]


def test_frames_that_do_not_fit_and_places_that_cannot_be_written_are_refused(raft: RAFT, tmp_path: Path) -> None:
    frames = moving_texture(3, 128, 136)
    out, graph = tmp_path / "raft.onnx", RaftGraph(raft, 128, 136, 1)
    for wrong in (frames[:1], frames[..., 0], frames.astype(np.float32), frames[:, :, :128]):
        with pytest.raises(ModelError, match=r"must be u8\[2 or more,128,136,3\]"):
            write_raft(graph, out, weights_sha256=None, frames=wrong)
    with pytest.raises(OutputError, match="no folder"):
        write_raft(graph, tmp_path / "nowhere" / "raft.onnx", weights_sha256=None)
    assert not out.exists()


# Weights


class Harmful:
    """What a hostile file holds: unpickled, it makes a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __reduce__(self) -> tuple[Callable[[Path], None], tuple[Path]]:
        return Path.mkdir, (self.folder,)


def test_weights_come_back(raft: RAFT, weights: Path) -> None:
    loaded = new_raft(weights)
    assert not loaded.training
    assert all(torch.equal(tensor, loaded.state_dict()[name]) for name, tensor in raft.state_dict().items())


def test_weights_that_do_not_fit_are_refused(raft: RAFT, tmp_path: Path) -> None:
    state = raft.state_dict()
    (tmp_path / "text").write_text("hello")
    (tmp_path / "pickled").write_bytes(pickle.dumps(Harmful(tmp_path / "made by the file")))
    torch.save({"weight": Harmful(tmp_path / "made by the file")}, tmp_path / "harmful")
    torch.save([1, 2], tmp_path / "list")
    torch.save({1: torch.zeros(1)}, tmp_path / "numbered")
    torch.save({"fnet.conv1.weight": torch.zeros(1)}, tmp_path / "other")
    name = next(iter(state))
    torch.save({**state, name: torch.full_like(state[name], float("nan"))}, tmp_path / "nan")
    torch.save({**state, name: state[name][:3]}, tmp_path / "shape")
    for file, sentence in {
        "none": "there are no weights at",
        "text": "holds no plain weights",
        "pickled": "holds no plain weights",
        "harmful": "holds no plain weights",
        "list": "holds no state dict",
        "numbered": "holds no state dict",
        "other": "does not hold the weights of torchvision's raft_large: Missing key",
        "shape": "does not hold the weights of torchvision's raft_large: size mismatch",
        "nan": "holds weights that are not finite",
    }.items():
        with pytest.raises(ModelError, match=sentence) as caught:
            new_raft(tmp_path / file)
        assert str(tmp_path / file) in str(caught.value)
    assert not (tmp_path / "made by the file").exists()


@pytest.fixture
def remote(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[[str], None]:
    """Says where torchvision's weights lie; PyTorch's cache is an empty folder."""
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "cache"))
    return lambda url: monkeypatch.setattr(Raft_Large_Weights.DEFAULT.value, "url", url)


def test_weights_are_downloaded_once(remote: Callable[[str], None], weights: Path, tmp_path: Path) -> None:
    served = tmp_path / f"raft_large-{hashlib.sha256(weights.read_bytes()).hexdigest()[:8]}.pth"
    served.write_bytes(weights.read_bytes())
    remote(served.as_uri())
    path = default_weights()
    assert path.is_relative_to(tmp_path / "cache")
    served.unlink()
    assert default_weights() == path
    assert path.read_bytes() == weights.read_bytes()
    assert not new_raft(default_weights()).training


def test_download_that_fails_says_where_the_weights_are(
    remote: Callable[[str], None], weights: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    wrong = tmp_path / "raft_large-00000000.pth"
    wrong.write_bytes(weights.read_bytes())
    for url in ("http://127.0.0.1:9/raft_large-00000000.pth", wrong.as_uri()):
        remote(url)
        with pytest.raises(ModelError, match="could not be downloaded from") as caught:
            new_raft(default_weights())
        assert url in str(caught.value)
        assert "--raft-weights" in str(caught.value)
        assert "\n" not in str(caught.value)
        assert export_raft.main(["--height", "128", "--width", "128", "--out", str(tmp_path / "raft.onnx")]) == 1
        said = capfd.readouterr()
        assert said.out == ""
        assert said.err == f"{caught.value}\n"
    assert not list((tmp_path / "cache").rglob("*.p*"))


def test_command_fails_with_a_sentence(tmp_path: Path) -> None:
    arguments = ["--height", "128", "--width", "128", "--weights", "nowhere.pth", "--out", "raft.onnx"]
    ended = subprocess.run(
        [sys.executable, str(COMMAND), *arguments], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert (ended.returncode, ended.stdout, ended.stderr) == (1, "", "there are no weights at nowhere.pth\n")
    assert list(tmp_path.iterdir()) == []
