"""The reconstruction method: frames that are hardest to reconstruct get the highest scores (METHOD).

A temporal autoencoder learns cuboids of 16 grey frames; its errors over overlapping windows are aggregated to frames.
"""

from collections.abc import Mapping
from typing import Any

from pixelfast.geometry import SOURCE_CHANNELS
from pixelfast.machine.imports import require_training
from pixelfast.methods.base import GlobalPass, MethodSpec, TrainingOption, later
from pixelfast.methods.exports import Exports, SourceWeights
from pixelfast.methods.reconstruction.recipe import RECIPES, resized, window_bytes
from pixelfast.model import Manifest
from pixelfast.runtime.trial import EngineKind


def _outcome(report: Mapping[str, Any]) -> str:
    share = report.get("beats_mean_image_by")
    if not isinstance(share, int | float):
        return "not measured"
    side = "below" if share >= 0 else "ABOVE"
    return f"its error on held-out frames is {abs(share):.0%} {side} that of the mean image"


def channels_of(manifest: Manifest) -> int | None:
    """Returns the channels after the autoencoder's first convolution; None where the manifest does not say."""
    report = {} if manifest.training is None else manifest.training.report
    channels = report.get("channels", report.get("width"))  # as older models call it
    return channels if isinstance(channels, int) else None


def _describe(manifest: Manifest) -> list[tuple[str, str]]:
    rows = [("frames", f"grey {manifest.width}x{manifest.height}, {manifest.window} a window")]
    channels = channels_of(manifest)
    if channels is not None:
        sizes = "-".join(str(channels << step) for step in range(4))
        rows.append(("network", f"autoencoder of {sizes} channels (width {channels / SOURCE_CHANNELS:g})"))
    return rows


def _engines(_: Manifest) -> list[EngineKind]:
    from pixelfast.methods.reconstruction.engine import AE

    return [AE]


METHOD = MethodSpec(
    name="reconstruction",
    says="how frames look",
    reacts="reacts to whatever looks unlike the training footage: a thing in a strange place, damaged files, noise",
    stem="ae",
    global_pass=GlobalPass(smooth=3, percentile=99.99, smooth_first=False),
    submission="rank",
    raw=later("pixelfast.methods.reconstruction.scoring:raw"),
    recipes=RECIPES,
    open=later("pixelfast.methods.reconstruction.scoring:open_reconstruction"),
    train=later("pixelfast.methods.reconstruction.training:train_reconstruction"),
    errors_of=later("pixelfast.methods.reconstruction.scoring:errors_of"),
    held_out=later("pixelfast.methods.reconstruction.scoring:held_out"),
    outcome=_outcome,
    describe=_describe,
    engines=_engines,
    check=later("pixelfast.methods.reconstruction.scoring:check"),
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
    batch_bytes=lambda recipe: window_bytes(recipe.own),
    needs=require_training,
    exports=Exports(
        later("pixelfast.methods.reconstruction.exporting:export_onnx"),
        later("pixelfast.methods.reconstruction.exporting:plan_sources"),
        after_training="int8",
    ),
    source_weights=SourceWeights(
        "autoencoder",
        "encoder.0.weight",
        "decoder.6.bias",
        later("pixelfast.methods.reconstruction.training:convert_autoencoder"),
    ),
    contested=True,
    overlap=later("pixelfast.methods.reconstruction.scoring:overlap"),
)
