"""What the hardware can do: measured here on a CPU, as PyTorch measures a GPU."""

import re

import pytest
import torch

from machines import WITHOUT
from pixelfast.runtime.tensorrt.check import GpuMachine
from pixelfast.verify.ceilings import describe_ceilings, device_ceilings, host_rate
from pixelfast.verify.machine import TorchGpu, merged

with_gpu = pytest.mark.skipif(not torch.cuda.is_available(), reason="ceilings of a GPU need one that PyTorch reaches")


def test_copying_on_the_host_is_measured_everywhere() -> None:
    (name, words), (other, why) = describe_ceilings(WITHOUT, 0.01)
    assert (name, other, why) == ("host memory", "ceilings", "not measured: they need a GPU that PyTorch reaches")
    found = re.fullmatch(r"([0-9.]+) GB/s are copied by one thread", words)
    assert found is not None
    assert 0.1 < float(found[1]) < 1000


def test_more_bytes_take_longer() -> None:
    assert 64 / host_rate(64, 0.01) < (1 << 25) / host_rate(1 << 25, 0.01)


def test_a_device_is_measured_by_copies_and_a_product() -> None:
    facts = dict(device_ceilings("cpu", 0.01, bus=(1 << 20, 1 << 22), memory=1 << 20, side=64))
    assert list(facts) == ["bus, 1 MiB", "bus, 4 MiB", "device memory", "fp16 product"]
    rates = re.findall(r"\d+\.\d", facts["bus, 4 MiB"])
    assert len(rates) == 4
    assert all(float(rate) > 0.1 for rate in rates)
    assert re.search(r"^[0-9,]+ GB/s, read and written, by copies within it of 1 MiB$", facts["device memory"])
    assert facts["fp16 product"].endswith(" TFLOP/s of matrices of 64x64")


def test_a_gpu_without_the_memory_is_a_sentence() -> None:
    if torch.cuda.is_available():
        pytest.skip("it needs a PyTorch that reaches no GPU")
    there = merged(GpuMachine(None, None, {}), TorchGpu("a GPU", "9.0"), torch_installed=True)
    *_, (name, words) = describe_ceilings(there, 0.01)
    assert name == "ceilings"
    assert words.startswith("not measured: ")


@with_gpu
def test_a_gpu_copies_within_itself_faster_than_over_the_bus() -> None:
    facts = dict(device_ceilings("cuda", 0.1))
    within = float(facts["device memory"].split()[0].replace(",", ""))
    assert within > float(re.findall(r"\d+\.\d", facts["bus, 256 MiB"])[0])
