"""The motion method with RAFT-Large from footage to scores: random weights, so that it needs no download."""

import hashlib
from pathlib import Path

import cv2
import numpy as np
import onnxruntime
import pytest
import torch

import pixelfast
from made_raft import seeded_raft
from moving_scene import moved
from oracles import motion as oracle
from pixelfast.errors import ModelError
from pixelfast.flow.footage import FlowRequest, _write_raft
from pixelfast.flow.raft_network import UPDATES, load_raft
from pixelfast.methods.motion.facts import MotionFacts
from pixelfast.methods.motion.network import FlowGru
from pixelfast.methods.motion.recipe import RECIPES
from pixelfast.methods.trained import Recipe
from pixelfast.model import Model

SIZE = 128


def colour_video(folder: Path, count: int, seed: int) -> None:
    """Frames of a moving scene in three unlike channels."""
    folder.mkdir(parents=True)
    channels = [moved(SIZE, SIZE, [(step, step // 2) for step in range(count)], seed=3 * seed + c) for c in range(3)]
    for index, frame in enumerate(np.stack(channels, axis=3)):
        cv2.imwrite(str(folder / f"frame_{index:04d}.png"), frame)


@pytest.fixture
def weights(tmp_path: Path) -> Path:
    path = tmp_path / "raft_large.pth"
    torch.save(seeded_raft(0).state_dict(), path)
    return path


@pytest.mark.long
def test_from_footage_to_scores(tmp_path: Path, weights: Path) -> None:
    colour_video(tmp_path / "normal" / "01", 32, 0)
    colour_video(tmp_path / "new" / "01", 12, 1)
    plain: Recipe = RECIPES["plain"]
    model = pixelfast.train(
        tmp_path / "normal", tmp_path / "model", method="motion", recipe=plain, flow="raft", raft_weights=weights
    )
    assert MotionFacts.of(model).flow.kind == "raft"
    assert {"raft.onnx", "raft.safetensors"} < set(model.manifest.files)
    kept, *sizes = load_raft(model.folder / "raft.safetensors")
    assert sizes == [SIZE, SIZE, UPDATES]
    assert all(torch.equal(one, kept.state_dict()[name]) for name, one in torch.load(weights).items())
    scores = pixelfast.score(tmp_path / "new", model.folder, flip="never")
    frames = np.stack([cv2.imread(str(path))[..., ::-1] for path in sorted((tmp_path / "new" / "01").iterdir())])
    session = onnxruntime.InferenceSession(str(model.folder / "raft.onnx"), providers=["CPUExecutionProvider"])
    (flow,) = session.run(None, {"frames": np.ascontiguousarray(frames)})
    norm = np.sqrt(np.square(flow.astype(np.float64) / MotionFacts.of(model).scale).sum(axis=(1, 2, 3)))
    np.testing.assert_allclose(scores.raw, np.concatenate([norm[:1], norm]), rtol=1e-3)
    np.testing.assert_allclose(scores.score, oracle.scores([scores.raw.astype(np.float64)]), atol=1e-4)
    # Footage of another size is brought to the size that the graph was exported for.
    small = tmp_path / "small" / "01"
    small.mkdir(parents=True)
    for path in sorted((tmp_path / "new" / "01").iterdir()):
        cv2.imwrite(str(small / path.name), cv2.resize(cv2.imread(str(path)), (96, 64)))
    assert np.isfinite(pixelfast.score(tmp_path / "small", model.folder, flip="never").raw).all()


@pytest.mark.long
def test_a_converted_gru_gets_raft_with_its_weights(tmp_path: Path, weights: Path) -> None:
    torch.manual_seed(0)
    torch.save(FlowGru(16).state_dict(), tmp_path / "gru.pth")
    model = pixelfast.convert(tmp_path / "gru.pth", tmp_path / "model", frame_size=(SIZE, SIZE), raft_weights=weights)
    assert {"motion.safetensors", "raft.onnx", "raft.safetensors"} < set(Model.load(model.folder).manifest.files)
    path = pixelfast.export(model, "plan", precision="fp16", compute_capability="8.6")
    assert sorted(Model.load(model.folder).manifest.plans) == [path.name, "raft.fp16.plan"]


def test_raft_of_an_earlier_attempt_is_kept_as_it_is(tmp_path: Path, weights: Path) -> None:
    (tmp_path / "raft.onnx").write_bytes(b"graph")
    request = FlowRequest("raft", raft_weights=weights)
    digest = _write_raft((SIZE, SIZE), tmp_path / "raft.onnx", request, threads=1, progress=None)
    assert digest == hashlib.sha256(b"graph").hexdigest()
    assert not (tmp_path / "raft.safetensors").exists()


def test_weights_that_are_none(tmp_path: Path) -> None:
    colour_video(tmp_path / "normal" / "01", 32, 0)
    (tmp_path / "notes.pth").write_text("no weights")
    with pytest.raises(ModelError, match=r"notes.pth holds no plain weights"):
        pixelfast.train(
            tmp_path / "normal", tmp_path / "model", method="motion", flow="raft", raft_weights=tmp_path / "notes.pth"
        )
    assert not (tmp_path / "model").exists()
