"""A machine with a GPU, and one without."""

from pixelfast.runtime.tensorrt.check import GpuMachine
from pixelfast.verify.machine import merged

WITH_GPU = merged(GpuMachine("NVIDIA H100", "9.0", {"tensorrt_rtx": "1.7.1"}), None, torch_installed=True)
WITHOUT = merged(GpuMachine(None, None, {}, "this machine has no NVIDIA driver"), None, torch_installed=True)
