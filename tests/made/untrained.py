"""A reconstruction model of random weights that says which footage it was trained on."""

from pathlib import Path

import torch

from footage import walking_square
from frame_files import write_video
from pixelfast.methods.reconstruction.export import write_autoencoder
from pixelfast.methods.reconstruction.network import TemporalAutoencoder, save_autoencoder
from pixelfast.methods.trained import CACHE_DIGEST
from pixelfast.model import Manifest, Model, Training
from pixelfast.sources import open_source
from pixelfast.training.cache import FrameCache


def write_untrained(folder: Path, frames: int, channels: int) -> Model:
    """Writes `normal/01` and `02` of so many frames each, and a model of them as `model`."""
    for number in (1, 2):
        write_video(folder / "normal" / f"{number:02d}", walking_square(frames, number))
    cache = FrameCache.build(open_source(folder / "normal"), folder / "frames.u8", threads=1)
    torch.manual_seed(0)
    network, work = TemporalAutoencoder(channels).eval(), folder / "work"
    work.mkdir()
    save_autoencoder(network, work / "ae.safetensors", recipe="default", trained_with={})
    write_autoencoder(network, work / "ae.onnx", threads=1)
    training = Training((str(folder / "normal"),), 2, 2 * frames, {CACHE_DIGEST: cache.digest})
    manifest = Manifest("reconstruction", "default", 16, 128, 128, 8, training=training)
    return Model.write(work, folder / "model", manifest)
