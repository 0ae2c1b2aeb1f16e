"""Half precision of the motion engines: the GRU and RAFT, in PyTorch, as ONNX files and in a model's folder."""

import re
import shutil
import subprocess
import sys
from dataclasses import asdict
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import onnx
import pytest
import torch
from onnx import TensorProto
from torch import nn
from torchvision.models.optical_flow import RAFT

import pixelfast
from frame_files import write_video
from made_raft import seeded_raft
from moving_scene import moved
from pixelfast.errors import EngineError, ModelError
from pixelfast.flow.engine import FlowFacts
from pixelfast.flow.raft_export import end_point_error, export_raft, write_reduced_raft
from pixelfast.flow.raft_network import FloatNorm, RaftGraph, load_raft
from pixelfast.methods.motion.export import motion_agreement, write_motion, write_reduced_motion
from pixelfast.methods.motion.exporting import flow_frames_of, flows_of
from pixelfast.methods.motion.facts import MotionFacts
from pixelfast.methods.motion.network import FlowGru, MotionGraph, save_flow_gru
from pixelfast.model import Manifest, Model, Training
from pixelfast.notes import Notes
from pixelfast.training.made_up import made_up_flows, moving_texture
from pixelfast.training.reduced import REDUCED, HalfConvolutions

COMMANDS = Path(__file__).parents[3] / "cuda_export"
PAST, SCALE, SIZE = 8, 0.1, 128
HALVES = ("fp16", "bf16")


def new_gru(hidden: int = 64) -> FlowGru:
    torch.manual_seed(0)
    return FlowGru(hidden).eval()


@pytest.fixture(scope="module")
def raft() -> RAFT:
    return seeded_raft(0)


# The graphs in PyTorch


@pytest.mark.parametrize("precision", HALVES)
def test_the_gru_keeps_the_order_of_the_frames(precision: str) -> None:
    network = new_gru()
    reference, half = MotionGraph(network, SCALE, PAST), MotionGraph(network, SCALE, PAST, REDUCED[precision])
    runs = [made_up_flows(PAST, SCALE), made_up_flows(PAST, SCALE)[::-1]]
    assert motion_agreement(half, reference, runs) >= 0.999
    flow = torch.from_numpy(runs[0])
    with torch.no_grad():
        difference = (half(flow) - reference(flow)).abs().max() / reference(flow).max()
    assert 0 < difference < (1e-3 if precision == "fp16" else 1e-2)
    assert half(flow).dtype == torch.float32


@pytest.mark.parametrize(("precision", "least"), [("fp16", 0.9995), ("bf16", 0.99)])
def test_flows_that_hardly_change_keep_their_order(precision: str, least: float) -> None:
    reference, half = (MotionGraph(new_gru(), 0.03, PAST, dtype) for dtype in (torch.float32, REDUCED[precision]))
    noise = np.random.default_rng(0).standard_normal((PAST + 200, 2, 64, 64)).astype(np.float32)
    for name, flow in {"still": 1e-3 * noise, "a steady pan": 0.1 + 1e-3 * noise}.items():
        agreement = motion_agreement(half, reference, [flow])
        print(f"{precision}, {name}: rank correlation {agreement:.5f}")
        assert agreement > least


@pytest.mark.parametrize("precision", HALVES)
def test_flows_beyond_what_half_holds_stay_finite(precision: str) -> None:
    """A scale as of footage that hardly moved, and a real motion: 80,000 deviations."""
    network, dtype, flow = new_gru(), REDUCED[precision], torch.full((PAST + 3, 2, 64, 64), 8.0)
    flow[:, 1] = -8
    with torch.no_grad():
        errors, expected = (MotionGraph(network, 1e-4, PAST, one)(flow) for one in (dtype, torch.float32))
        flow[-1, 0, 0, 0] = float("nan")
        hidden_nan = MotionGraph(network, 1e-4, PAST, dtype)(flow)
    assert torch.isfinite(expected).all()
    assert torch.allclose(errors, expected, rtol=1e-3)
    assert hidden_nan[-1].isnan().any()  # clamping hides none


def test_the_float_graph_uses_the_network_and_a_half_one_a_copy(raft: RAFT) -> None:
    gru = new_gru()
    shared = dict(MotionGraph(gru, SCALE).named_buffers())
    assert shared["predictor.of_input"].data_ptr() == gru.gru.weight_ih_l0.data_ptr()
    assert shared["predictor.to_flow"].data_ptr() == gru.fc.weight.data_ptr()
    assert RaftGraph(raft, SIZE, SIZE).raft is raft
    halves: list[nn.Module] = [
        MotionGraph(gru, SCALE, PAST, torch.float16),
        RaftGraph(raft, SIZE, SIZE, 1, torch.float16),
    ]
    assert {weight.dtype for weight in halves[0].get_submodule("predictor").buffers()} == {torch.float16}
    assert {weight.dtype for weight in halves[1].parameters()} == {torch.float16}
    for network in (gru, raft):
        assert {weight.dtype for weight in network.parameters()} == {torch.float32}
    kinds = [type(one) for one in halves[1].modules()]
    assert (kinds.count(nn.BatchNorm2d), kinds.count(FloatNorm)) == (0, kinds.count(nn.InstanceNorm2d))
    assert any(isinstance(one, nn.BatchNorm2d) for one in raft.modules())


