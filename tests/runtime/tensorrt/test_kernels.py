"""What TensorRT for RTX compiles of a plan is kept for the next process, and whatever is wrong with it is no failure.

TensorRT and the GPU are made up; the interface is the package's own, which `test_tensorrt_types.py` checks.
"""

import json
import weakref
from pathlib import Path

import numpy as np
import pytest

import pixelfast
from footage import walking_square
from made_cuda import MadeCuda
from made_trt import MadeTrt
from pixelfast.errors import EngineError
from pixelfast.machine.measured import user_cache
from pixelfast.runtime.tensorrt.kernels import kernel_file
from pixelfast.runtime.tensorrt.runner import open_plan
from tiny_engines import SIZE, WINDOW, window_errors

FRAMES = walking_square(80, seed=3, size=SIZE)
WARNED = "Using an engine plan file across different models of devices is not recommended."


@pytest.fixture(autouse=True)
def _cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


@pytest.fixture
def gpu(monkeypatch: pytest.MonkeyPatch) -> MadeCuda:
    return MadeCuda().put(monkeypatch)


@pytest.fixture
def trt(gpu: MadeCuda, monkeypatch: pytest.MonkeyPatch) -> MadeTrt:
    return MadeTrt("tensorrt_rtx", gpu).put(monkeypatch)


@pytest.fixture
def plan(tmp_path: Path) -> Path:
    (tmp_path / "ae.plan").write_bytes(b"a plan")
    return tmp_path / "ae.plan"


def kept() -> list[Path]:
    return sorted((user_cache() / "kernels").glob("*"))


def run(plan: Path) -> None:
    """As a process would: it is opened, called, and closed."""
    with open_plan(plan, None) as runner:
        expected = window_errors(FRAMES, range(len(FRAMES) - WINDOW + 1))
        np.testing.assert_allclose(runner(FRAMES), expected, rtol=1e-6)


def test_kernels_are_compiled_before_they_are_needed_and_once_for_all_processes(trt: MadeTrt, plan: Path) -> None:
    run(plan)
    assert trt.strategies == ["eager"]
    compiled = list(trt.compiled)
    assert compiled == [24, 17]
    assert len(kept()) == 1
    before = kept()[0].stat()
    run(plan)
    assert trt.compiled == compiled
    after = kept()[0].stat()
    assert (after.st_ino, after.st_mtime_ns) == (before.st_ino, before.st_mtime_ns), "nothing new is not written"


def test_a_new_size_of_call_is_added_to_what_is_kept(trt: MadeTrt, plan: Path) -> None:
    with open_plan(plan, None) as runner:
        runner(FRAMES[:24])
        assert trt.compiled == [24]
        runner(FRAMES[:16])
    assert trt.compiled == [24, 16]
    assert json.loads(kept()[0].read_bytes()[32:])["sizes"] == [16, 24]


@pytest.mark.parametrize("damage", ["cut", "changed", "empty", "foreign"])
def test_a_file_that_is_damaged_or_foreign_is_written_anew(trt: MadeTrt, plan: Path, damage: str) -> None:
    run(plan)
    [file] = kept()
    whole = file.read_bytes()
    if damage == "foreign":
        trt.where = "elsewhere"
    else:
        broken = {"cut": whole[:-3], "changed": whole[:40] + b"?" + whole[41:], "empty": b""}
        file.write_bytes(broken[damage])
    trt.compiled.clear()
    run(plan)
    assert trt.compiled == [24, 17]
    assert (file.read_bytes() == whole) == (damage != "foreign")
    trt.compiled.clear()
    run(plan)
    assert not trt.compiled


def test_without_a_place_to_keep_them_they_are_compiled_each_time(trt: MadeTrt, plan: Path) -> None:
    user_cache().parent.mkdir()
    user_cache().write_text("a file where a folder should be")
    run(plan)
    run(plan)
    assert trt.compiled == [24, 17, 24, 17]


def test_without_a_home_nothing_is_kept(trt: MadeTrt, plan: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pixelfast.runtime.tensorrt.kernels.user_cache", no_home)
    run(plan)
    assert not kept()


def no_home() -> Path:
    raise RuntimeError("Could not determine home directory.")


def test_each_plan_version_gpu_and_driver_has_a_file_of_its_own() -> None:
    facts: list[tuple[bytes, str, str, int]] = [
        (b"plan", "1.7.1", "NVIDIA RTX A5000", 13000),
        (b"other", "1.7.1", "NVIDIA RTX A5000", 13000),
        (b"plan", "1.8", "NVIDIA RTX A5000", 13000),
        (b"plan", "1.7.1", "NVIDIA L4", 13000),
        (b"plan", "1.7.1", "NVIDIA RTX A5000", 13010),
    ]
    files = {kernel_file(*one) for one in facts}
    assert len(files) == len(facts)
    assert kernel_file(*facts[0]) in files


def test_the_context_goes_before_the_kernels_that_it_uses(trt: MadeTrt, plan: Path) -> None:
    gone: list[str] = []
    runner = open_plan(plan, None)
    assert runner._opened is not None
    for name in ("context", "kernels", "engine", "runtime"):
        weakref.finalize(getattr(runner._opened, name), gone.append, name)
    del runner
    assert gone[0] == "context"
    assert set(gone) == {"context", "kernels", "engine", "runtime"}


def test_tensorrt_itself_compiles_nothing_here(gpu: MadeCuda, plan: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    trt = MadeTrt("tensorrt", gpu).put(monkeypatch)
    run(plan)
    assert trt.strategies == [None]
    assert not kept()


def test_what_tensorrt_warns_of_while_it_loads_is_said_once(
    trt: MadeTrt, plan: Path, make_source: object, caplog: pytest.LogCaptureFixture
) -> None:
    source = make_source(a=FRAMES)  # type: ignore[operator]
    scores = pixelfast.score(source, plan, flip="never")
    sentence = f"{plan}: tensorrt_rtx warns: {WARNED}"
    assert scores.notes.count(sentence) == 1
    assert caplog.messages.count(sentence) == 1


@pytest.mark.parametrize("package", ["tensorrt", "tensorrt_rtx"])
def test_a_plan_without_room_says_what_makes_room(
    gpu: MadeCuda, plan: Path, monkeypatch: pytest.MonkeyPatch, package: str
) -> None:
    MadeTrt(package, gpu).put(monkeypatch)
    plan.write_bytes(b"too large")
    with pytest.raises(
        EngineError, match=r"ae\.plan finds no room on the GPU .*: end what else runs there, or build it"
    ):
        open_plan(plan, None)
    assert not gpu.held
    assert not kept()


def test_a_plan_that_it_does_not_take_keeps_nothing(trt: MadeTrt, gpu: MadeCuda, plan: Path) -> None:
    plan.write_bytes(b"damaged")
    with pytest.raises(EngineError, match=r"ae\.plan cannot be loaded \(tensorrt_rtx 1\.7\.1 says: it does not say"):
        open_plan(plan, None)
    assert not gpu.held
    assert not kept()
