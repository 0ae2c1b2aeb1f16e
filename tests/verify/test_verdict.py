"""The verdict on engines that were tried, and what is remembered of them."""

import re
import time
from dataclasses import replace
from pathlib import Path
from typing import ClassVar, Self

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from machines import WITH_GPU, WITHOUT
from pixelfast.methods.reconstruction.engine import AE
from pixelfast.runtime.tensorrt.check import GpuMachine
from pixelfast.runtime.torch.choice import MEASURED, Speedup, fastest_speedup
from pixelfast.runtime.trial import Agreement, Candidate, Subject, Trial, try_engine
from pixelfast.scores.agreement import agreement_in_order
from pixelfast.verify.machine import Machine, TorchGpu, merged
from pixelfast.verify.verdict import failing, verdict, verified, with_fastest_usual
from pixelfast.verify.whole_run import describe_copying

with_gpu = pytest.mark.skipif(not torch.cuda.is_available(), reason="copying to a GPU needs one that PyTorch reaches")


def candidate(label: str, *, usual: bool = True, on_gpu: bool = False, elsewhere: str = "") -> Candidate:
    return Candidate(Path(label), label, AE, 1, lambda: None, usual, on_gpu, elsewhere)


RIGHT = Trial(candidate("ae.onnx"), agreement=Agreement("1", enough=True), rates={32: 1.0}, call_seconds={32: 32.0})


@pytest.mark.parametrize(
    ("trial", "machine", "wrong"),
    [
        (Trial(candidate("x"), remark="why"), WITH_GPU, ["x"]),
        (Trial(candidate("x"), remark="why"), WITHOUT, []),
        (Trial(candidate("x", usual=False), remark="why"), WITH_GPU, []),
        (Trial(candidate("x", elsewhere="for another GPU"), remark="why"), WITH_GPU, []),
        (Trial(candidate("x"), agreement=Agreement("0.5", enough=False)), WITHOUT, ["x"]),
        (Trial(candidate("x", usual=False), agreement=Agreement("0.5", enough=False)), WITH_GPU, ["x"]),
    ],
)
def test_which_engines_fail(trial: Trial, machine: Machine, wrong: list[str]) -> None:
    assert failing([RIGHT, trial], machine) == wrong
    assert verified([RIGHT, trial], machine) == (not wrong)
    assert not verified([trial], machine)
    assert ("WRONG OR FAILING: x" in verdict([RIGHT, trial], machine, "ONNX Runtime")) == bool(wrong)


