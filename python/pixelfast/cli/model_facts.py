"""A model folder in words."""

from typing import TYPE_CHECKING

from pixelfast.geometry import SOURCE_WIDTH

if TYPE_CHECKING:
    from pixelfast.model import Calibration, Flip, Manifest, Model, PlanFacts, Training


def describe(model: "Model") -> str:
    """What was learnt from what, what the model can do, and its files."""
    from pixelfast.cli.console import facts, table

    manifest = model.manifest
    rows = [
        ("model", str(model.folder)),
        ("method", f"{manifest.method}, recipe {manifest.recipe}"),
        ("frames", _frames(manifest)),
        *(("network", one) for one in _network(manifest.training)),
        ("trained on", _trained_on(manifest.training)),
        ("outcome", outcome(manifest.training)),
        ("flips", _flips(manifest.flip)),
        *(("threshold", _threshold(one)) for one in manifest.calibrations),
        *(("plan", _plan(name, one)) for name, one in manifest.plans.items()),
        *(("note", note) for note in manifest.notes),
    ]  # fmt: skip
    files = [(name, f"{entry.bytes / 1e6:.1f} MB", entry.sha256[:12]) for name, entry in manifest.files.items()]
    return f"{facts(rows)}\n\n{table(('file', 'size', 'sha256'), files)}"


def _trained_on(training: "Training | None") -> str:
    if training is None:
        return "weights from elsewhere"
    return f"{training.frames:,} frames of {training.videos:,} videos ({', '.join(training.sources)})"


def _frames(manifest: "Manifest") -> str:
    if manifest.motion is None:
        return f"grey {manifest.width}x{manifest.height}, {manifest.window} a window"
    flow, noisy = manifest.motion.flow, "bridged" if manifest.motion.bridge_noisy else "taken as they are"
    name = "RAFT-Large" if flow.kind == "raft" else f"DIS {flow.preset}, shorter side at most {flow.shorter_side}"
    return f"flow by {name}, predicted from the {manifest.motion.past} before; noisy frames are {noisy}"


def _network(training: "Training | None") -> list[str]:
    """The autoencoder's channels, where the training says them."""
    channels = None if training is None else training.report.get("width")
    if not isinstance(channels, int):
        return []
    all_channels = "-".join(str(channels << step) for step in range(4))
    return [f"autoencoder of {all_channels} channels (width {channels / SOURCE_WIDTH:g})"]


def outcome(training: "Training | None") -> str:
    """How well the network learnt, measured on held-out frames."""
    if training is not None and "persistence_loss" in training.report:
        names = ("held_out_loss", "persistence_loss", "mean_flow_loss", "zero_loss")
        own, persistence, mean, zero = (training.report[name] for name in names)
        return (
            f"error of the predicted flow {own:.3f} on held-out frames; {persistence:.3f} for the flow before, "
            f"{mean:.3f} for the mean flow, {zero:.3f} for none"
        )
    share = None if training is None else training.report.get("beats_mean_image_by")
    if not isinstance(share, int | float):
        return "not measured"
    side = "below" if share >= 0 else "ABOVE"
    return f"its error on held-out frames is {abs(share):.0%} {side} that of the mean image"


def _flips(flip: "Flip | None") -> str:
    if flip is None:
        return "no flip classifier: frames are taken as they are"
    known = flip.held_out_accuracy is not None
    accuracy = f"{flip.held_out_accuracy:.2%} right on held-out frames" if known else "unknown accuracy"
    return f"{accuracy}, {'upside-down frames are turned' if flip.trusted else 'not trusted: no frame is turned'}"


def _threshold(one: "Calibration") -> str:
    return f"raw {one.threshold:.6g} with {one.engine}, stride {one.stride}, how {one.how}, pool {one.pool}"


def _plan(name: str, one: "PlanFacts") -> str:
    target = "an unknown GPU" if one.compute_capability is None else f"compute capability {one.compute_capability}"
    return f"{name}: {one.precision}, {one.least} to {one.most} a call, for {target}, by {one.flavour} {one.version}"
