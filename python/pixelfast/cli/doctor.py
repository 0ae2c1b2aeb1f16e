"""`pixelfast doctor`: what this machine has and what it lacks."""

import json
import os
import platform
import re
import sys
from collections.abc import Sequence
from pathlib import Path
from textwrap import indent

import pixelfast
from pixelfast.cli.console import facts, print_result
from pixelfast.cli.options import AsJson
from pixelfast.machine.imports import installed_version
from pixelfast.machine.memory import total_memory
from pixelfast.machine.threads import usable_cores

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_EXTRA = re.compile(r"""extra\s*==\s*['"]([^'"]+)['"]""")
_OF_OTHERS = ("all", "dev")  # extras that consist of the others
_NASM = "install nasm (apt install nasm, dnf install nasm, brew install nasm) and build pixelfast again"


def doctor(as_json: AsJson = False) -> None:
    """Say what this machine has and what it lacks.

    $ pixelfast doctor

    Versions, cores, how the extension was built, and which engines can run.
    """
    packages, extras = _packages()
    found = {
        "pixelfast": _package(),
        "machine": _machine(),
        "extension": _extension(),
        "packages": packages,
        "extras": extras,
        "video files": _video_files(),
        "engines": _engines(),
        "fastest engine of a model folder": _fastest(),
    }
    if as_json:
        print_result(json.dumps(found, indent=2))
        return
    print_result("\n\n".join(f"{title}\n{indent(facts(list(rows.items())), '  ')}" for title, rows in found.items()))


def _package() -> dict[str, str]:
    return {
        "version": pixelfast.__version__,
        "installed in": str(Path(__file__).parents[1]),
        "python": f"{platform.python_version()} ({sys.executable})",
    }


def _machine() -> dict[str, str]:
    facts = {"system": platform.platform(), "cores": f"{usable_cores()} of {os.cpu_count()} may be used"}
    memory = total_memory()
    if memory is not None:
        facts["memory"] = f"{memory / 2**30:.1f} GiB"
    return facts


def _extension() -> dict[str, str]:
    try:
        from pixelfast import _core
    except ImportError as error:
        return {"missing": f"{error}: build it with `maturin develop --release`"}
    built = _core.build_info()
    facts = {"build": built["profile"], "libjpeg-turbo": built["libjpeg_turbo"]}
    if built["profile"] != "release":
        facts["build"] += ": many times slower than it need be; build it with --release"
    facts["JPEG with SIMD"] = (
        "yes" if built["simd"] == "yes" else f"no: colour frames take about twice as long to decode; {_NASM}"
    )
    return facts


def _packages() -> tuple[dict[str, str], dict[str, str]]:
    """What pixelfast needs always, and what its extras need, as its own metadata say."""
    from importlib import metadata

    needed: dict[str, list[str]] = {}
    for requirement in metadata.requires("pixelfast") or []:
        name, extra = _NAME.match(requirement), _EXTRA.search(requirement)
        if name is not None:
            needed.setdefault(extra[1] if extra else "", []).append(name[0])
    packages = {name: installed_version(name) or "missing: pip install pixelfast again" for name in needed.pop("", [])}
    return packages, {extra: _extra(extra, names) for extra, names in needed.items() if extra not in _OF_OTHERS}


def _extra(extra: str, names: Sequence[str]) -> str:
    versions = {name: installed_version(name) for name in names}
    missing = [name for name, version in versions.items() if version is None]
    if missing:
        return f"without {', '.join(missing)}: pip install 'pixelfast[{extra}]'"
    return ", ".join(f"{name} {version}" for name, version in versions.items())


def _engines() -> dict[str, str]:
    return {
        ".onnx": _onnx_runtime(),
        "ae.onnx on a CPU": _on_cpu(),
        ".plan": _plans(),
        ".safetensors": _weights(),
        "training": "yes" if installed_version("torch") else "no: pip install 'pixelfast[train]'",
    }


def _video_files() -> dict[str, str]:
    from pixelfast.sources.nvdec import describe_nvdec

    return {"by FFmpeg": f"yes, by PyAV {installed_version('av')}", "by NVDEC": describe_nvdec()}


def _on_cpu() -> str:
    version = installed_version("openvino")
    if version:
        return f"by OpenVINO {version}"
    return "by ONNX Runtime; up to 1.3 times as fast with OpenVINO: pip install 'pixelfast[cpu]'"


def _plans() -> str:
    from pixelfast.runtime.tensorrt.check import read_machine
    from pixelfast.runtime.tensorrt.package import INSTALL

    machine = read_machine()
    by = " and ".join(f"{name} {version}" for name, version in machine.versions.items())
    if machine.gpu is None:
        # Only this one builds for GPUs that are not there.
        rtx = machine.versions.get("tensorrt_rtx")
        return f"no: {machine.gpu_missing}{f'; they can be built, by tensorrt_rtx {rtx}' if rtx else ''}"
    return f"yes, by {by} on {machine.gpu} ({machine.compute_capability})" if by else f"no: {INSTALL}"


def _weights() -> str:
    from pixelfast.runtime.torch.choice import gpu_by_torch

    if not installed_version("torch"):
        return "no: pip install 'pixelfast[train]'"
    if not gpu_by_torch():
        return "yes, by PyTorch on the CPU; .onnx is faster there"
    import torch

    return f"yes, by PyTorch on {torch.cuda.get_device_name()}, in half precision"


def _fastest() -> dict[str, str]:
    from pixelfast.methods.fastest import MEASURED, remembered

    known = {choice.model: choice.engine for choice in remembered().values()}
    return {
        **known,
        "kept in": f"{MEASURED.file}; delete it to have them tried again, name a file to take another engine",
    }


def _onnx_runtime() -> str:
    from pixelfast.machine.imports import import_onnxruntime

    try:
        onnxruntime = import_onnxruntime()
    except ImportError as error:
        return f"no: {error}"
    providers = onnxruntime.get_available_providers()
    where = [name for name in ("CUDA", "CPU") if f"{name}ExecutionProvider" in providers]
    return f"yes, by ONNX Runtime on {' and '.join(where) or 'nothing that pixelfast uses'}"