@pytest.mark.parametrize(
    ("rates", "taken"),
    [
        ({"graph": 100.0, "compile": 120.0, "none": 50.0}, "compile"),
        ({"graph": 100.0, "compile": 105.0, "none": 50.0}, "graph"),
        ({"compile": 60.0, "none": 50.0}, "compile"),
        ({"none": 50.0}, "none"),
    ],
)
def test_the_fastest_speedup_of_pytorch_is_the_usual_one_from_now_on(
    rates: dict[Speedup, float], taken: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    usual = candidate("ae.safetensors", on_gpu=True)
    trials = [
        Trial(replace(usual, way=("fp16", way)), agreement=Agreement("1", enough=True), rates={80: rate})
        for way, rate in rates.items()
    ]
    other = Trial(replace(usual, way=("bf16", "graph")), agreement=Agreement("1", enough=True), rates={80: 900.0})
    plan = Trial(candidate("ae.plan", on_gpu=True))
    marked = with_fastest_usual([*trials, other, plan])
    assert [one.candidate.way for one in marked if one.candidate.usual] == [("fp16", taken), None]
    assert fastest_speedup("ae", "fp16") == taken
    assert fastest_speedup("motion", "fp16") == fastest_speedup("ae", "bf16") == "graph"


def test_a_speedup_that_cannot_be_remembered_is_not_promised(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    good = {"agreement": Agreement("1", enough=True)}
    trials = [
        Trial(replace(candidate("a"), way=("fp16", way)), rates={80: rate}, **good)
        for way, rate in (("graph", 1.0), ("compile", 2.0))
    ]
    usual = [one.candidate.way for one in with_fastest_usual(trials) if one.candidate.usual]
    assert usual == [("fp16", "graph")]


def test_nothing_is_remembered_of_engines_that_are_wrong(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    wrong = Trial(replace(candidate("a"), way=("fp16", "compile")), agreement=Agreement("0", enough=False))
    assert with_fastest_usual([wrong]) == [wrong]
    assert not MEASURED.file.exists()


def test_an_engine_that_nothing_could_be_compared_with_is_not_verified_on_a_gpu() -> None:
    lone = Trial(candidate("raft.plan", on_gpu=True), remark="why", compared=False)
    assert not verified([RIGHT, lone], WITH_GPU)
    assert verified([RIGHT, lone], WITHOUT)
    assert "; NOT COMPARED: raft.plan" in verdict([RIGHT, lone], WITH_GPU, "ONNX Runtime")


def test_a_gpu_is_verified_by_an_engine_that_ran_on_it() -> None:
    there = Trial(candidate("ae.plan", on_gpu=True), agreement=Agreement("1", enough=True))
    assert verdict([RIGHT, there], WITH_GPU, "ONNX Runtime") == "2 of 2 engines run here and agree with ONNX Runtime"


def test_a_library_that_does_not_load_is_a_remark() -> None:
    def fails() -> None:
        raise OSError("libcudart.so.13: cannot open shared object file")

    engine = Candidate(Path("x"), "x", AE, 1, fails)
    subject = Subject(
        np.zeros((16, 128, 128), np.uint8), lambda engine, some: engine.errors(some, 1), agreement_in_order
    )
    trial = try_engine(engine, subject, None, 0.01)
    assert not trial.passed
    assert "libcudart.so.13" in trial.remark


def test_copying_is_only_spoken_of_on_a_gpu() -> None:
    frames = np.zeros((32, 128, 128), np.uint8)
    there = Trial(candidate("ae.plan", on_gpu=True), rates={32: 1.0}, call_seconds={32: 32.0})
    assert describe_copying(RIGHT, frames, WITH_GPU, 0.01) == []
    words = [("copying in", "not measured: PyTorch does not reach the GPU")]
    assert describe_copying(there, frames, WITH_GPU, 0.01) == words


@with_gpu
def test_copying_is_measured() -> None:
    there = Trial(candidate("ae.plan", on_gpu=True), rates={32: 1.0}, call_seconds={32: 32.0})
    machine = merged(GpuMachine(None, None, {}), TorchGpu("a GPU", "8.0"), torch_installed=True)
    ((_, words),) = describe_copying(there, np.zeros((32, 128, 128), np.uint8), machine, 0.01)
    assert re.match(r"takes 0\.0% of a call of 32 \([0-9.]+ GB/s", words)


def test_an_engine_is_measured_at_its_own_best_length_too() -> None:
    def results(windows: int) -> NDArray[np.float32]:
        return np.arange(windows * 1024, dtype=np.float32).reshape(windows, 16, 8, 8)

    class Busy:
        """An engine that is best with calls of 41, and slow."""

        best, remarks = 41, ()
        lengths: ClassVar[list[int]] = []

        def __enter__(self) -> Self:
            return self

        def __exit__(self, *_: object) -> None:
            self.close()

        def close(self) -> None:
            pass

        def errors(self, frames: NDArray[np.uint8], _: int) -> NDArray[np.float32]:
            self.lengths.append(len(frames))
            time.sleep(0.02)
            return results(len(frames) - 15)

    engine = Candidate(Path("x"), "x", AE, 1, Busy)
    subject = Subject(
        np.zeros((16, 128, 128), np.uint8), lambda engine, some: engine.errors(some, 1), agreement_in_order
    )
    trial = try_engine(engine, subject, results(65), 0.005)
    assert trial.own_length == 41
    # It is slow at any length: shorter calls are still worth a try, longer ones than the first such are not.
    assert sorted(trial.rates) == [32, 41]
    assert trial.rates[41] == pytest.approx(26 / trial.call_seconds[41])
    assert set(Busy.lengths) == {80, 41, 32}
