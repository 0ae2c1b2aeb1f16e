"""Plans on a GPU, where this machine has one: built, run, closed and opened again."""

from pathlib import Path

import numpy as np
import pytest

from footage import walking_square
from pixelfast.errors import EngineError
from pixelfast.machine.measured import user_cache
from pixelfast.runtime.tensorrt.build import CallSizes, build_plan
from pixelfast.runtime.tensorrt.check import PlanOrigin, read_machine
from pixelfast.runtime.tensorrt.kernels import COMPILING
from pixelfast.runtime.tensorrt.package import FLAVOURS
from pixelfast.runtime.tensorrt.runner import open_plan
from tiny_engines import SIZE, WINDOW, window_errors, write_frame_engine

MACHINE = read_machine()
FRAMES = walking_square(120, seed=3, size=SIZE)

needs_a_gpu = pytest.mark.skipif(
    MACHINE.compute_capability is None, reason=f"plans run on an NVIDIA GPU with cuda-bindings: {MACHINE.gpu_missing}"
)


@needs_a_gpu
@pytest.mark.parametrize("flavour", FLAVOURS)
def test_a_plan_is_right_and_gives_the_same_bits_in_each_process(
    flavour: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    onnx, plan = write_frame_engine(tmp_path / "ae.onnx"), tmp_path / "ae.plan"
    try:
        facts = build_plan(
            onnx, plan, CallSizes(16, 24, 48), precision="fp32", compute_capability=None, flavour=flavour
        )
    except EngineError as error:
        pytest.skip(f"needs {flavour}, and a GPU that it builds for: {error}")
    found = []
    for _ in range(2):
        with open_plan(plan, PlanOrigin(facts, "ae.onnx", facts.onnx_sha256, "build it again")) as runner:
            found += [runner(FRAMES), runner(FRAMES)]
        with pytest.raises(EngineError, match="is closed"):
            runner(FRAMES)
    np.testing.assert_allclose(found[0], window_errors(FRAMES, range(len(FRAMES) - WINDOW + 1)), rtol=1e-4, atol=1e-7)
    for one in found[1:]:
        np.testing.assert_array_equal(one, found[0])
    kept = list((user_cache() / "kernels").glob("*.bin"))
    assert len(kept) == (flavour == COMPILING)
