"""Masks of abnormal pixels, from the files that people keep them in."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from pixelfast import _core
from pixelfast.errors import ScoresError, first_line
from pixelfast.files.natural import natural_key, unpadded

WHITE: Final = 127
"""A pixel of a picture that is brighter is abnormal."""

_PUBLISHED: Final = "_label.mat"
_FORMS: Final = "a folder VIDEO of one PNG a frame, white where abnormal, or VIDEO.npy of [N, H, W], or VIDEO_label.mat"


class MaskFolder:
    """The masks of several videos: of each a folder of pictures, a `.npy`, or a `_label.mat` as Avenue publishes it.

    Args:
        folder: where they lie; a video below folders has its masks below the same folders.

    Raises:
        ScoresError: there is no such folder.
    """

    def __init__(self, folder: Path) -> None:
        if not folder.is_dir():
            what = "is no folder" if folder.exists() else "does not exist"
            raise ScoresError(f"{folder} {what}: give the folder of the masks, of each video {_FORMS}")
        self.folder = folder

    def read(self, video: str, frames: int, abnormal: int) -> NDArray[np.bool_] | None:
        """Reads the masks of a video: bool[N,H,W], true where abnormal; None where it has none and needs none.

        Args:
            video: its name, a number without leading zeros.
            frames: how many it has.
            abnormal: how many of them are labelled abnormal: without any, masks may be missing.

        Raises:
            ScoresError: masks are missing, there twice, for another number of frames or without an abnormal pixel, or a
                file cannot be read.
        """
        found = self._of(video)
        if len(found) > 1:
            raise ScoresError(f"{found[0]} and {found[1].name} are masks of one video: remove one of them")
        if not found:
            if not abnormal:
                return None
            raise ScoresError(
                f"{self.folder} has no masks of video {video}, of which {abnormal:,} frames are labelled abnormal: "
                f"add {_FORMS}"
            )
        (path,) = found
        read = _pictures if path.is_dir() else _published if path.name.endswith(_PUBLISHED) else _array
        masks = read(path)
        if len(masks) != frames:
            raise ScoresError(f"{path} has {len(masks):,} masks, but video {video} has {frames:,} frames")
        if abnormal and not masks.any():
            white = f": a pixel is abnormal above {WHITE}, as 255" if path.is_dir() else ""
            raise ScoresError(f"{path} has no abnormal pixel, but the labels have {abnormal:,} abnormal frames{white}")
        return masks

    def _of(self, video: str) -> list[Path]:
        """Where a video's masks lie, in natural order."""
        parent, _, name = video.rpartition("/")
        there = sorted((self.folder / parent).glob("[!.]*"), key=lambda path: natural_key(path.name))
        return [path for path in there if (stem := _stem(path)) is not None and name in (stem, unpadded(stem))]


def _stem(path: Path) -> str | None:
    """The name of the video that a file or folder has masks of; None where it is something else."""
    if path.is_dir():
        return path.name
    endings = (ending for ending in (_PUBLISHED, ".npy") if path.name.endswith(ending))
    return next((path.name.removesuffix(ending) for ending in endings), None)


def _pictures(folder: Path) -> NDArray[np.bool_]:
    files = sorted(folder.glob("[!.]*.png"), key=lambda path: natural_key(path.name))
    if not files:
        raise ScoresError(f"{folder} holds no .png: masks are one PNG a frame, white where abnormal")
    try:
        frames, status = _core.decode_frames(files)
    except ValueError as error:
        raise ScoresError(f"{folder} cannot be read as masks of one size: {first_line(error)}") from error
    for file, fault in zip(files, status, strict=True):
        if fault:
            raise ScoresError(f"{file} {_core.explain_frame(file)}: a mask cannot be repaired, write it again")
    return frames > WHITE


def _array(path: Path) -> NDArray[np.bool_]:
    return _loaded(path, lambda: np.load(path, mmap_mode="r", allow_pickle=False))


def _published(path: Path) -> NDArray[np.bool_]:
    try:
        from scipy.io import loadmat
    except ImportError as error:
        name = path.name.removesuffix(_PUBLISHED)
        raise ScoresError(
            f"{path} is read by SciPy: pip install scipy; or turn it to {name}.npy where SciPy is: "
            f"np.save('{name}.npy', np.stack(list(scipy.io.loadmat('{path.name}')['volLabel'].flat)))"
        ) from error
    return _loaded(path, lambda: np.stack(list(loadmat(path)["volLabel"].flat)))


def _loaded(path: Path, load: Callable[[], NDArray[Any]]) -> NDArray[np.bool_]:
    """What a file holds, where it is masks: whole numbers or truth values [N, H, W], not 0 where abnormal."""
    try:
        masks = load()
    except Exception as error:  # SciPy's kinds of a damaged file have nothing in common
        raise ScoresError(f"{path} cannot be read as masks: {first_line(error)}; write it again") from error
    if masks.dtype.kind not in "bui" or masks.ndim != 3:
        raise ScoresError(f"{path} must hold whole numbers or truth values [N, H, W], not {masks.dtype} {masks.shape}")
    return np.asarray(masks != 0)
