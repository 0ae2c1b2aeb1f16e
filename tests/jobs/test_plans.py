"""TensorRT plans, built here for GPUs that are not here; none can be run without its GPU."""

import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
import torch

import pixelfast
from footage import walking_square
from made_cuda import MadeCuda
from made_raft import HEIGHT, WIDTH, seeded_raft
from pixelfast.errors import EngineError, ModelError
from pixelfast.flip.opening import choose_flip_correction
from pixelfast.flow.raft_memory import call_sizes
from pixelfast.jobs.export import FLIP_SIZES
from pixelfast.machine.gpu import has_driver
from pixelfast.methods.motion import exporting as motion_exporting
from pixelfast.methods.motion.export import write_motion, write_reduced_motion
from pixelfast.methods.motion.network import FlowGru
from pixelfast.methods.reconstruction import exporting as reconstruction_exporting
from pixelfast.methods.reconstruction.export import rank_agreement, write_autoencoder, write_reduced_autoencoder
from pixelfast.methods.reconstruction.network import ReconstructionGraph, TemporalAutoencoder, save_autoencoder
from pixelfast.model import Flip, Model, PlanFacts, Training
from pixelfast.model.manifest import FILE_NAME
from pixelfast.notes import Notes
from pixelfast.runtime.tensorrt.build import CallSizes, build_plan
from pixelfast.runtime.tensorrt.package import find_flavour
from pixelfast.training.made_up import made_up_flows
from pixelfast.training.reduced import REDUCED, HalfConvolutions
from tiny_engines import write_frame_engine, write_model

GPUS = ("8.6", "12.0")
SIZES = CallSizes(16, 40, 64)
USUAL = {
    "ae": reconstruction_exporting.CALL_SIZES,
    "motion": motion_exporting.CALL_SIZES,
    "flip": FLIP_SIZES,
    "raft": call_sizes(HEIGHT, WIDTH),
}


def build(source: Path, out: Path, gpu: str | None = "8.6", call_sizes: CallSizes = SIZES, **options: str) -> object:
    return build_plan(source, out, call_sizes, **{"precision": "fp32", "compute_capability": gpu, **options})


@pytest.fixture
def graphs(
    made_once: Callable[[str, Callable[[Path], object]], Path], raft_files: Path, half_raft_files: Path
) -> Callable[[str], Path]:
    """The ONNX file of an engine in a precision; there is no `raft.bf16`, whose export takes long."""
    folder = made_once("graphs", write_graphs)
    rafts = {"raft.fp32": raft_files / "raft.onnx", "raft.fp16": half_raft_files / "raft.onnx"}
    return lambda name: rafts.get(name, folder / f"{name}.onnx")


def write_graphs(folder: Path) -> None:
    torch.manual_seed(0)
    gru = FlowGru(16)
    write_autoencoder(TemporalAutoencoder(8), folder / "ae.fp32.onnx")
    write_motion(gru, 0.1, 8, folder / "motion.fp32.onnx")
    for precision in ("fp16", "bf16"):
        flows = [made_up_flows(8, 0.1)]
        write_reduced_motion(gru, 0.1, 8, folder / f"motion.{precision}.onnx", precision, runs=flows)
    frames = walking_square(20)
    for precision in ("fp16", "bf16"):
        write_reduced_autoencoder(TemporalAutoencoder(8), folder / f"ae.{precision}.onnx", 1, precision, frames=frames)


@pytest.mark.parametrize("gpu", GPUS)
@pytest.mark.parametrize(
    ("stem", "precision"),
    [(stem, precision) for stem in ("ae", "motion", "raft") for precision in ("fp32", "fp16", "bf16")][:-1],
)
def test_every_engine_builds(
    graphs: Callable[[str], Path], tmp_path: Path, stem: str, precision: str, gpu: str
) -> None:
    source, out = graphs(f"{stem}.{precision}"), tmp_path / f"{stem}.plan"
    sizes = CallSizes(*USUAL[stem])
    if (stem, precision) == ("ae", "bf16"):  # tensorrt_rtx has no deconvolution of bfloat16
        with pytest.raises(EngineError, match=r"cannot build a bf16 plan .{0,300}; --precision fp16 may do$"):
            build(source, out, gpu, sizes, precision=precision)
        return
    facts = build(source, out, gpu, sizes, precision=precision)
    assert (facts.compute_capability, facts.flavour, facts.precision) == (gpu, "tensorrt_rtx", precision)
    assert (facts.least, facts.best, facts.most) == (sizes.least, sizes.best, sizes.most)
    # The plan holds the weights, in two bytes each where the precision is half.
    assert out.stat().st_size > 0.4 * source.stat().st_size
    if precision != "fp32":
        assert source.stat().st_size < 0.6 * graphs(f"{stem}.fp32").stat().st_size


