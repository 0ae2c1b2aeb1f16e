"""What was built for what is compared with the machine before a plan is loaded; each mismatch is one sentence."""

import ast
import dataclasses
import enum
import inspect
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

import pixelfast
from footage import walking_square
from frame_files import write_video
from made_cuda import MadeCuda
from pixelfast.errors import EngineError
from pixelfast.machine.gpu import has_driver
from pixelfast.model import PlanFacts
from pixelfast.runtime.tensorrt import cuda
from pixelfast.runtime.tensorrt.build import CallSizes, only_gpu
from pixelfast.runtime.tensorrt.check import (
    GpuMachine,
    PlanOrigin,
    check_call_sizes,
    check_plan,
    plan_origin,
    read_machine,
)
from pixelfast.runtime.tensorrt.package import Messages, installed_flavours
from tiny_engines import write_frame_engine, write_model

FACTS = PlanFacts("fp16", 16, 64, 256, "8.6", "tensorrt_rtx", "1.7.1", "a" * 64)
ORIGIN = PlanOrigin(FACTS, "ae.onnx", "a" * 64, "pixelfast export model --to plan --precision fp16")
MACHINE = GpuMachine("NVIDIA RTX A5000", "8.6", {"tensorrt_rtx": "1.7.1"})
PLAN = Path("model/ae.fp16.plan")

without_driver = pytest.mark.skipif(has_driver(), reason="for machines without an NVIDIA driver only")


def origin(**changes: object) -> PlanOrigin:
    return dataclasses.replace(ORIGIN, facts=dataclasses.replace(FACTS, **changes))  # type: ignore[arg-type]


def test_a_plan_that_fits_is_let_through() -> None:
    check_plan(PLAN, ORIGIN, MACHINE)
    check_plan(PLAN, origin(compute_capability=None), MACHINE)
    check_plan(PLAN, origin(gpu=MACHINE.gpu), MACHINE)
    check_plan(PLAN, dataclasses.replace(ORIGIN, onnx_sha256=None), MACHINE)
    check_plan(PLAN, None, MACHINE)
    check_call_sizes(PLAN, ORIGIN, CallSizes(16, 64, 256))
    check_call_sizes(PLAN, None, CallSizes(1, 2, 3))


@pytest.mark.parametrize(
    ("known", "machine", "sentence"),
    [
        (
            ORIGIN,
            GpuMachine(None, None, {}),
            r"on an NVIDIA GPU, and this machine has none: name model/ae.onnx instead",
        ),
        (None, GpuMachine(None, None, {}, "it sleeps"), r"on an NVIDIA GPU, and it sleeps: name an .onnx file instead"),
        (None, dataclasses.replace(MACHINE, versions={}), r"TensorRT, which is not installed: pip install"),
        (
            ORIGIN,
            dataclasses.replace(MACHINE, versions={"tensorrt": "11.4"}),
            r"built by tensorrt_rtx 1.7.1, which is not installed: pip install 'pixelfast\[tensorrt-rtx\]', or .*fp16$",
        ),
        (
            ORIGIN,
            dataclasses.replace(MACHINE, versions={"tensorrt_rtx": "1.8"}),
            r"by tensorrt_rtx 1.7.1, and 1.8, which is installed, reads only its own: pixelfast export model",
        ),
        (
            ORIGIN,
            dataclasses.replace(MACHINE, compute_capability="12.0"),
            r"for GPUs of compute capability 8.6, and NVIDIA RTX A5000 has 12.0: pixelfast export model",
        ),
        (
            origin(gpu="NVIDIA A10"),
            MACHINE,
            r"built for NVIDIA A10 alone, and the GPU here is NVIDIA RTX A5000: pixelfast export model --to plan",
        ),
        (
            dataclasses.replace(ORIGIN, onnx_sha256="b" * 64),
            MACHINE,
            r"built from another ae.onnx than the one beside it: pixelfast export model",
        ),
        (
            PlanOrigin(
                dataclasses.replace(FACTS, precision="bf16", compute_capability="7.5"),
                "ae.onnx",
                "a" * 64,
                "pixelfast export model --to plan --precision bf16",
            ),
            dataclasses.replace(MACHINE, compute_capability="7.5"),
            r"bf16, which NVIDIA RTX A5000 \(compute capability 7.5\) cannot: .*--precision fp16",
        ),
    ],
)
def test_each_mismatch_is_a_sentence_with_what_mends_it(
    known: PlanOrigin | None, machine: GpuMachine, sentence: str
) -> None:
    with pytest.raises(EngineError, match=sentence) as caught:
        check_plan(PLAN, known, machine)
    assert str(caught.value).startswith(str(PLAN))
    assert "\n" not in str(caught.value)


