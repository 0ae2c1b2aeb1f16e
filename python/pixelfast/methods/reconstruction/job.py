"""A training of the reconstruction method."""

from pixelfast.geometry import WINDOW
from pixelfast.methods.reconstruction.calibrating import calibrate
from pixelfast.methods.trained import TrainingJob, tell_calibration, trained_manifest
from pixelfast.model import Manifest


def train_reconstruction_model(job: TrainingJob) -> Manifest:
    from pixelfast.methods.reconstruction.training import train_reconstruction

    report = train_reconstruction(job.cache, job.workdir, **job.settings())
    tell_calibration(job.request, 0)
    calibrations = calibrate(job.workdir / "ae.onnx", job.cache.held_out(), 1, job.cores.count)
    tell_calibration(job.request, 1)
    return trained_manifest(job, report, calibrations, WINDOW)