@pytest.mark.parametrize("precision", ["fp16", "bf16"])
def test_reduced_graphs_say_their_precision_and_keep_the_order(tmp_path: Path, precision: str) -> None:
    torch.manual_seed(0)
    network, frames, out = TemporalAutoencoder(8), walking_square(20), tmp_path / "ae.onnx"
    agreement = write_reduced_autoencoder(network, out, 1, precision, frames=frames)
    half = ReconstructionGraph(network, 1, REDUCED[precision]).eval()
    assert agreement == rank_agreement(half, ReconstructionGraph(network, 1).eval(), frames) > 0.999
    kinds = {one.data_type for one in onnx.load(out).graph.initializer if len(one.dims) == 4 and np.prod(one.dims) > 99}
    assert kinds == {onnx.TensorProto.FLOAT16 if precision == "fp16" else onnx.TensorProto.BFLOAT16}
    if precision == "fp16":
        for gpu in GPUS:
            build(out, tmp_path / "ae.fp16.plan", gpu, precision="fp16")


@pytest.mark.parametrize(("precision", "least"), [("fp16", 0.9995), ("bf16", 0.99)])
def test_frames_that_hardly_change_keep_their_order(precision: str, least: float) -> None:
    torch.manual_seed(0)
    network, rng = TemporalAutoencoder(8).eval(), np.random.default_rng(0)
    half, reference = ReconstructionGraph(network, 1, REDUCED[precision]).eval(), ReconstructionGraph(network, 1).eval()
    with HalfConvolutions():
        for noise in (0.5, 2.0):
            frames = (128 + noise * rng.standard_normal((24, 128, 128))).round().astype(np.uint8)
            agreement = rank_agreement(half, reference, frames)
            print(f"{precision}, grey frames with noise of {noise} levels: rank correlation {agreement:.5f}")
            assert agreement > least


def test_precision_that_changes_the_order_is_refused(tmp_path: Path) -> None:
    torch.manual_seed(0)
    network = TemporalAutoencoder(8)
    with torch.no_grad():
        network.decoder[6].bias += 1e4  # beyond what half can tell apart, and beyond a sigmoid that learns anything
        network.encoder[0].weight *= 1e6
    with pytest.raises(ModelError, match=r"rank correlation with float32 is (0\.|nan|-)"):
        write_reduced_autoencoder(network, tmp_path / "ae.onnx", 1, "fp16", frames=walking_square(20))
    assert not (tmp_path / "ae.onnx").exists()


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"gpu": "9.0"}, r"builds for the compute capabilities 7.5, .*, not '9.0'"),
        ({"call_sizes": CallSizes(16, 8, 64)}, "call sizes must rise"),
        ({"flavour": "tensorrt"}, r"tensorrt is not installed, and plans need it: pip install"),
    ],
)
def test_what_cannot_be_built_gets_a_sentence(tmp_path: Path, options: dict[str, object], sentence: str) -> None:
    with pytest.raises(EngineError, match=sentence):
        build(write_frame_engine(tmp_path / "ae.onnx"), tmp_path / "ae.plan", **options)  # type: ignore[arg-type]
    assert not (tmp_path / "ae.plan").exists()


def test_other_files_get_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "notes.onnx").write_text("no graph")
    with pytest.raises(EngineError, match=r"notes.onnx is no ONNX engine"):
        build(tmp_path / "notes.onnx", tmp_path / "ae.plan")
    with pytest.raises(EngineError, match=r"missing.onnx cannot be read"):
        build(tmp_path / "missing.onnx", tmp_path / "ae.plan")


