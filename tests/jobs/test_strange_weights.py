"""Weights as other people's checkpoints wrap them are taken; what cannot be is refused by its cause and its keys."""

import argparse
from collections import OrderedDict
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath, PureWindowsPath
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.torch import save_file
from torch import Tensor, nn

from oracles.networks import FlipClassifier
from pixelfast.errors import ModelError
from pixelfast.jobs.convert import FLIP, convert_weights
from pixelfast.methods.exports import ConvertRequest
from pixelfast.methods.reconstruction.network import TemporalAutoencoder, load_autoencoder
from pixelfast.training.strange_weights import State, load_state_dict, load_states, unwrapped
from pixelfast.training.weights import save_weights

KEY = "encoder.0.weight"
AUTOENCODER = TemporalAutoencoder(4)
STATE = AUTOENCODER.state_dict()


def prefixed(prefix: str, state: Mapping[str, Tensor] = STATE) -> dict[str, Tensor]:
    return {prefix + name: tensor for name, tensor in state.items()}


def expect_the_weights(found: Mapping[str, Tensor] | None) -> None:
    assert found is not None
    assert set(found) == set(STATE)
    for name, tensor in STATE.items():
        assert torch.equal(found[name], tensor), name


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.sampled_from(["module.", "_orig_mod.", "model.", "net.", "autoencoder."]), max_size=5),
    st.sampled_from(["net.0.weight", KEY]),
)
def test_any_chain_of_prefixes(chain: list[str], key: str) -> None:
    state = STATE if key == KEY else FlipClassifier().state_dict()
    found = unwrapped(Path("weights.pth"), [State((), prefixed("".join(chain), state))], key)
    assert found is not None
    assert set(found) == set(state)


PARTS = {name.replace("encoder.", "encoder._orig_mod.").replace("decoder.", "decoder.module."): tensor
         for name, tensor in STATE.items()}  # fmt: skip
WRAPPED: dict[str, Any] = {
    "one key": {"net": STATE, "epoch": 2},
    "deep": {"checkpoint": {"weights": {"ae": OrderedDict(STATE)}}},
    "beside an optimiser": {"generator": STATE, "optimizer": torch.optim.Adam(AUTOENCODER.parameters()).state_dict()},
    "beside its average": {"ema": prefixed("module."), "model": STATE},
    "beside another network": {"autoencoder": STATE, "critic": nn.Linear(2, 2).state_dict()},
    "averaged": {**prefixed("module."), "n_averaged": torch.tensor(3)},
    "beside a loss": {**prefixed("model."), "criterion.weight": torch.ones(2)},
    "beside an epoch": {**STATE, "epoch": 3},
    "parts": PARTS,
    "Namespace": {"state_dict": STATE, "args": argparse.Namespace(lr=1, out=Path("runs"))},
    "paths": {"state_dict": STATE, "args": [PurePosixPath("a/b"), PureWindowsPath("c:/x")]},
    "NumPy": {"state_dict": STATE, "best": [np.float64(1), np.float32(2), np.int64(3), np.bool_(True), np.str_("a")]},
    "arrays": {"state_dict": STATE, "history": np.arange(3.0), "rng": [np.random.get_state(), torch.get_rng_state()]},
    "others": {"state_dict": STATE, "x": [SimpleNamespace(a=1), datetime.now(UTC).replace(tzinfo=None), slice(3)]},
    "counts": {"state_dict": STATE, "x": [frozenset({1}), {1, 2}, torch.float32]},
}


@pytest.mark.parametrize("name", WRAPPED)
@pytest.mark.parametrize("legacy", [False, True])
def test_state_dicts_wrapped_in_any_way(tmp_path: Path, name: str, legacy: bool) -> None:
    path = tmp_path / "weights.pth"
    torch.save(WRAPPED[name], path, _use_new_zipfile_serialization=not legacy)
    expect_the_weights(load_state_dict(path, KEY))


def test_files_of_numpy_1_and_of_windows(tmp_path: Path) -> None:
    path = tmp_path / "weights.pth"
    torch.save({"state_dict": STATE, "a": np.float64(1), "b": Path("x")}, path, _use_new_zipfile_serialization=False)
    data = path.read_bytes()
    assert data.count(b"numpy._core.multiarray") == data.count(b"PosixPath") == 1
    path.write_bytes(data.replace(b"numpy._core.multiarray", b"numpy.core.multiarray").replace(b"Posix", b"Windows"))
    expect_the_weights(load_state_dict(path, KEY))


def test_a_folder_of_safetensors_and_one_file_with_both_networks(tmp_path: Path) -> None:
    both = tmp_path / "both"
    both.mkdir()
    save_file(prefixed("model."), both / "autoencoder.safetensors")
    save_file(FlipClassifier().state_dict(), both / "flip.safetensors")
    torch.save({"ae": STATE, "flip": FlipClassifier().state_dict()}, tmp_path / "joint.pth")
    for number, weights in enumerate((both, tmp_path / "joint.pth")):
        (work := tmp_path / str(number)).mkdir()
        assert FLIP in convert_weights([weights], work, ConvertRequest()).files
        expect_the_weights(load_autoencoder(work / "ae.safetensors").state_dict())


def packed() -> dict[str, Any]:
    quantised = torch.quantize_per_tensor(torch.ones(2), 0.1, 0, torch.qint8)
    return {"0.scale": torch.ones(1), "0._packed_params._packed_params": (quantised, None)}


def of_bytes() -> dict[str, Any]:
    return {name: tensor.to(torch.int8) for name, tensor in STATE.items()}


def per_tensor() -> dict[str, Any]:
    return {"net": {name: torch.quantize_per_tensor(tensor, 0.1, 0, torch.qint8) for name, tensor in STATE.items()}}


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (packed, r"holds quantised weights \(0\._packed_params"),
        (of_bytes, r"holds quantised weights \(encoder\.0\.weight is torch\.int8\)"),
        (per_tensor, r"holds quantised weights \(encoder\.0\.weight is torch\.qint8\)"),
        (lambda: {"student": STATE, "teacher": STATE}, r"several networks of one kind \(student\., teacher\.\)"),
        (lambda: {"state_dict": {"a": STATE, "b": STATE}}, r"several networks of one kind"),
        (lambda: {"lr": 1, "epoch": 2}, r"holds no state dict \(names and tensors\) but lr, epoch"),
        (lambda: nn.Linear(1, 1), r"holds no plain weights \(torch\.nn\.modules\.linear\.Linear\)"),
    ],
)
def test_what_cannot_be_taken_is_named(tmp_path: Path, content: Callable[[], Any], sentence: str) -> None:
    torch.save(content(), tmp_path / "weights.pth")
    with pytest.raises(ModelError, match=sentence):
        convert_weights([tmp_path / "weights.pth"], tmp_path, ConvertRequest())


@pytest.mark.filterwarnings("ignore")
def test_files_of_other_kinds_are_named(tmp_path: Path) -> None:
    torch.jit.save(torch.jit.script(nn.Linear(1, 1)), tmp_path / "script.pt")
    with pytest.raises(ModelError, match=r"holds no plain weights \(a TorchScript archive\)"):
        load_states(tmp_path / "script.pt")
    (tmp_path / "cut.safetensors").write_bytes(b"\xff" * 20)
    with pytest.raises(ModelError, match="is damaged or no safetensors file"):
        load_states(tmp_path / "cut.safetensors")
    save_weights(AUTOENCODER, tmp_path / "ae.safetensors", "autoencoder", {})
    with pytest.raises(ModelError, match="is pixelfast's own"):
        load_states(tmp_path / "ae.safetensors")
