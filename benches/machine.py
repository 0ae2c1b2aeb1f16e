"""The machine and the versions that benches ran on, for the report."""

import os
import platform
from collections.abc import Mapping
from datetime import UTC, datetime
from importlib import metadata
from typing import Final

from abilities import ABILITIES, abilities, field

PACKAGES: Final = {
    "pixelfast": "pixelfast",
    "NumPy": "numpy",
    "OpenVINO": "openvino",
    "ONNX Runtime": "onnxruntime",
    "PyTorch": "torch",
    "torchvision": "torchvision",
    "Pillow": "pillow",
    "OpenCV": "opencv-python-headless",
    "simplejpeg": "simplejpeg",
    "SciPy": "scipy",
    "bottleneck": "bottleneck",
    "polars": "polars",
    "PyArrow": "pyarrow",
}


def describe_machine(build_info: Mapping[str, str], cpuinfo: str) -> dict[str, str]:
    """Facts by name, in the order of the report."""
    has = abilities(cpuinfo)
    versions = {name: _version(package) for name, package in PACKAGES.items()}
    return {
        "Date": datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        "Processor": _processor(cpuinfo),
        "Cores": f"{len(os.sched_getaffinity(0))} of {os.cpu_count()} may be used; benches use 2 threads a side",
        "Memory": f"{os.sysconf('SC_PHYS_PAGES') * os.sysconf('SC_PAGE_SIZE') / 2**30:.0f} GiB",
        "Abilities": "; ".join(f"{name} ({what}): {_yes(name in has)}" for name, what in ABILITIES.items()),
        "libjpeg-turbo": f"{build_info['libjpeg_turbo']}, with SIMD (nasm): {build_info['simd']}",
        "System": f"{platform.system()} {platform.release()}, {platform.machine()}, Python {platform.python_version()}",
        "Versions": ", ".join(f"{name} {version}" for name, version in versions.items() if version),
    }


def _processor(cpuinfo: str) -> str:
    """Name, and family and model, by which a bare "AMD EPYC" can be told from another."""
    name = field(cpuinfo, "model name") or platform.processor() or platform.machine()
    family, model = field(cpuinfo, "cpu family"), field(cpuinfo, "model")
    return f"{name} (family {family}, model {model})" if family else name


def _yes(there: bool) -> str:
    return "yes" if there else "no"


def _version(package: str) -> str | None:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None