@pytest.mark.skipif(has_driver(), reason="only a machine without an NVIDIA driver must be told the GPU")
def test_without_a_gpu_one_must_be_named(tmp_path: Path) -> None:
    with pytest.raises(EngineError, match=r"no NVIDIA driver.*--compute-capability"):
        build(write_frame_engine(tmp_path / "ae.onnx"), tmp_path / "ae.plan", None)


def test_a_model_knows_what_its_plans_were_built_for(model: Model) -> None:
    path = pixelfast.export(model, "plan", compute_capability="8.6", call_sizes=(16, 32, 64))
    loaded = Model.load(model.folder)
    assert path == model.folder / "ae.plan"
    facts = loaded.manifest.plans["ae.plan"]
    assert (facts.least, facts.best, facts.most, facts.compute_capability) == (16, 32, 64, "8.6")
    assert facts.onnx_sha256 == loaded.manifest.files["ae.onnx"].sha256
    assert (facts.version, facts.gpu) == (find_flavour()[1].__version__, None)
    pixelfast.export(model.folder, "plan", compute_capability="12.0", stride=4)
    plans = Model.load(model.folder).manifest.plans
    assert {name: one.compute_capability for name, one in plans.items()} == {
        "ae.plan": "8.6",
        "ae.s4.plan": "12.0",
        "flip.plan": "12.0",
    }
    # What was built for another GPU is not taken along.
    engines = [model.folder / name for name in ("ae.s4.plan", "ae.plan", "ae.onnx")]
    loaded = Model.load(model.folder)
    files = [choose_flip_correction(loaded, engine, "always", Notes()).classifier for engine in engines]
    assert [file and file.name for file in files] == ["flip.plan", "flip.onnx", "flip.onnx"]


@pytest.mark.parametrize(
    ("gibibytes", "gpu", "best"), [(4, None, 128), (8, None, 271), (16, None, 527), (80, None, 527), (80, "8.6", 128)]
)
def test_calls_are_as_large_as_this_machines_gpu_has_room_for(
    model: Model, monkeypatch: pytest.MonkeyPatch, gibibytes: int, gpu: str | None, best: int
) -> None:
    MadeCuda(memory_bytes=gibibytes << 30).put(monkeypatch)
    pixelfast.export(model, "plan", compute_capability=gpu)
    facts = Model.load(model.folder).manifest.plans["ae.plan"]
    assert (facts.least, facts.best, facts.most, facts.compute_capability) == (16, best, best, "8.6")


def test_wider_networks_and_smaller_strides_take_more_room(model: Model) -> None:
    def taken(stride: int, report: dict[str, Any]) -> int:
        trained = Training(("a",), 1, 20, report)
        return reconstruction_exporting.call_bytes(
            Model(model.folder, replace(model.manifest, training=trained)), 271, stride
        )

    usual = taken(1, {"channels": 64})
    assert usual == taken(1, {}) == taken(1, {"width": 32}) == 256 * reconstruction_exporting.WINDOW_BYTES
    assert taken(1, {"channels": 128}) == 2 * usual
    assert taken(4, {"channels": 64}) == usual // 4


def test_half_precision_from_the_weights_of_a_model(model: Model) -> None:
    torch.manual_seed(0)
    save_autoencoder(TemporalAutoencoder(8).eval(), model.folder / "ae.safetensors", recipe="source", trained_with={})
    path = pixelfast.export(model, "plan", precision="fp16", compute_capability="8.6", threads=1)
    assert path.name == "ae.fp16.plan"
    loaded = Model.load(model.folder).manifest
    assert loaded.plans["ae.fp16.plan"].precision == "fp16"
    assert loaded.plans["ae.fp16.plan"].onnx_sha256 == loaded.files["ae.onnx"].sha256
    assert not list(model.folder.glob("*.fp16.onnx"))


def test_the_flip_classifier_goes_along_as_it_is(tmp_path: Path) -> None:
    model = write_model(tmp_path / "model", flip=Flip(1.0, trusted=True))
    pixelfast.export(model, "plan", compute_capability="8.6", call_sizes=(20, 24, 48))
    plans = Model.load(model.folder).manifest.plans
    assert {name: (one.precision, one.least) for name, one in plans.items()} == {
        "ae.plan": ("fp32", 20),
        "flip.plan": ("fp32", 1),
    }