def trained_alike(raft: RAFT) -> RAFT:
    """Weights whose batch normalisations are none of the identities that new ones are."""
    generator = torch.Generator().manual_seed(0)
    for norm in (one for one in raft.modules() if isinstance(one, nn.BatchNorm2d)):
        assert norm.running_mean is not None
        assert norm.running_var is not None
        norm.running_mean.normal_(0, 0.1, generator=generator)
        norm.running_var.uniform_(0.5, 2, generator=generator)
    return raft


@pytest.mark.parametrize("seed", [0, 1])
def test_raft_moves_the_flow_by_less_than_a_twentieth_of_a_pixel(seed: int) -> None:
    network = trained_alike(seeded_raft(seed))
    reference, half = RaftGraph(network, SIZE, SIZE), RaftGraph(network, SIZE, SIZE, dtype=torch.float16)
    error = end_point_error(half, reference, moving_texture(3, SIZE, SIZE))
    assert 0 < error.mean < 0.05
    assert error.mean < error.most < 0.05


@torch.no_grad()
def test_half_convolutions_are_those_of_pytorch(raft: RAFT) -> None:
    torch.manual_seed(0)
    image, weight, bias = torch.randn(2, 16, 24, 24), torch.randn(8, 16, 3, 3) / 12, torch.randn(8)
    halves = [one.half() for one in (image, weight, bias)]
    with HalfConvolutions():
        found = torch.conv2d(*halves, padding=1)
        floats = torch.conv2d(image, weight, bias, padding=1)
    assert found.dtype == torch.float16
    assert torch.equal(floats, torch.conv2d(image, weight, bias, padding=1))
    expected = torch.conv2d(*halves, padding=1)
    assert (found.float() - expected.float()).abs().max() < 2e-3 * expected.abs().max()
    # The same of the whole network, which takes seconds in PyTorch's own half convolutions.
    graph, frames = (
        RaftGraph(raft, SIZE, SIZE, 1, torch.float16).eval(),
        torch.from_numpy(moving_texture(2, SIZE, SIZE)),
    )
    own = graph.full_flow(frames)
    with HalfConvolutions():
        flow = graph.full_flow(frames)
    assert (flow - own).abs().max() < 0.01


# The ONNX files


@pytest.fixture
def half_raft(half_raft_files: Path) -> onnx.ModelProto:
    """What the command writes."""
    assert "2 updates; fp16 moves a made-up flow by 0.00" in (half_raft_files / "raft.txt").read_text()
    return onnx.shape_inference.infer_shapes(onnx.load(half_raft_files / "raft.onnx"))


def types_of(model: onnx.ModelProto, kind: str) -> list[set[int]]:
    """The element types of the inputs of each node of a kind; shapes and indices aside."""
    graph = model.graph
    known = {one.name: one.type.tensor_type.elem_type for one in (*graph.input, *graph.value_info, *graph.output)}
    known |= {one.name: one.data_type for one in graph.initializer}
    floating = {TensorProto.FLOAT, TensorProto.FLOAT16, TensorProto.BFLOAT16}
    return [{known[name] for name in node.input if name} & floating for node in graph.node if node.op_type == kind]


def test_the_raft_file_says_what_is_half_and_what_is_not(half_raft: onnx.ModelProto) -> None:
    convolutions = types_of(half_raft, "Conv")
    assert len(convolutions) > 40
    assert all(types == {TensorProto.FLOAT16} for types in convolutions)
    for kind in ("InstanceNormalization", "GridSample", "MatMul", "Softmax"):
        assert types_of(half_raft, kind), kind
        assert all(types == {TensorProto.FLOAT} for types in types_of(half_raft, kind)), kind
    assert not types_of(half_raft, "BatchNormalization")
    facts = {entry.key: entry.value for entry in half_raft.metadata_props}
    assert (facts["pixelfast.kind"], facts["pixelfast.precision"]) == ("flow", "fp16")


