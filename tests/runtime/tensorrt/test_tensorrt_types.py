"""The interface of TensorRT that the runner uses, against the types of the packages themselves.

The packages bring no stubs; mypy's stubgen makes them from the signatures in their modules. TensorRT's own libraries
take gigabytes, and signatures do not need them: where they are missing, empty ones are compiled in their place.
"""

import os
import re
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

from pixelfast.runtime.tensorrt.package import FLAVOURS

CHECK = """
from {package}_bindings import {package} as trt
from pixelfast.runtime.tensorrt.package import Context, Engine, Runtime


def check(
    runtime: trt.Runtime, engine: trt.ICudaEngine, context: trt.IExecutionContext, config: trt.IBuilderConfig
) -> None:
    one: Runtime = runtime
    two: Engine = engine
    three: Context = context
    trt.TensorIOMode.INPUT
    trt.BuilderFlag.TF32
    config.hardware_compatibility_level = trt.HardwareCompatibilityLevel.SAME_COMPUTE_CAPABILITY
    trt.TensorLocation.DEVICE, trt.TensorFormat.LINEAR
"""

COMPILING = """
from tensorrt_rtx_bindings import tensorrt_rtx as trt
from pixelfast.runtime.tensorrt.package import Context
from pixelfast.runtime.tensorrt.kernels import CompilingEngine, RuntimeCache, RuntimeConfig


def check(engine: trt.ICudaEngine, config: trt.IRuntimeConfig, cache: trt.IRuntimeCache) -> None:
    one: RuntimeCache = cache
    two: RuntimeConfig = config
    three: CompilingEngine = engine
    config.dynamic_shapes_kernel_specialization_strategy = trt.DynamicShapesKernelSpecializationStrategy.EAGER
    config = engine.create_runtime_config()
    taken: bool = config.set_runtime_cache(config.create_runtime_cache())
    context: Context = engine.create_execution_context(config)
"""


def write_stand_ins(package: str, folder: Path) -> Path:
    """A folder of libraries that have the functions which the package's bindings want to find, and do nothing."""
    spec = find_spec(f"{package}_bindings")
    assert spec is not None
    assert spec.origin is not None
    content = (Path(spec.origin).parent / f"{package}.so").read_bytes()
    names = set(re.findall(rb"\0(create\w+_INTERNAL|get\w+(?:Registry|Version)|initLib\w+)(?=\0)", content))
    source, libraries = folder / "empty.c", folder / "libraries"
    source.write_text("".join(f"void *{name.decode()}(void) {{ return 0; }}\n" for name in sorted(names)))
    libraries.mkdir()
    for name in set(re.findall(rb"\0(libnv\w+\.so\.\d+)(?=\0)", content)):
        library = libraries / name.decode()
        subprocess.run(["cc", "-shared", "-fPIC", "-o", library, source, f"-Wl,-soname,{library.name}"], check=True)
    return libraries


def write_stubs(package: str, folder: Path) -> None:
    stubgen = "import sys; from mypy.stubgen import main; main(sys.argv[1:])"
    environment = dict(os.environ)
    if find_spec(f"{package}_libs") is None:
        environment["LD_LIBRARY_PATH"] = str(write_stand_ins(package, folder))
    command = [sys.executable, "-c", stubgen, "-q", "-p", f"{package}_bindings", "-o", str(folder)]
    subprocess.run(command, check=True, env=environment)
    path = folder / f"{package}_bindings" / f"{package}.pyi"
    text = re.sub(r"\bbool\b(?!:)", "builtins.bool", path.read_text())  # a DataType there is called bool, too
    lines = [line for line in text.splitlines() if not re.search(r"= \.\.\., \w+: [^=]*\) ->", line)]
    path.write_text("import builtins\n" + "\n".join(lines))


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What mypy knows of NumPy and of our package serves both of the packages."""
    return tmp_path_factory.mktemp("mypy")


def complaints(text: str, folder: Path, cache: Path) -> list[str]:
    (folder / "check.py").write_text(text)
    command = [sys.executable, "-m", "mypy", "--follow-imports=silent", "--cache-dir", str(cache), "check.py"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert "[syntax]" not in done.stdout, done.stdout
    return [line for line in done.stdout.splitlines() if line.startswith("check.py:") and ": error:" in line]


@pytest.mark.parametrize("package", FLAVOURS)
def test_the_package_has_what_the_runner_uses(package: str, tmp_path: Path, cache: Path) -> None:
    if find_spec(f"{package}_bindings") is None:
        pytest.skip(f"needs {package}: pip install '.[{FLAVOURS[package]}]'")
    write_stubs(package, tmp_path)
    text = CHECK.format(package=package)
    assert complaints(text, tmp_path, cache) == []
    assert complaints(text.replace("one: Runtime = runtime", "one: Runtime = engine"), tmp_path, cache)
    assert complaints(text.replace("BuilderFlag.TF32", "BuilderFlag.NONSENSE"), tmp_path, cache)
    assert complaints(text.replace("= trt.HardwareCompatibilityLevel.SAME_COMPUTE", "= 2  #"), tmp_path, cache)


def test_tensorrt_for_rtx_has_what_keeps_its_kernels(tmp_path: Path, cache: Path) -> None:
    if find_spec("tensorrt_rtx_bindings") is None:
        pytest.skip("needs TensorRT for RTX: pip install '.[tensorrt-rtx]'")
    write_stubs("tensorrt_rtx", tmp_path)
    assert complaints(COMPILING, tmp_path, cache) == []
    for right, wrong in [
        ("one: RuntimeCache = cache", "one: RuntimeCache = config"),
        ("two: RuntimeConfig = config", "two: RuntimeConfig = cache"),
        ("three: CompilingEngine = engine", "three: CompilingEngine = config"),
        ("Strategy.EAGER", "Strategy.HASTY"),
        ("= trt.DynamicShapes", "= 2  # "),
        ("create_execution_context(config)", "create_execution_context(engine)"),
        ("create_runtime_cache()", "make_runtime_cache()"),
        ("create_runtime_config()", "make_runtime_config()"),
        ("set_runtime_cache(", "put_runtime_cache("),
    ]:
        assert complaints(COMPILING.replace(right, wrong), tmp_path, cache), wrong
