"""The density method: how each cell of the picture moves and looks, against what normal footage showed (DENSITY)."""

from collections.abc import Mapping
from typing import Any, Final

from pixelfast.methods.base import GlobalPass, MethodSpec, TrainingOption, later
from pixelfast.methods.density.recipe import RECIPES
from pixelfast.model import Manifest

STREAMS: Final = ("speed", "direction", "look", "place")
BLOCKS: Final = 30
"""Blocks along the longer side of the picture; a cell is 2x2 of them, a step of one apart."""


def block_side(height: int, width: int) -> float:
    """Returns the side of a block in pixels of a working image of this size."""
    return max(height, width) / BLOCKS


def _outcome(report: Mapping[str, Any]) -> str:
    return str(report.get("outcome", "not measured"))


def _describe(manifest: Manifest) -> list[tuple[str, str]]:
    own = manifest.own
    how = "with those before them alone" if own["times"]["live"] else "with those before and after"
    slower = block_side(own["height"], own["width"]) / own["speed"]
    return [
        ("frames", f"flow by DIS on {own['width']}x{own['height']} pixels, smoothed {how}; noisy frames are bridged"),
        ("usual", f"{own['speed']:.2f} pixels a frame, so that a block is crossed in {slower:.0f} frames"),
    ]


METHOD = MethodSpec(
    name="density",
    says="how each place moves and looks",
    reacts="reacts to speed, direction, looks and things left or gone, says where and why, leaps over damaged frames",
    stem="density",
    global_pass=GlobalPass(smooth=1, percentile=None, smooth_first=True, blind_to_still=True),
    submission="score",
    raw=later("pixelfast.methods.density.scoring:raw"),
    recipes=RECIPES,
    open=later("pixelfast.methods.density.scoring:open_density"),
    train=later("pixelfast.methods.density.training:train_density"),
    errors_of=later("pixelfast.methods.density.scoring:errors_of"),
    outcome=_outcome,
    describe=_describe,
    bridges=lambda _: True,
    check=later("pixelfast.methods.density.scoring:check"),
    options=(
        TrainingOption(
            "live",
            bool,
            "Smooth each frame with those before it alone: no delay, for 0.02 (Ped2) to 0.04 (Avenue) of AUROC.",
            default=False,
        ),
    ),
    kind="safetensors",
    pools=("mean",),
    steps=False,
    streams=STREAMS,
    teach=later("pixelfast.methods.density.teaching:teach"),
)
