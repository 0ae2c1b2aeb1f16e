"""The density method: how each cell of the picture moves and looks, against what normal footage showed (DENSITY)."""

from collections.abc import Mapping
from typing import Any, Final

from pixelfast.flip import recipe as flip
from pixelfast.methods.base import GlobalPass, MethodSpec, TrainingOption, later
from pixelfast.methods.trained import Recipe
from pixelfast.model import Manifest

STREAMS: Final = ("speed", "direction", "look", "place")


def _outcome(report: Mapping[str, Any]) -> str:
    return str(report.get("outcome", "not measured"))


def _describe(manifest: Manifest) -> list[tuple[str, str]]:
    own = manifest.own
    speakers = ("speed", "direction and look", "place")
    turned = ", ".join(f"{name} by {value:.2f}" for name, value in zip(speakers, own["turned"], strict=True))
    how = "as they come, without delay" if own["live"] else "with those before and after"
    return [
        ("frames", f"flow by DIS on {own['width']}x{own['height']} pixels, smoothed {how}; noisy frames are bridged"),
        ("usual", f"{own['speed']:.2f} pixels a frame; turned down: {turned}"),
    ]


METHOD = MethodSpec(
    name="density",
    says="how each place moves and looks",
    reacts="reacts to speed, direction, looks and things left or gone, says where and why, leaps over damaged frames",
    stem="density",
    global_pass=GlobalPass(smooth=1, percentile=None, smooth_first=True, blind_to_still=True),
    submission="score",
    raw=later("pixelfast.methods.density.scoring:raw"),
    recipes={"default": Recipe("default", None, flip.DEFAULT)},
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
)