@pytest.mark.parametrize("precision", HALVES)
def test_the_file_of_the_gru_says_what_is_half_and_what_is_not(tmp_path: Path, precision: str) -> None:
    flows = [made_up_flows(PAST, SCALE)]
    agreement = write_reduced_motion(new_gru(), SCALE, PAST, tmp_path / "motion.onnx", precision, runs=flows)
    assert agreement >= 0.999
    model = onnx.shape_inference.infer_shapes(onnx.load(tmp_path / "motion.onnx"))
    half = TensorProto.FLOAT16 if precision == "fp16" else TensorProto.BFLOAT16
    assert {one.data_type for one in model.graph.initializer if np.prod(one.dims) > 99} == {half}
    for kinds, wanted in ((("Gemm", "MatMul"), half), (("AveragePool", "Div"), TensorProto.FLOAT)):
        types = [one for kind in kinds for one in types_of(model, kind)]
        assert types, kinds
        assert all(one == {wanted} for one in types), kinds
    facts = {entry.key: entry.value for entry in model.metadata_props}
    assert (facts["pixelfast.past"], facts["pixelfast.precision"]) == (str(PAST), precision)


def test_a_gru_that_half_cannot_hold_is_refused(tmp_path: Path) -> None:
    network = new_gru()
    with torch.no_grad():
        network.fc.weight *= 1e7
    with pytest.raises(ModelError, match=r"in fp16 the scores' rank correlation with float32 is nan, below 0.999"):
        write_reduced_motion(network, SCALE, PAST, tmp_path / "m.onnx", "fp16", runs=[made_up_flows(PAST, SCALE)])
    assert not (tmp_path / "m.onnx").exists()


@pytest.mark.parametrize(("gain", "found"), [(100.0, r"\d\.\d{3}"), (1e6, "nan")])
def test_a_raft_that_half_cannot_hold_is_refused(tmp_path: Path, gain: float, found: str) -> None:
    raft = seeded_raft(0)
    with torch.no_grad():
        raft.update_block.flow_head.conv2.weight *= gain
    sentence = rf"in fp16 the flow is {found} pixels from that of float32 on average \(at most .*must be below 0.05"
    with pytest.raises(ModelError, match=sentence):
        write_reduced_raft(RaftGraph(raft, SIZE, SIZE), tmp_path / "raft.onnx", "fp16", weights_sha256=None)
    assert not (tmp_path / "raft.onnx").exists()


# A model's folder


