"""`pixelfast verify`: what it measures, prints and refuses, as a stranger would run it, and on made machines."""

import json
import os
import re
import shutil
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path

import cv2
import pytest
import torch

import pixelfast
from footage import walking_square
from machines import WITH_GPU, WITHOUT
from made_raft import seeded_raft
from pixelfast.cli.verify import print_verification
from pixelfast.errors import EngineError
from pixelfast.flip.export import write_flip_files
from pixelfast.flip.network import FlipClassifier
from pixelfast.flow.engine import FlowFacts
from pixelfast.flow.raft_export import write_raft
from pixelfast.flow.raft_network import RaftGraph, save_raft
from pixelfast.machine.gpu import has_driver
from pixelfast.methods.motion.export import write_motion
from pixelfast.methods.motion.facts import MotionFacts
from pixelfast.methods.motion.network import FlowGru, save_flow_gru
from pixelfast.methods.reconstruction.engine import AE
from pixelfast.methods.reconstruction.export import write_autoencoder
from pixelfast.methods.reconstruction.network import TemporalAutoencoder, save_autoencoder
from pixelfast.model import Flip, Manifest, Model, PlanFacts
from pixelfast.runtime.tensorrt.check import GpuMachine
from pixelfast.verify.candidates import find_candidates
from pixelfast.verify.machine import Machine, TorchGpu, merged

SCRIPT = Path(__file__).parents[2] / "cuda_export" / "verify.py"

without_driver = pytest.mark.skipif(has_driver(), reason="what is said without a GPU needs a machine without one")


HIDE = """
import sys

class Without:
    def __init__(self, finder):
        self.finder = finder

    def __getattr__(self, name):
        return getattr(self.finder, name)

    def find_spec(self, name, path=None, target=None):
        return None if name.split(".")[0] == {package!r} else self.finder.find_spec(name, path, target)

sys.meta_path[:] = [Without(finder) for finder in sys.meta_path]
"""
"""A `sitecustomize.py` for which a package is not installed."""


def verify(*arguments: object, before: Path | None = None) -> subprocess.CompletedProcess[str]:
    """`before`: a folder whose modules come first."""
    command = [sys.executable, SCRIPT, *map(str, arguments), "--seconds", "0.02", "--threads", "1"]
    folders = [str(before), *os.environ.get("PYTHONPATH", "").split(os.pathsep)]
    environment = os.environ if before is None else {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, folders))}
    return subprocess.run(command, capture_output=True, text=True, check=False, env=environment)


def without(package: str, folder: Path) -> Path:
    folder.mkdir()
    (folder / "sitecustomize.py").write_text(HIDE.format(package=package))
    return folder


def verify_on(machine: Machine, model: Model, footage: Path) -> bool:
    return print_verification(model.folder, footage, seconds=0.02, threads=1, machine=machine)


def some_engines(model: Model, *names: str) -> Model:
    return Model.write(model.folder, model.folder.parent / "some", model.manifest, names)


def with_plan(model: Model, compute_capability: str | None, gpu: str | None = None) -> Model:
    """A plan in name only, which nothing can load."""
    plan = model.folder.parent / "ae.plan"
    plan.write_bytes(b"no plan")
    facts = PlanFacts("fp32", 16, 64, 256, compute_capability, "tensorrt_rtx", "1.7.1", "0" * 64, gpu)
    return model.add({"ae.plan": plan}, plans={"ae.plan": facts})


@pytest.fixture(scope="module")
def work(tmp_path_factory: pytest.TempPathFactory) -> Path:
    work = tmp_path_factory.mktemp("work")
    torch.manual_seed(0)
    network = TemporalAutoencoder(4).eval()
    save_autoencoder(network, work / "ae.safetensors", recipe="source", trained_with={})
    write_autoencoder(network, work / "ae.onnx", threads=1)
    write_autoencoder(network, work / "ae.s4.onnx", 4, threads=1)
    return work


@pytest.fixture
def model(work: Path, tmp_path: Path) -> Model:
    facts = Manifest("reconstruction", "source", 16, 128, 128, 8)
    return Model.write(work, tmp_path / "model", facts)


