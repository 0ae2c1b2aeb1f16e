"""`cuda_export/verify.py` where there is no GPU: what it measures, prints and refuses, as a stranger would run it."""

import re
import subprocess
import sys
from pathlib import Path

import cv2
import pytest
import torch

import pixelfast
from footage import walking_square
from pixelfast.engines.trt_package import has_driver
from pixelfast.manifest import FlowFacts, Manifest, MotionFacts
from pixelfast.model import Model
from pixelfast.networks.autoencoder import TemporalAutoencoder
from pixelfast.networks.flow_gru import FlowGru
from pixelfast.networks.raft import seeded_raft
from pixelfast.networks.weights import save_autoencoder, save_flow_gru, save_raft
from pixelfast.training.export import write_autoencoder, write_motion
from pixelfast.training.export_flow import write_raft

SCRIPT = Path(__file__).parents[1] / "cuda_export" / "verify.py"

pytestmark = pytest.mark.skipif(has_driver(), reason="what is said without a GPU needs a machine without one")


def verify(*arguments: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, SCRIPT, *map(str, arguments), "--seconds", "0.02", "--threads", "1"]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.fixture
def model(tmp_path: Path) -> Model:
    work = tmp_path / "work"
    work.mkdir()
    torch.manual_seed(0)
    network = TemporalAutoencoder(4).eval()
    save_autoencoder(network, work / "ae.safetensors", recipe="source", trained_with={})
    write_autoencoder(network, work / "ae.onnx", threads=1)
    write_autoencoder(network, work / "ae.s4.onnx", 4, threads=1)
    facts = Manifest("reconstruction", "source", 16, 128, 128, 8)
    return Model.write(work, tmp_path / "model", facts)


@pytest.fixture
def footage(tmp_path: Path) -> Path:
    folder = tmp_path / "footage" / "01"
    folder.mkdir(parents=True)
    for index, frame in enumerate(walking_square(40)):
        cv2.imwrite(str(folder / f"{index:04d}.jpg"), frame)
    return folder.parent


def test_every_engine_gets_a_row_and_the_run_a_verdict(model: Model, footage: Path) -> None:
    pixelfast.export(model, "plan", compute_capability="8.6")
    done = verify(model.folder, "--source", footage)
    assert done.returncode == 0, done.stderr
    rows = {line.split()[0].rstrip(",:"): line for line in done.stdout.splitlines() if line.strip()}
    for name in ("ae.onnx", "ae.s4.onnx", "ae.safetensors"):
        assert re.search(r" [0-9.]+ s  (1\.000000|0\.99999[0-9]), \de-\d+ off  +[0-9,]+", rows[name]), rows[name]
    assert "no NVIDIA driver" in rows["ae.plan"]
    assert rows["GPU"].endswith("none: this machine has no NVIDIA driver")
    assert rows["frames"].endswith(f"40 of {footage}")
    assert re.search(r"whole score +[0-9,]+ frames/s with ae", done.stdout)
    assert re.search(r"decoding alone +[0-9,]+ frames/s; the whole run has \d\.\d\d of it", done.stdout)
    assert re.search(r"plain loop +[0-9,]+ frames/s .*one window at a time, cpu\): [0-9,.]+x by", done.stdout)
    assert re.search(r"profile +bound by \w+: ", done.stdout)
    expected = "verdict         3 of 4 engines run here and agree with ONNX Runtime; nothing was verified on a GPU"
    assert done.stdout.splitlines()[-1] == expected


def test_frames_are_made_up_where_none_are_given(model: Model) -> None:
    done = verify(model.folder, "--frames", 60)
    assert done.returncode == 0, done.stderr
    assert re.search(r"frames +60 made up, JPEG of 640x360", done.stdout)


def test_an_engine_that_differs_is_named_and_fails_the_verdict(model: Model, footage: Path) -> None:
    torch.manual_seed(1)
    other = TemporalAutoencoder(4).eval()
    path = model.folder.parent / "other" / "ae.s4.onnx"
    path.parent.mkdir()
    write_autoencoder(other, path, 4, threads=1)
    model.add({"ae.s4.onnx": path})
    done = verify(model.folder, "--source", footage)
    assert done.returncode == 1
    assert "2 of 3 engines run here" in done.stdout
    assert "WRONG OR FAILING: ae.s4.onnx" in done.stdout


def test_it_works_with_some_engines_only(model: Model, footage: Path, tmp_path: Path) -> None:
    alone = Model.write(model.folder, tmp_path / "alone", model.manifest, ["ae.onnx"])
    done = verify(alone.folder, "--source", footage)
    assert done.returncode == 0, done.stderr
    assert "1 of 1 engines run here" in done.stdout
    assert "not run: it needs ae.safetensors" in done.stdout


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [(["nowhere"], "nowhere does not exist"), (["{model}", "--source", "nothing"], "nothing"), ([], "usage")],
)
def test_what_cannot_be_verified_gets_a_sentence(model: Model, arguments: list[str], sentence: str) -> None:
    done = verify(*[argument.replace("{model}", str(model.folder)) for argument in arguments])
    assert done.returncode in (1, 2)
    assert sentence in done.stderr
    assert "Traceback" not in done.stderr


def test_a_motion_model_with_raft(tmp_path: Path) -> None:
    work = tmp_path / "work"
    work.mkdir()
    torch.manual_seed(0)
    gru, raft = FlowGru(16).eval(), seeded_raft(0)
    save_flow_gru(gru, work / "motion.safetensors", recipe="source", scale=0.1, past=8)
    write_motion(gru, 0.1, 8, work / "motion.onnx", threads=1)
    save_raft(raft, work / "raft.safetensors", height=128, width=128, updates=1)
    write_raft(raft, work / "raft.onnx", 128, 128, updates=1, weights_sha256=None, threads=1)
    motion = MotionFacts(FlowFacts("raft"), 8, 0.1, bridge_noisy=False)
    model = Model.write(work, tmp_path / "model", Manifest("motion", "source", 9, 128, 128, 8, motion=motion))
    folder = tmp_path / "footage" / "01"
    folder.mkdir(parents=True)
    for index, frame in enumerate(walking_square(20)):
        cv2.imwrite(str(folder / f"{index:04d}.jpg"), frame)
    done = verify(model.folder, "--source", folder.parent)
    assert done.returncode == 0, done.stderr
    assert "4 of 4 engines run here and agree" in done.stdout
    assert re.search(r"raft\.safetensors, CPU +[0-9.]+ s +\S+ px off \(most \S+\)  +[0-9,]+", done.stdout)
    assert re.search(r"whole score +[0-9,]+ frames/s with motion\.", done.stdout)