def test_call_sizes_that_hold_no_window_are_refused(model: Model) -> None:
    with pytest.raises(EngineError, match=r"a call of ae\.onnx takes at least 16, and the call sizes begin at 8"):
        pixelfast.export(model, "plan", compute_capability="8.6", call_sizes=(8, 16, 32))
    with pytest.raises(EngineError, match="takes at most 4096, and the call sizes end at 100000000000"):
        pixelfast.export(model, "plan", compute_capability="8.6", call_sizes=(16, 128, 100_000_000_000))
    with pytest.raises(EngineError, match="must reach over two strides: give at least 24"):
        pixelfast.export(model, "plan", compute_capability="8.6", stride=4, call_sizes=(16, 17, 18))
    assert not list(model.folder.glob("*.plan"))


def test_a_damaged_entry_is_named(model: Model) -> None:
    pixelfast.export(model, "plan", compute_capability="8.6")
    path = model.folder / FILE_NAME
    facts = json.loads(path.read_text())
    facts["plans"]["ae.plan"]["least"] = "few"
    path.write_text(json.dumps(facts))
    with pytest.raises(ModelError, match=r"plans.ae.plan.least should be a whole number"):
        Model.load(model.folder)


def test_the_command(model: Model) -> None:
    command = [sys.executable, "-m", "pixelfast", "export", str(model.folder), "--to", "plan"]
    done = subprocess.run(
        [*command, "--compute-capability", "8.6", "--call-sizes", "16,32,48"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout.strip()) == (0, f"written {model.folder / 'ae.plan'}"), done.stderr
    info = subprocess.run(
        [sys.executable, "-m", "pixelfast", "info", str(model.folder)], capture_output=True, text=True, check=False
    )
    assert "ae.plan: fp32, 16 to 48 a call, for compute capability 8.6, by tensorrt_rtx" in info.stdout
    wrong = subprocess.run([*command, "--call-sizes", "16"], capture_output=True, text=True, check=False)
    assert wrong.returncode == 2


def test_info_names_the_only_gpu_that_a_plan_is_for(model: Model, tmp_path: Path) -> None:
    (tmp_path / "made.plan").write_bytes(b"plan")
    facts = PlanFacts("fp16", 16, 128, 128, "8.6", "tensorrt", "10.8", "0" * 64, "NVIDIA A10")
    model.add({"ae.fp16.plan": tmp_path / "made.plan"}, plans={"ae.fp16.plan": facts})
    command = [sys.executable, "-m", "pixelfast", "info", str(model.folder)]
    info = subprocess.run(command, capture_output=True, text=True, check=True)
    assert "ae.fp16.plan: fp16, 16 to 128 a call, for NVIDIA A10 alone, by tensorrt 10.8" in info.stdout


@pytest.mark.parametrize("asked", [{"call_sizes": (16, 32, 48)}, {"compute_capability": "8.6"}])
def test_what_only_plans_have_is_not_ignored(asked: dict[str, Any], tmp_path: Path) -> None:
    with pytest.raises(EngineError, match="are of TensorRT plans, not of onnx: say --to plan"):
        pixelfast.export(write_model(tmp_path / "model"), **asked)


@pytest.mark.long
def test_the_command_for_raft_alone(tmp_path: Path) -> None:
    torch.save(seeded_raft(0).state_dict(), tmp_path / "raft_large.pth")
    script = Path(__file__).parents[2] / "cuda_export" / "export_raft.py"
    options = ["--height", "128", "--width", "128", "--updates", "1", "--weights", tmp_path / "raft_large.pth"]
    command = [sys.executable, script, *options, "--out", tmp_path / "raft.plan", "--compute-capability", "8.6"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    sizes = CallSizes(*call_sizes(128, 128))
    assert f"{tmp_path / 'raft.plan'}: fp32, {sizes} frames a call, for 8.6, by tensorrt_rtx" in done.stdout
    assert (tmp_path / "raft.plan").stat().st_size > 10_000_000
