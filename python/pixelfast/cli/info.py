"""`pixelfast info`: what a model folder holds."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pixelfast.cli.console import facts, print_result, table
from pixelfast.cli.options import AsJson
from pixelfast.errors import ModelError
from pixelfast.options import USUAL_RATE

if TYPE_CHECKING:
    from pixelfast.model import Calibration, Flip, Model, PlanFacts, Training


def info(
    model: Annotated[Path, typer.Argument(metavar="MODEL", help="Model folder.", show_default=False)],
    as_json: AsJson = False,
) -> None:
    """Say what a model folder holds, and check its files.

    $ pixelfast info model/
    """
    from pixelfast.model import Model

    found = Model.load(model)
    print_result(json.dumps(found.manifest.plain(), indent=2) if as_json else describe_model(found))


def describe_model(model: "Model") -> str:
    """What was learnt from what, what the model can do, and its files."""
    manifest, mask = model.manifest, model.manifest.reading.mask
    rows = [
        ("model", str(model.folder)),
        ("method", f"{manifest.method}, recipe {manifest.recipe}"),
        *_method(model),
        ("trained on", _trained_on(manifest.training)),
        *([("mask", _mask(model.folder, mask))] if mask is not None else []),
        *([("rate", f"{manifest.rate:g} frames a second")] if manifest.rate is not None else []),
        ("outcome", outcome(model)),
        ("flips", _flips(manifest.flip)),
        *(("threshold", _threshold(one)) for one in manifest.calibrations),
        *(("plan", _plan(name, one)) for name, one in manifest.plans.items()),
        *(("note", note) for note in manifest.notes),
    ]
    files = [(name, f"{entry.bytes / 1e6:.1f} MB", entry.sha256[:12]) for name, entry in manifest.files.items()]
    return f"{facts(rows)}\n\n{table(('file', 'size', 'sha256'), files)}"


def outcome(model: "Model") -> str:
    """Says how well the method of a model learnt, measured on held-out frames."""
    from pixelfast.methods.registry import find_method

    training = model.manifest.training
    return "not measured" if training is None else find_method(model.manifest.method).outcome(training.report)


def _trained_on(training: "Training | None") -> str:
    if training is None:
        return "weights from elsewhere"
    return f"{training.frames:,} frames of {training.videos:,} videos ({', '.join(training.sources)})"


def _method(model: "Model") -> list[tuple[str, str]]:
    from pixelfast.methods.registry import find_method

    describe = find_method(model.manifest.method).describe
    try:
        return describe(model.manifest)
    except (LookupError, TypeError, AttributeError, ValueError, ArithmeticError) as error:
        raise ModelError(
            f"{model.folder} is damaged: what it says of the method {model.manifest.method} does not fit "
            f"({type(error).__name__}); copy the model again"
        ) from error


def _mask(folder: "Path", mask: str) -> str:
    from pixelfast.sources.masking import covered

    try:
        return f"{covered(mask):.0%} of the picture count in no method"
    except ValueError as error:
        raise ModelError(f"{folder} is damaged: its mask is no picture; copy the model again") from error


def _flips(flip: "Flip | None") -> str:
    if flip is None:
        return "no flip classifier: frames are taken as they are"
    known = flip.held_out_accuracy is not None
    accuracy = f"{flip.held_out_accuracy:.2%} right on held-out frames" if known else "unknown accuracy"
    return f"{accuracy}, {'upside-down frames are turned' if flip.trusted else 'not trusted: no frame is turned'}"


def _threshold(one: "Calibration") -> str:
    often = "" if one.events is None else f" ({one.events.said(USUAL_RATE)})"
    return f"raw {one.threshold:.6g}{often} with {one.engine}, stride {one.stride}, how {one.how}, pool {one.pool}"


def _plan(name: str, one: "PlanFacts") -> str:
    target = "an unknown GPU" if one.compute_capability is None else f"compute capability {one.compute_capability}"
    target = target if one.gpu is None else f"{one.gpu} alone"
    return f"{name}: {one.precision}, {one.least} to {one.most} a call, for {target}, by {one.flavour} {one.version}"