@pytest.fixture
def footage(tmp_path: Path) -> Path:
    folder = tmp_path / "footage" / "01"
    folder.mkdir(parents=True)
    for index, frame in enumerate(walking_square(40)):
        cv2.imwrite(str(folder / f"{index:04d}.jpg"), frame)
    return folder.parent


@without_driver
def test_every_engine_gets_a_row_and_the_run_a_verdict(model: Model, footage: Path) -> None:
    pixelfast.export(model, "plan", compute_capability="8.6")
    done = verify(model.folder, "--source", footage)
    assert done.returncode == 0, done.stderr
    rows = {line.split()[0].rstrip(",:"): line for line in done.stdout.splitlines() if line.strip()}
    for name in ("ae.onnx", "ae.s4.onnx", "ae.safetensors"):
        assert re.search(r" [0-9.]+ s  (1\.000000|0\.99999[0-9]), \de-\d+ off  +[0-9,]+", rows[name]), rows[name]
    assert "no NVIDIA driver" in rows["ae.plan"]
    assert "none: this machine has no NVIDIA driver" in rows["GPU"]
    assert rows["frames"].endswith(f"40 of {footage}")
    assert re.fullmatch(r"threads +1; \S.*", rows["threads"])
    assert f"pixelfast {pixelfast.__version__}, onnxruntime " in rows["versions"]
    assert re.search(r"whole score +[0-9,]+ frames/s with ae", done.stdout)
    assert re.search(r"decoding alone +[0-9,]+ frames/s; the whole run has \d\.\d\d of it", done.stdout)
    assert re.search(r"plain loop +[0-9,]+ frames/s .*one window at a time, cpu\): [0-9,.]+x by", done.stdout)
    assert re.search(r"profile +bound by \w+: ", done.stdout)
    assert re.search(r"plan runner +not tried: it needs a GPU", done.stdout)
    assert re.search(r"ceilings +not measured: they need a GPU", done.stdout)
    assert re.search(r"dearest +operators on the CPU in float32, of ae\.safetensors .*:\n1\. +[0-9 ]\d%, ", done.stdout)
    assert re.search(r"10 scores +of ae\S+ in one process: each time the same scores", done.stdout)
    expected = "verdict         3 of 4 engines run here and agree with ONNX Runtime; nothing was verified on a GPU"
    assert done.stdout.splitlines()[-1] == expected


def test_frames_are_made_up_where_none_are_given(model: Model) -> None:
    done = verify(model.folder, "--frames", 60)
    assert done.returncode == 0, done.stderr
    assert re.search(r"frames +60 made up, JPEG of 640x360", done.stdout)


def test_flip_classifiers_are_tried_as_well(work: Path, footage: Path, tmp_path: Path) -> None:
    files = tmp_path / "with-flips"
    shutil.copytree(work, files)
    torch.manual_seed(0)
    write_flip_files(FlipClassifier().eval(), files, "source", threads=1)
    facts = Manifest("reconstruction", "source", 16, 128, 128, 8, flip=Flip(1.0, trusted=True))
    model = Model.write(files, tmp_path / "model", facts)
    done = verify(model.folder, "--source", footage)
    assert done.returncode == 0, done.stderr
    for name in ("flip.onnx", r"flip.safetensors, (CPU|fp32, graph)"):
        assert re.search(rf"^{name} +[0-9.]+ s +80 of 80 alike, \S+ off +[0-9,]+", done.stdout, re.MULTILINE)
    assert re.search(r"^engine +first load +decisions ", done.stdout, re.MULTILINE)
    assert "5 of 5 engines run here" in done.stdout
    strange = FlipClassifier().eval()
    with torch.no_grad():
        for weights in strange.parameters():
            weights.mul_(4)
    write_flip_files(strange, tmp_path, "source", threads=1)
    model.add({"flip.safetensors": tmp_path / "flip.safetensors"})
    done = verify(model.folder, "--source", footage)
    assert done.returncode == 1
    assert "WRONG OR FAILING: flip.safetensors" in done.stdout


