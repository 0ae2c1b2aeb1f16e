"""Masks of abnormal pixels, from the files that people keep them in."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from pixelfast import _core
from pixelfast.errors import ScoresError, first_line
from pixelfast.evaluation.matlab import as_masks, read_variables
from pixelfast.files.natural import natural_key, unpadded

WHITE: Final = 127
"""A pixel of a picture that is brighter is abnormal."""

_PUBLISHED: Final = "_label.mat"
_ENDINGS: Final = (_PUBLISHED, ".mat", ".npy")
_FOLDERS: Final = "_gt"
"""What UCSD's folders of masks end with, which lie beside the videos: Test001_gt."""

_PICTURES: Final = (".png", ".bmp")
_FORMS: Final = (
    "a folder VIDEO (or VIDEO_gt) of one .png or .bmp a frame, white where abnormal, or VIDEO.npy of [N, H, W], or "
    "VIDEO_label.mat"
)


class MaskFolder:
    """The masks of several videos: of each a folder of pictures, a `.npy`, or a `.mat` (`_label.mat` of Avenue).

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
        found = files_of(self.folder, video)
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
        masks = read_masks(path, frames)
        if len(masks) != frames:
            raise ScoresError(f"{path} has {len(masks):,} masks, but video {video} has {frames:,} frames")
        if abnormal and not masks.any():
            white = f": a pixel is abnormal above {WHITE}, as 255" if path.is_dir() else ""
            raise ScoresError(f"{path} has no abnormal pixel, but the labels have {abnormal:,} abnormal frames{white}")
        return masks


def files_of(folder: Path, video: str) -> list[Path]:
    """Returns where the masks, or labels, of a video lie, in natural order."""
    parent, _, name = video.rpartition("/")
    there = sorted((folder / parent).glob("[!.]*"), key=lambda path: natural_key(path.name))
    found = [path for path in there if (stem := video_of(path)) is not None and name in (stem, unpadded(stem))]
    # The video itself may lie beside its masks; a folder without a picture is named where there is nothing else.
    return [path for path in found if not path.is_dir() or _picture_files(path)] or found


def video_of(path: Path) -> str | None:
    """Returns the name of the video that a file or folder has masks of; None where it is something else."""
    if path.is_dir():
        return path.name.removesuffix(_FOLDERS)
    return next((path.name.removesuffix(ending) for ending in _ENDINGS if path.name.endswith(ending)), None)


def read_masks(path: Path, frames: int) -> NDArray[np.bool_]:
    """Reads the masks of a video bool[N,H,W] from a file or a folder; `frames` tells the axis of time of a volume.

    Raises:
        ScoresError: it cannot be read, or does not hold masks.
    """
    if path.is_dir():
        return _pictures(path)
    return _array(path) if path.suffix == ".npy" else _published(path, frames)


def _picture_files(folder: Path) -> list[Path]:
    files = (path for path in folder.glob("[!.]*") if path.suffix.lower() in _PICTURES)
    return sorted(files, key=lambda path: natural_key(path.name))


def _pictures(folder: Path) -> NDArray[np.bool_]:
    files = _picture_files(folder)
    if not files:
        raise ScoresError(f"{folder} holds no .png or .bmp: masks are one picture a frame, white where abnormal")
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


def _published(path: Path, frames: int) -> NDArray[np.bool_]:
    name = path.name.removesuffix(_PUBLISHED).removesuffix(".mat")
    otherwise = (
        f"; or turn it to {name}.npy where SciPy is: "
        f"np.save('{name}.npy', np.stack(list(scipy.io.loadmat('{path.name}')['volLabel'].flat)))"
    )
    return _loaded(path, lambda: _volume(read_variables(path, otherwise), frames))


def _volume(variables: dict[str, NDArray[Any]], frames: int) -> NDArray[Any]:
    """The masks [N, H, W] among the variables of a `.mat`: cells of pictures, or one volume; MATLAB keeps doubles."""
    if "volLabel" not in variables:
        volumes = [one for one in variables.values() if one.ndim == 3]
        if len(volumes) != 1:
            raise ValueError(f"'volLabel', or a volume [H, W, N], is not among {', '.join(variables) or 'nothing'}")
        return np.asarray(as_masks(volumes[0], frames) != 0)
    return np.asarray(np.stack([*variables["volLabel"].flat]) != 0)


def _loaded(path: Path, load: Callable[[], NDArray[Any]]) -> NDArray[np.bool_]:
    """What a file holds, where it is masks: whole numbers or truth values [N, H, W], not 0 where abnormal."""
    try:
        masks = load()
    except ScoresError:
        raise
    except Exception as error:  # SciPy's kinds of a damaged file have nothing in common
        raise ScoresError(f"{path} cannot be read as masks: {first_line(error)}; write it again") from error
    if masks.dtype.kind not in "bui" or masks.ndim != 3:
        raise ScoresError(f"{path} must hold whole numbers or truth values [N, H, W], not {masks.dtype} {masks.shape}")
    return np.asarray(masks != 0)