def footage(folder: Path, count: int) -> Path:
    """A folder with one video of a scene that moves faster and faster."""
    offsets = [(step * step // 40, step // 2) for step in range(count)]
    write_video(folder / "01", moved(SIZE, SIZE, offsets))
    return folder


@cache
def motion_file(*, plain: bool) -> bytes:
    """`motion.onnx` of a new GRU, or of none."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "motion.onnx"
        write_motion(None if plain else new_gru(16), SCALE, PAST, path)
        return path.read_bytes()


def write_motion_model(folder: Path, source: Path | None, *, raft: RAFT | None = None, plain: bool = False) -> Model:
    """A motion model of new weights, with DIS or with RAFT of a single update."""
    work = folder.with_name(folder.name + ".work")
    work.mkdir()
    network = None if plain else new_gru(16)
    (work / "motion.onnx").write_bytes(motion_file(plain=plain))
    if network is not None:
        save_flow_gru(network, work / "motion.safetensors", recipe="default", scale=SCALE, past=PAST)
    if raft is not None:
        torch.save(raft.state_dict(), work / "raft_large.pth")
        kept = work / "raft.safetensors"
        export_raft(work / "raft_large.pth", work / "raft.onnx", SIZE, SIZE, updates=1, kept=kept)
    trained = None if source is None else Training((str(source),), 1, 60, {})
    flow = FlowFacts("dis", "medium", 240) if raft is None else FlowFacts("raft")
    known = MotionFacts(flow, PAST, SCALE, bridge_noisy=True)
    size = {"height": SIZE, "width": SIZE, "grid": 8}
    manifest = Manifest(method="motion", recipe="plain", window=PAST + 2, training=trained, own=asdict(known), **size)
    return Model.write(work, folder, manifest)


@pytest.mark.long
def test_a_model_with_raft_gets_both_plans(raft: RAFT, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    model = write_motion_model(tmp_path / "model", footage(tmp_path / "normal", 60), raft=raft)
    assert "raft.safetensors" in model.manifest.files
    loaded, *sizes = load_raft(model.folder / "raft.safetensors")
    assert sizes == [SIZE, SIZE, 1]
    assert all(torch.equal(one, loaded.state_dict()[name]) for name, one in raft.state_dict().items())
    path = pixelfast.export(model, "plan", precision="fp16", compute_capability="8.6", threads=1)
    assert path == model.folder / "motion.fp16.plan"
    plans = Model.load(model.folder).manifest.plans
    assert {name: one.precision for name, one in plans.items()} == {
        "motion.fp16.plan": "fp16",
        "raft.fp16.plan": "fp16",
    }
    assert (plans["raft.fp16.plan"].least, plans["motion.fp16.plan"].least) == (2, 9)
    assert not list(model.folder.glob("*.fp16.onnx"))
    assert re.search(r"fp16 keeps the order of the frames: rank correlation (0\.999|1\.000)", caplog.text)
    assert "fp16 keeps RAFT's flow: it is 0.0" in caplog.text
    assert "made-up" not in caplog.text


def test_footage_that_is_gone_is_made_up_aloud(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    model = write_motion_model(tmp_path / "model", tmp_path / "gone")
    pixelfast.export(model, "plan", precision="fp16", compute_capability="12.0", threads=1)
    assert "cannot be read again: half precision is checked on made-up flows" in caplog.text
    assert flow_frames_of(model, 1, Notes()) is None
    assert "cannot be read again: RAFT in half precision is checked on a made-up scene" in caplog.text


def test_flows_of_the_training_footage(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    source = footage(tmp_path / "normal", 60)
    write_video(source / "02", moved(SIZE, SIZE, [(step, 0) for step in range(6)]))  # too few to predict one
    write_video(source / "03", moved(SIZE, SIZE, [(0, step) for step in range(20)]))
    model = write_motion_model(tmp_path / "model", source)
    assert pixelfast.export(model, "plan", precision="bf16", compute_capability="8.6").name == "motion.bf16.plan"
    runs = flows_of(model, MotionFacts.of(model), 1, Notes())
    assert [run.shape for run in runs] == [(59, 2, 64, 64), (19, 2, 64, 64)]
    assert runs[1][:, 1].mean() > 0.3  # a pixel of the frame a frame, downwards
    assert "made-up" not in caplog.text
    for name in ("01", "02", "03"):
        shutil.rmtree(source / name)
    write_video(source / "01", np.full((20, SIZE, SIZE), 90, np.uint8))
    (made_up,) = flows_of(model, MotionFacts.of(model), 1, Notes())
    assert made_up.shape == (PAST + 240, 2, 64, 64)
    assert "nothing moves in the training footage" in caplog.text


def test_a_model_without_a_network_computes_in_float(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    model = write_motion_model(tmp_path / "model", None, plain=True)
    command = [sys.executable, str(COMMANDS / "export_motion.py"), str(model.folder), "--compute-capability", "8.6"]
    done = subprocess.run([*command, "--precision", "fp16"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout == f"written {model.folder / 'motion.fp16.plan'}\n"
    half = Model.load(model.folder).manifest.plans["motion.fp16.plan"]
    assert (half.precision, half.least, half.most, half.compute_capability) == ("fp16", 9, 72, "8.6")
    pixelfast.export(Model.load(model.folder), "plan", precision="bf16", compute_capability="8.6")
    assert "motion.onnx has no network to halve: its bf16 plan computes in float32" in caplog.text
    plans = Model.load(model.folder).manifest.plans
    assert plans["motion.fp16.plan"].onnx_sha256 == model.manifest.files["motion.onnx"].sha256


def test_what_cannot_be_asked_for_gets_a_sentence(tmp_path: Path) -> None:
    model = write_motion_model(tmp_path / "model", None, plain=True)
    with pytest.raises(EngineError, match="precision must be fp32, fp16 or bf16, not 'int8'"):
        pixelfast.export(model, "plan", precision="int8", compute_capability="8.6")
    with pytest.raises(EngineError, match="no stride"):
        pixelfast.export(model, "plan", precision="fp16", stride=2, compute_capability="8.6")


def test_an_older_model_without_raft_weights_says_how_to_mend_it(tmp_path: Path) -> None:
    model = write_motion_model(tmp_path / "model", None, plain=True)
    (tmp_path / "raft.onnx").write_bytes(b"graph")
    older = model.add({"raft.onnx": tmp_path / "raft.onnx"})
    with pytest.raises(
        ModelError, match=r"has no raft.safetensors, which fp16 is made from.*pixelfast train"
    ) as caught:
        pixelfast.export(older, "plan", precision="fp16", compute_capability="8.6")
    assert "\n" not in str(caught.value)
    assert not list(model.folder.glob("*.plan"))


def test_a_model_whose_half_disagrees_is_left_as_it_is(tmp_path: Path) -> None:
    model = write_motion_model(tmp_path / "model", footage(tmp_path / "normal", 40))
    network = new_gru(16)
    with torch.no_grad():
        network.fc.weight *= 1e7
    save_flow_gru(network, tmp_path / "motion.safetensors", recipe="default", scale=SCALE, past=PAST)
    broken = model.add({"motion.safetensors": tmp_path / "motion.safetensors"})
    with pytest.raises(ModelError, match="rank correlation with float32 is nan"):
        pixelfast.export(broken, "plan", precision="fp16", compute_capability="8.6")
    assert Model.load(model.folder).manifest.plans == {}
