"""The reconstruction method: frames that are hardest to reconstruct get the highest scores (METHOD).

A temporal autoencoder learns cuboids of 16 grey frames; its errors over overlapping windows are aggregated to frames.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pixelfast.geometry import SOURCE_CHANNELS
from pixelfast.machine.imports import require_training, training_extra
from pixelfast.methods.base import (
    ConvertRequest,
    ErrorsOf,
    ExportRequest,
    Exports,
    GlobalPass,
    Maps,
    Method,
    MethodSpec,
    Opening,
    PlanSource,
    SourceWeights,
    TrainingOption,
)
from pixelfast.methods.reconstruction.recipe import RECIPES, resized
from pixelfast.methods.reconstruction.report import outcome
from pixelfast.methods.trained import Trained, TrainingJob
from pixelfast.model import Manifest, Model
from pixelfast.options import Pool
from pixelfast.runtime.trial import EngineKind


def _open(opening: Opening) -> Method:
    from pixelfast.methods.reconstruction.opening import open_reconstruction

    return open_reconstruction(opening)


def _train(job: TrainingJob) -> Trained:
    with training_extra():
        from pixelfast.methods.reconstruction.training import train_reconstruction
    return train_reconstruction(job)


def _errors_of(engine: Path, own: Mapping[str, Any], stride: int, threads: int) -> ErrorsOf:
    from pixelfast.methods.reconstruction.scoring import errors_of

    return errors_of(engine, own, stride, threads)


def _raw(maps: Maps, pool: Pool) -> NDArray[np.float32]:
    from pixelfast.methods.reconstruction.scoring import raw

    return raw(maps, pool)


def _export_onnx(model: Model, request: ExportRequest) -> Path:
    from pixelfast.methods.reconstruction.exporting import export_onnx

    return export_onnx(model, request)


def _plan_sources(model: Model, request: ExportRequest) -> list[PlanSource]:
    from pixelfast.methods.reconstruction.exporting import plan_sources

    return plan_sources(model, request)


def _convert(path: Path, state: Mapping[str, Any], workdir: Path, request: ConvertRequest) -> Trained:
    from pixelfast.methods.reconstruction.convert import convert_autoencoder

    return convert_autoencoder(path, state, workdir, request)


def _describe(manifest: Manifest) -> list[tuple[str, str]]:
    rows = [("frames", f"grey {manifest.width}x{manifest.height}, {manifest.window} a window")]
    report = {} if manifest.training is None else manifest.training.report
    channels = report.get("channels", report.get("width"))  # as older models call it
    if isinstance(channels, int):
        sizes = "-".join(str(channels << step) for step in range(4))
        rows.append(("network", f"autoencoder of {sizes} channels (width {channels / SOURCE_CHANNELS:g})"))
    return rows


def _engines(_: Manifest) -> list[EngineKind]:
    from pixelfast.methods.reconstruction.kind import AE

    return [AE]


METHOD = MethodSpec(
    name="reconstruction",
    says="how frames look",
    reacts="reacts to whatever looks unlike the training footage: a thing in a strange place, damaged files, noise",
    stem="ae",
    global_pass=GlobalPass(smooth=3, percentile=99.99, smooth_first=False),
    submission="rank",
    raw=_raw,
    recipes=RECIPES,
    open=_open,
    train=_train,
    errors_of=_errors_of,
    outcome=outcome,
    describe=_describe,
    engines=_engines,
    options=(
        TrainingOption(
            "width_share",
            float,
            "Channels of the autoencoder, of the source's 64 to 512: half of them is a quarter of the work.",
            metavar="SHARE",
            usual="the recipe's own: default 0.5, source 1",
            also="width",
        ),
    ),
    prepare=lambda recipe, options: resized(recipe, options["width_share"]),
    needs=require_training,
    exports=Exports(_export_onnx, _plan_sources),
    source_weights=SourceWeights("autoencoder", "encoder.0.weight", "decoder.6.bias", _convert),
    contested=True,
)