def test_other_call_sizes_are_named() -> None:
    with pytest.raises(EngineError, match=r"takes 1 to 3, best 2 a call, but its model says 16 to 256, best 64: pixel"):
        check_call_sizes(PLAN, ORIGIN, CallSizes(1, 2, 3))


def test_a_model_tells_the_command_that_builds_its_plan_again(tmp_path: Path) -> None:
    model = write_model(tmp_path / "model", strides=(1, 4))
    pixelfast.export(model, "plan", compute_capability="8.6", stride=4, call_sizes=(16, 24, 48))
    model = type(model).load(model.folder)
    known = plan_origin(model, "ae.s4.plan")
    assert known is not None
    assert (known.onnx, known.onnx_sha256) == ("ae.s4.onnx", known.facts.onnx_sha256)
    assert known.rebuild == f"pixelfast export {model.folder} --to plan --stride 4 --call-sizes 16,24,48"
    assert plan_origin(model, "ae.plan") is None
    arguments = known.rebuild.split()[1:]
    done = subprocess.run([sys.executable, "-m", "pixelfast", *arguments, "--compute-capability", "12.0"], check=False)
    assert done.returncode == 0


@without_driver
def test_without_a_driver_the_command_says_so_in_a_sentence(tmp_path: Path) -> None:
    model = write_model(tmp_path / "model")
    plan = pixelfast.export(model, "plan", compute_capability="8.6")
    write_video(tmp_path / "footage" / "01", walking_square(20))
    command = [sys.executable, "-m", "pixelfast", "score", str(tmp_path / "footage"), "--engine", str(plan)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (1, "")
    why = "this machine has no NVIDIA driver (libcuda.so.1)"
    sentence = f"{plan} runs on an NVIDIA GPU, and {why}: name {plan.parent}/ae.onnx instead"
    assert sentence in " ".join(done.stderr.split())
    assert "Traceback" not in done.stderr


@without_driver
def test_a_lone_plan_and_what_is_none_get_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(EngineError, match="does not exist"):
        pixelfast.score(tmp_path, tmp_path / "ae.plan")
    (tmp_path / "ae.plan").write_bytes(b"")
    with pytest.raises(EngineError, match=r"is empty \(0 bytes\)|no NVIDIA driver"):
        write_video(tmp_path / "footage" / "01", walking_square(20))
        pixelfast.score(tmp_path / "footage", tmp_path / "ae.plan")
    write_frame_engine(tmp_path / "ae.onnx")
    (tmp_path / "ae.plan").write_bytes((tmp_path / "ae.onnx").read_bytes())
    with pytest.raises(EngineError, match=r"no NVIDIA driver .*: name an .onnx file instead"):
        pixelfast.score(tmp_path / "footage", tmp_path / "ae.plan")


def test_a_package_that_cannot_be_imported_is_passed_over(tmp_path: Path) -> None:
    (tmp_path / "tensorrt").mkdir()
    (tmp_path / "tensorrt" / "__init__.py").write_text("raise ImportError('libnvinfer.so.11: no such file')")
    program = (
        "from pixelfast.runtime.tensorrt.check import read_machine; "
        "from pixelfast.runtime.tensorrt.package import find_flavour; "
        "print(sorted(read_machine().versions), find_flavour()[0])"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], env={"PYTHONPATH": str(tmp_path)}, capture_output=True, text=True, check=False
    )
    assert done.stdout == "['tensorrt_rtx'] tensorrt_rtx\n", done.stderr


@without_driver
def test_the_machine_is_read_and_the_gpu_refused_without_a_driver() -> None:
    machine = read_machine()
    assert (machine.gpu, machine.compute_capability) == (None, None)
    assert machine.gpu_missing == "this machine has no NVIDIA driver (libcuda.so.1)"
    assert set(machine.versions) == set(installed_flavours())
    with pytest.raises(EngineError, match="no NVIDIA driver"):
        cuda.Cuda()


def test_the_machine_is_read_off_the_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    gpu = MadeCuda("NVIDIA L4", (8, 9)).put(monkeypatch)
    machine = read_machine()
    assert (machine.gpu, machine.compute_capability, machine.gpu_missing) == ("NVIDIA L4", "8.9", None)
    assert not gpu.held


