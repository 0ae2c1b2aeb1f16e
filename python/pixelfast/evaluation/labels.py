"""Labels of frames, 0 for normal and 1 (or True, or 255) for abnormal, from the files people keep them in."""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pixelfast.errors import ScoresError, first_line
from pixelfast.evaluation.frames import FrameTable, read_csv
from pixelfast.evaluation.masks import files_of, read_masks, video_of
from pixelfast.evaluation.matlab import read_matlab
from pixelfast.files.natural import natural_key

_SHOWN = 3
_FORMS = (
    "give a CSV with the columns Id and Label; one .npy, .mat or UCSD's .m over all videos; or a folder with "
    "VIDEO.npy, VIDEO.mat or the masks VIDEO/*.png for each video"
)


def read_labels(path: Path, frames: FrameTable) -> NDArray[np.bool_]:
    """Reads the labels of the frames that were scored, row by row: bool[N], true for abnormal.

    Raises:
        ScoresError: the file cannot be read, a label is none of these, or the labels are not those of these frames.
    """
    if path.is_dir():
        return _from_folder(path, frames)
    if not path.exists():
        raise ScoresError(f"there are no labels at {path}: {_FORMS}")
    suffix = path.suffix.lower()
    if suffix == ".csv":
        return _from_csv(path, frames)
    if suffix == ".npy":
        labels = _read_array(path)
        _check_length(path, labels, len(frames), "the scores")
        return labels
    if suffix in (".mat", ".m"):
        rows = [frames.rows(index) for index in range(len(frames.videos))]
        return read_matlab(path, {name: one.stop - one.start for name, one in zip(frames.videos, rows, strict=True)})
    raise ScoresError(f"{path} is in none of the forms that labels come in: {_FORMS}")


def _from_csv(path: Path, frames: FrameTable) -> NDArray[np.bool_]:
    labels, rows = read_csv(path, "Label"), frames.by_number()
    same = labels.videos == frames.videos and np.array_equal(labels.video, frames.video)
    if not same or not np.array_equal(labels.frame, frames.frame[rows]):
        raise ScoresError(_difference(path, labels, frames))
    truth = np.empty(len(rows), np.bool_)
    truth[rows] = _zero_or_one(labels.values, path)
    return truth


def _difference(path: Path, labels: FrameTable, frames: FrameTable) -> str:
    """What the scores have and the labels lack, or the other way round."""
    labelled, scored = (dict.fromkeys(map(table.name, range(len(table)))) for table in (labels, frames))
    unlabelled = [name for name in scored if name not in labelled]
    if unlabelled:
        return f"{path} has no label for {_some(unlabelled)} of the {len(scored):,} frames that were scored"
    unknown = [name for name in labelled if name not in scored]
    return (
        f"{path} has labels for {_some(unknown)} of its {len(labelled):,} frames that were never scored: "
        "score all of the footage, or take their rows out"
    )


def _some(names: list[str]) -> str:
    shown = ", ".join(names[:_SHOWN])
    return f"{len(names):,} ({shown}{', …' if len(names) > _SHOWN else ''})"


def _from_folder(folder: Path, frames: FrameTable) -> NDArray[np.bool_]:
    found = {video: files_of(folder, video) for video in frames.videos}
    others = [path for path in sorted(folder.glob("[!.]*"), key=lambda path: natural_key(path.name)) if _labels(path)]
    if not others and not any(found.values()):
        raise ScoresError(f"{folder} holds no .npy file, .mat file or folder of masks: {_FORMS}")
    for paths in found.values():
        if len(paths) > 1:
            raise ScoresError(f"{paths[0]} and {paths[1].name} are labels of one video: remove one of them")
    missing = [video for video, paths in found.items() if not paths]
    if missing:
        raise ScoresError(f"{folder} has no labels for {_some(missing)} of the {len(frames.videos):,} videos scored")
    unknown = [path.name for path in others if [path] not in found.values()]
    if unknown:
        raise ScoresError(f"{folder} has labels of {_some(unknown)} videos that were never scored: move them away")
    parts = []
    for index, video in enumerate(frames.videos):
        (path,), rows = found[video], frames.rows(index)
        labels = _of_video(path, video, rows.stop - rows.start)
        _check_length(path, labels, rows.stop - rows.start, f"video {video}")
        parts.append(labels)
    return np.concatenate(parts)


def _labels(path: Path) -> bool:
    """Whether something in a folder of labels is of a video; folders of videos below may lie there, too."""
    return video_of(path) is not None and not path.is_dir()


def _of_video(path: Path, video: str, frames: int) -> NDArray[np.bool_]:
    """The labels of a video: of masks, a frame is abnormal where any pixel is."""
    if path.suffix.lower() == ".mat" and path.is_file():
        return read_matlab(path, {video: frames})
    if path.is_dir() or _opened(path).ndim == 3:
        return np.asarray(read_masks(path, frames).any(axis=(1, 2)))
    return _read_array(path)


def _read_array(path: Path) -> NDArray[np.bool_]:
    array = _opened(path)
    if array.ndim != 1 and array.size != max(array.shape, default=0):
        raise ScoresError(f"{path} must hold one label a frame, not an array {list(array.shape)}")
    return _zero_or_one(array.reshape(-1), path)


def _opened(path: Path) -> NDArray[Any]:
    try:
        with np.errstate(over="ignore"):
            # Mapped, so that a header that promises more than the file holds is refused before memory is asked for.
            array = np.load(path, mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError, EOFError, OverflowError) as error:
        why = "it is shorter than its header says" if "mmap length" in str(error) else first_line(error)
        raise ScoresError(f"{path} cannot be read as a NumPy array: {why}; save it again") from error
    if not isinstance(array, np.ndarray) or array.dtype.kind not in "buif":
        raise ScoresError(f"{path} must hold numbers, one label a frame")
    return array


def _zero_or_one(values: NDArray[Any], path: Path) -> NDArray[np.bool_]:
    abnormal = 255 if np.any(values == 255) and not np.any(values == 1) else 1  # 255 as in masks
    wrong = np.flatnonzero(~((values == 0) | (values == abnormal)))
    if len(wrong):
        raise ScoresError(
            f"{path}: a label is {values[wrong[0]]}: labels are 0 for normal and 1 for abnormal, or 0 and 255"
        )
    return np.asarray(values == abnormal)


def _check_length(path: Path, labels: NDArray[np.bool_], frames: int, what: str) -> None:
    if len(labels) != frames:
        raise ScoresError(f"{path} has {len(labels):,} labels, but there are {frames:,} frames in {what}")
