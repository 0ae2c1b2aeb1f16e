"""A training of the motion method."""

from dataclasses import replace

from pixelfast.flow.footage import open_flows
from pixelfast.methods.motion.calibrating import calibrate_motion
from pixelfast.methods.motion.facts import MotionFacts
from pixelfast.methods.recipes import find_recipe
from pixelfast.methods.trained import TrainingJob, tell_calibration, trained_manifest
from pixelfast.model import Manifest


def train_motion_model(job: TrainingJob) -> Manifest:
    recipe = find_recipe(job.request.recipe).motion
    from pixelfast.methods.motion.training import train_motion

    flows = open_flows(
        job.cache,
        job.videos,
        job.workdir,
        job.request.flow,
        bridge_noisy=recipe.bridge_noisy,
        cores=job.cores,
        progress=job.request.progress,
    )
    report = train_motion(job.cache, flows, job.workdir, **job.settings())
    known = MotionFacts(job.request.flow.facts(), recipe.past, report.scale, recipe.bridge_noisy)
    tell_calibration(job.request, 0)
    calibrations = calibrate_motion(job.workdir / "motion.onnx", known, flows.held_out(), job.cores.count)
    tell_calibration(job.request, 1)
    return replace(trained_manifest(job, report, calibrations, recipe.past + 2), motion=known)
