"""Writes a further engine into a model's folder: what `pixelfast.export` does."""

from pathlib import Path

from pixelfast.errors import EngineError
from pixelfast.jobs.export_plan import export_plan
from pixelfast.methods.base import ExportRequest
from pixelfast.methods.registry import find_method
from pixelfast.model import Model
from pixelfast.model.names import PRECISIONS


def export_engine(model: Model, request: ExportRequest) -> Path:
    """Exports an engine; see `pixelfast.export`."""
    of_plans = request.compute_capability is not None or request.call_sizes is not None
    if of_plans and request.to != "plan":
        raise EngineError(
            f"a compute capability and call sizes are of TensorRT plans, not of {request.to}: say --to plan"
        )
    if request.to == "plan" and request.precision not in PRECISIONS["plan"]:
        raise EngineError(f"precision must be fp32, fp16 or bf16, not {request.precision!r}")
    if request.precision not in PRECISIONS.get(request.to, ()):
        known = "onnx in fp32, int8 or bf16, and plans in fp32, fp16 or bf16"
        raise EngineError(f"pixelfast exports {known}, not {request.to} in {request.precision}")
    exports = find_method(model.manifest.method).exports
    if exports is None:
        raise EngineError(f"{model.folder} holds a {model.manifest.method} model, which has its only engine")
    if request.to == "plan":
        return export_plan(model, request, exports.plans(model, request))
    return exports.onnx(model, request)
