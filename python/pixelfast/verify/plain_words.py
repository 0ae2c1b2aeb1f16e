"""The lines about the method's plain loop, beside the fastest engine and the whole run."""

from pathlib import Path
from typing import Final

from pixelfast.model import Model
from pixelfast.sources import open_source
from pixelfast.verify.made_up import files_of, first_frames
from pixelfast.verify.measuring import Trial
from pixelfast.verify.whole_run import WholeRun

_FRAMES: Final = 256
"""In memory."""

_NAMES: Final = {"torch": "PyTorch", "PIL": "Pillow"}


def plain_words(
    model: Model, source: Path, device: str, best: Trial, run: WholeRun, *, seconds: float
) -> list[tuple[str, str]]:
    """What the plain loop does on the same device, from memory and from files; or why it is not run.

    Args:
        model: of the reconstruction method.
        source: the footage.
        device: "cuda" or "cpu".
        best: the fastest engine.
        run: the whole run with it.
        seconds: how long each figure is measured, about.
    """
    manifest, weights = model.manifest, model.folder / "ae.safetensors"
    files = files_of(open_source(source))
    if weights.name not in manifest.files or len(files) < manifest.window:
        return [("plain loop", f"not run: it needs {weights.name} and a folder of frames")]
    try:
        from pixelfast.verify.plain_loop import PlainLoop
    except ModuleNotFoundError as error:
        return [("plain loop", f"not run: it needs {_NAMES.get(error.name or '', error.name)}")]
    except (ImportError, OSError) as error:
        return [("plain loop", f"not run: PyTorch or Pillow cannot be imported ({error})")]
    loop = PlainLoop(weights, device)
    frames = first_frames(source, _FRAMES, manifest.height, manifest.width, "grey")
    alone, whole = loop.windows_a_second(frames, seconds), loop.frames_a_second(files, seconds)
    where = f"PyTorch float32, one window at a time, {device}"
    return [
        ("plain loop", f"{alone:,.0f} frames/s ({where}): {best.best / alone:,.1f}x by the fastest engine"),
        ("from files", f"{whole:,.0f} frames/s by the plain loop: {run.rate / whole:,.1f}x by the whole score"),
    ]