def test_what_is_found_is_kept_as_it_is_printed(model: Model, footage: Path, tmp_path: Path) -> None:
    done = verify(model.folder, "--source", footage, "--out", tmp_path / "made" / "out")
    assert done.returncode == 0, done.stderr
    out = tmp_path / "made" / "out"
    assert (out / "report.txt").read_text() == done.stdout
    lines = [json.loads(line) for line in (out / "results.jsonl").read_text().splitlines()]
    engines = {line["engine"]: line for line in lines if "engine" in line}
    assert {"ae.onnx", "ae.s4.onnx"} < set(engines)
    assert engines["ae.s4.onnx"]["stride"] == 4
    assert engines["ae.onnx"]["passed"]
    assert engines["ae.onnx"]["frames_s"]["32"] > 0
    said = {line["fact"]: line["says"] for line in lines if "fact" in line}
    assert said["frames"] == f"40 of {footage}"
    assert list(said)[-1] == "verdict"
    for fact, words in said.items():
        assert re.search(rf"^{re.escape(fact)} +{re.escape(words)}$", done.stdout, re.MULTILINE)


def test_what_the_budget_has_no_time_for_is_named(
    model: Model, footage: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert not print_verification(model.folder, footage, seconds=0.02, budget=1, threads=1, machine=WITH_GPU)
    said = capsys.readouterr().out
    assert "ae.onnx: left out: it no longer fits into the budget" in said
    assert "WRONG" not in said
    left = re.search(r"left out +(.*): no longer within the budget of 1 s", said)
    assert left is not None
    engines, others = left[1].split("; ")[:3], left[1].split("; ")[3:]
    assert engines == ["ae.onnx", "ae.s4.onnx", "ae.safetensors, CPU"]
    assert "dearest kernels" in others
    assert "0 of 3 engines run here" in said


def test_an_engine_that_differs_is_named_and_fails_the_verdict(model: Model, footage: Path) -> None:
    torch.manual_seed(1)
    other = TemporalAutoencoder(4).eval()
    path = model.folder.parent / "other" / "ae.s4.onnx"
    path.parent.mkdir()
    write_autoencoder(other, path, 4, threads=1)
    model.add({"ae.s4.onnx": path})
    done = verify(model.folder, "--source", footage)
    assert done.returncode == 1
    assert re.search(r"WRONG OR FAILING: ae\.s4\.onnx", done.stdout)


def test_it_works_with_some_engines_only(model: Model, footage: Path) -> None:
    done = verify(some_engines(model, "ae.onnx").folder, "--source", footage)
    assert done.returncode == 0, done.stderr
    assert "1 of 1 engines run here" in done.stdout
    assert "not run: it needs ae.safetensors" in done.stdout


def test_weights_alone_are_compared_with_pytorch(model: Model, footage: Path) -> None:
    done = verify(some_engines(model, "ae.safetensors").folder, "--source", footage)
    assert done.returncode == 0, done.stderr
    assert re.search(r"compared with +ae\.safetensors in PyTorch, float32 on the CPU", done.stdout)
    assert re.search(r"whole score +[0-9,]+ frames/s with ae\.safetensors", done.stdout)
    assert "engines run here and agree with PyTorch in float32 on the CPU" in done.stdout
    assert "ONNX Runtime" not in done.stdout


def test_a_lone_plan_has_nothing_to_be_compared_with(model: Model, footage: Path) -> None:
    done = verify(some_engines(with_plan(model, None), "ae.plan").folder, "--source", footage)
    assert (done.returncode, done.stderr) == (1, "")
    assert re.search(r"ae\.plan: not tried, .* has neither ae\.onnx nor ae\.safetensors", done.stdout)
    assert re.search(r"whole score +not run: no engine", done.stdout)
    assert "0 of 1 engines run here" in done.stdout
    assert "NOT COMPARED: ae.plan" in done.stdout


def test_without_pytorch_the_other_engines_are_verified(model: Model, tmp_path: Path) -> None:
    done = verify(model.folder, "--frames", 60, before=without("torch", tmp_path / "before"))
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr
    assert "ae.safetensors, CPU: not run: it needs PyTorch, which is not installed" in done.stdout
    assert re.search(r"plain loop +not run: it needs PyTorch\n", done.stdout)
    assert re.search(r"whole score +[0-9,]+ frames/s with ae\.onnx", done.stdout)
    assert "2 of 3 engines run here and agree with ONNX Runtime" in done.stdout


def test_weights_alone_without_pytorch_get_a_sentence(model: Model, footage: Path, tmp_path: Path) -> None:
    alone = some_engines(model, "ae.safetensors").folder
    done = verify(alone, "--source", footage, before=without("torch", tmp_path / "before"))
    assert (done.returncode, done.stderr) == (1, "")
    assert "0 of 1 engines run here" in done.stdout


def test_without_pillow_only_the_plain_loop_is_missing(model: Model, footage: Path, tmp_path: Path) -> None:
    done = verify(model.folder, "--source", footage, before=without("PIL", tmp_path / "before"))
    assert done.returncode == 0, done.stderr
    assert re.search(r"plain loop +not run: it needs Pillow\n", done.stdout)
    assert "WRONG" not in done.stdout


@without_driver
def test_a_pytorch_that_does_not_load_is_a_remark(model: Model, footage: Path, tmp_path: Path) -> None:
    broken = tmp_path / "before" / "torch"
    broken.mkdir(parents=True)
    (broken / "__init__.py").write_text("raise OSError('libcudart.so.13: cannot open shared object file')")
    done = verify(model.folder, "--source", footage, before=broken.parent)
    assert done.returncode == 0, done.stderr
    assert re.search(r"ae\.safetensors, CPU: .*libcudart\.so\.13", done.stdout)
    assert re.search(r"plain loop +not run: .*libcudart\.so\.13", done.stdout)
    assert "2 of 3 engines run here" in done.stdout


def test_a_plan_for_another_gpu_is_a_remark(model: Model, footage: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert verify_on(WITH_GPU, with_plan(model, "8.6"), footage)
    said = capsys.readouterr().out
    assert "ae.plan: for another GPU, of compute capability 8.6; the one here has 9.0" in said
    assert re.search(r"3 of 4 engines run here and agree with ONNX Runtime; nothing was verified on a GPU\n$", said)


def test_a_plan_for_another_model_of_gpu_is_a_remark(
    model: Model, footage: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert verify_on(WITH_GPU, with_plan(model, "9.0", "NVIDIA H200"), footage)
    assert "ae.plan: for NVIDIA H200 alone; the GPU here is NVIDIA H100" in capsys.readouterr().out


@pytest.mark.parametrize("compute_capability", ["9.0", None])
def test_a_plan_that_should_run_and_does_not_fails_the_verdict(
    model: Model, footage: Path, capsys: pytest.CaptureFixture[str], compute_capability: str | None
) -> None:
    plan = with_plan(model, compute_capability)
    assert not verify_on(WITH_GPU, plan, footage)
    assert "WRONG OR FAILING: ae.plan; nothing was verified on a GPU" in capsys.readouterr().out
    if not has_driver():
        assert verify_on(WITHOUT, plan, footage)


def test_the_gpu_is_the_one_that_pytorch_finds_where_cuda_bindings_find_none() -> None:
    missing = GpuMachine(None, None, {}, "cuda-bindings is not installed")
    found = merged(missing, TorchGpu("NVIDIA A100", "8.0"), torch_installed=True)
    assert (found.gpu, found.compute_capability, found.by_torch) == ("NVIDIA A100", "8.0", True)
    expected = (
        "NVIDIA A100, compute capability 8.0; PyTorch reaches it; no plan can run: cuda-bindings is not installed"
    )
    assert found.words() == expected
    assert merged(missing, None, torch_installed=True).words() == "none: cuda-bindings is not installed"
    assert WITH_GPU.words() == "NVIDIA H100, compute capability 9.0; PyTorch does not reach it"


def test_a_gpu_of_pytorch_alone_makes_its_engines_run_there(model: Model) -> None:
    found = merged(GpuMachine(None, None, {}, "no cuda-bindings"), TorchGpu("NVIDIA A100", "8.0"), torch_installed=True)
    labels = [
        one.label
        for one in find_candidates(with_plan(model, "8.6"), [AE], 1, found)
        if one.on_gpu and not one.elsewhere
    ]
    assert labels[0] == "ae.safetensors, fp16, graph"
    assert "ae.plan" not in labels
    assert len(labels) == 5


@pytest.mark.skipif(torch.cuda.is_available(), reason="a GPU that PyTorch promises and cannot reach is none that works")
def test_a_gpu_that_does_not_work_is_named_in_each_step_and_the_rest_goes_on(
    model: Model, footage: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    promised = merged(GpuMachine("a GPU", "9.0", {}), TorchGpu("a GPU", "9.0"), torch_installed=True)
    assert not verify_on(promised, model, footage)
    said = capsys.readouterr().out
    for fact in (
        "plain loop      not run: ",
        "plan runner     FAILS: ",
        "ceilings        not measured: ",
        "dearest         not ",
    ):
        assert fact in said
    assert re.search(r"^whole score +[0-9,]+ frames/s with ae\.onnx$", said, re.MULTILINE)
    assert "memory, GPU     not measured: " in said
    assert "WRONG OR FAILING: ae.safetensors, fp16, graph, the runner of plans" in said


def test_a_step_that_an_engine_stops_is_named_and_the_others_go_on(
    model: Model, footage: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def stops(*_: object, **__: object) -> None:
        raise EngineError("ae.onnx fails on frames\nfor a reason")

    monkeypatch.setattr("pixelfast.verify.steps.describe_repeated", stops)
    assert not verify_on(WITHOUT, model, footage)
    said = capsys.readouterr().out
    assert "\n10 scores       FAILS: ae.onnx fails on frames\nverdict " in said
    assert "WRONG OR FAILING: 10 scores" in said


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["nowhere"], "nowhere does not exist"),
        (["{model}", "--source", "nothing"], "nothing"),
        (["{model}", "--out", "{model}/model.json/out"], "model.json/out cannot be written: "),
        ([], "Usage: pixelfast verify"),
    ],
)
def test_what_cannot_be_verified_gets_a_sentence(model: Model, arguments: list[str], sentence: str) -> None:
    done = verify(*[argument.replace("{model}", str(model.folder)) for argument in arguments])
    assert done.returncode in (1, 2)
    assert sentence in done.stderr
    assert "Traceback" not in done.stderr


def test_a_motion_model_with_raft(footage: Path, tmp_path: Path) -> None:
    work = tmp_path / "work"
    work.mkdir()
    torch.manual_seed(0)
    gru, raft = FlowGru(16).eval(), seeded_raft(0)
    save_flow_gru(gru, work / "motion.safetensors", recipe="source", scale=0.1, past=8)
    write_motion(gru, 0.1, 8, work / "motion.onnx", threads=1)
    save_raft(raft, work / "raft.safetensors", height=128, width=128, updates=1)
    write_raft(RaftGraph(raft, 128, 128, 1), work / "raft.onnx", weights_sha256=None, threads=1)
    motion = MotionFacts(FlowFacts("raft"), 8, 0.1, bridge_noisy=False)
    model = Model.write(work, tmp_path / "model", Manifest("motion", "source", 9, 128, 128, 8, own=asdict(motion)))
    done = verify(model.folder, "--source", footage)
    assert done.returncode == 0, done.stderr
    assert "WRONG" not in done.stdout
    assert "engines run here and agree with ONNX Runtime" in done.stdout
    assert re.search(r"raft\.safetensors, (CPU|fp16, graph) +[0-9.]+ s +\S+ px off \(most \S+\)  +[0-9,]+", done.stdout)
    assert re.search(r"whole score +[0-9,]+ frames/s with motion\.", done.stdout)