@pytest.mark.parametrize(
    ("driver", "other"),
    [
        (
            12040,
            ", or, as the extras bring those for CUDA 13, put those for CUDA 12 into an environment of their own: pip "
            "install tensorrt-cu12 'cuda-bindings<13', for RTX cards tensorrt-rtx-cu12",
        ),
        (11080, ""),
    ],
)
def test_a_driver_that_is_too_old_is_told_with_what_mends_it(
    monkeypatch: pytest.MonkeyPatch, driver: int, other: str
) -> None:
    mend = (
        f"the GPU's driver knows CUDA {driver // 1000} at most, and the packages here are for CUDA 13 (update the "
        f"driver to 580 or newer{other})"
    )
    gpu = MadeCuda(driver=driver).put(monkeypatch)
    gpu.status = gpu.cudaError_t.cudaErrorInsufficientDriver
    assert read_machine().gpu_missing == mend
    with pytest.raises(EngineError) as caught:
        check_plan(PLAN, ORIGIN, read_machine())
    assert str(caught.value) == f"{PLAN} runs on an NVIDIA GPU, and {mend}: name model/ae.onnx instead"


class Level(enum.Enum):
    NONE, SAME_COMPUTE_CAPABILITY = range(2)


def test_a_plan_is_built_for_all_gpus_of_a_compute_capability_where_that_can_be(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    MadeCuda("NVIDIA L4").put(monkeypatch)
    config = SimpleNamespace(hardware_compatibility_level=Level.NONE)
    older = SimpleNamespace(HardwareCompatibilityLevel=SimpleNamespace(NONE=Level.NONE))
    assert only_gpu(older, config) == "NVIDIA L4"
    assert config.hardware_compatibility_level is Level.NONE
    assert only_gpu(SimpleNamespace(HardwareCompatibilityLevel=Level, ComputeCapability=None), config) is None
    assert config.hardware_compatibility_level is Level.NONE
    assert only_gpu(SimpleNamespace(HardwareCompatibilityLevel=Level), config) is None
    assert config.hardware_compatibility_level is Level.SAME_COMPUTE_CAPABILITY


def test_what_tensorrt_warns_of_is_kept_once_and_what_it_fails_of_last() -> None:
    trt = pytest.importorskip("tensorrt_rtx", reason="needs TensorRT for RTX: pip install '.[tensorrt-rtx]'")
    messages, severity = Messages(trt), trt.ILogger.Severity
    assert (messages.last(), messages.warnings()) == ("it does not say why", [])
    said = [("ERROR", "a"), ("WARNING", "plans of other\n models"), ("INFO", "c"), ("WARNING", "d"), ("ERROR", "b\nb")]
    for kind, text in [*said, ("WARNING", "d"), ("INTERNAL_ERROR", "e"), ("VERBOSE", "f")]:
        messages.logger.log(getattr(severity, kind), text)
    assert (messages.last(), messages.warnings()) == ("e", ["plans of other models", "d"])


def test_every_call_of_the_cuda_runtime_fits_its_signature() -> None:
    runtime = pytest.importorskip("cuda.bindings.runtime", reason="needs cuda-bindings: pip install '.[tensorrt-rtx]'")
    calls = [node for node in ast.walk(ast.parse(inspect.getsource(cuda))) if isinstance(node, ast.Call)]
    checked = set()
    for call in calls:
        if isinstance(call.func, ast.Attribute) and call.func.attr == "_call":
            name, *arguments = call.args
            assert isinstance(name, ast.Constant)
            signature = getattr(runtime, str(name.value)).__doc__.splitlines()[0]
            wanted = [one for one in signature.partition("(")[2].rstrip(")").split(",") if one]
            assert len(arguments) == len(wanted), signature
            checked.add(name.value)
    assert {"cudaMalloc", "cudaMallocHost", "cudaMemcpyAsync", "cudaStreamWaitEvent"} <= checked
    names = [node.attr for node in ast.walk(ast.parse(inspect.getsource(cuda))) if isinstance(node, ast.Attribute)]
    for name in (one for one in names if one.startswith("cuda") and one != "cudaDeviceAttr"):
        owners = (runtime, runtime.cudaDeviceAttr, runtime.cudaMemcpyKind, runtime.cudaError_t)
        assert any(hasattr(owner, name) for owner in owners), name
