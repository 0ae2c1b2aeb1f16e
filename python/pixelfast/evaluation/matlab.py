"""Labels as MATLAB has them: the `.mat` files and the script that the data sets publish, a value a video or of one.

Frames count from 1, in the order of time. What a value says, by what it is:

- a struct with one field, or one called `gt_frame` (UCSD): the list of the abnormal frames, `[61:180]`;
- 2xK: the first and the last frame of each of K abnormal stretches (`gt` of the files ped2.mat, avenue.mat, …);
- a vector: 0 or 1 a frame, where it has as many; else the list of the abnormal frames; nothing: no frame is abnormal;
- a cell array of pictures (Avenue's `volLabel`), or a volume [H, W, N]: a frame is abnormal where any pixel is.
"""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from pixelfast.errors import ScoresError, first_line

USUAL: Final = ("gt", "TestVideoFile", "volLabel", "gt_frame", "label", "labels")
"""What the variable is called, where a file holds several."""

_FIELD: Final = "gt_frame"
_NEW_FORMAT: Final = b"MATLAB 7.3"
_LISTED: Final = re.compile(rf"\.\s*{_FIELD}\s*=\s*(\[[^\]]*\]|[0-9:]+)")
_RANGE: Final = re.compile(r"([0-9]+)(?:\s*:\s*([0-9]+))?")


def read_variables(path: Path, without_scipy: str = "") -> dict[str, NDArray[Any]]:
    """Reads the variables of a `.mat` file, by name; the last words of the sentence for who has no SciPy may be given.

    Raises:
        ScoresError: SciPy is missing, the file is of version 7.3 or damaged.
    """
    try:
        with path.open("rb") as file:
            newer = file.read(len(_NEW_FORMAT)) == _NEW_FORMAT
    except OSError as error:
        raise ScoresError(f"{path} cannot be read: {error.strerror or error}") from error
    if newer:
        raise ScoresError(
            f"{path} is of MATLAB 7.3 (HDF5), which is not read: save it as version 7, by MATLAB or Octave: "
            f"load('{path.name}'); save('-v7', '{path.name}')"
        )
    try:
        from scipy.io import loadmat
    except ImportError as error:
        raise ScoresError(f"{path} is read by SciPy: pip install scipy{without_scipy}") from error
    return {name: _dense(value) for name, value in loadmat(path).items() if not name.startswith("__")}


def _dense(value: Any) -> NDArray[Any]:
    return np.asarray(value.toarray() if hasattr(value, "toarray") else value)  # MATLAB's sparse matrices


def read_matlab(path: Path, lengths: Mapping[str, int]) -> NDArray[np.bool_]:
    """Reads the labels of videos, by name and number of frames, in order: bool[N], one video after the other.

    Raises:
        ScoresError: the file cannot be read, holds none of the forms, or is not of these videos.
    """
    value, total = _script(path) if path.suffix.lower() == ".m" else _variable(path), sum(lengths.values())
    fields = value.dtype.names
    by_video = fields or (value.dtype == object and not (len(lengths) == 1 and _are_pictures(value)))
    if not by_video:
        return _frames(value, total, str(path))
    if value.size != len(lengths):
        raise ScoresError(
            f"{path} has labels of {value.size} videos, but the scores are of {len(lengths)}: score all of them"
        )
    parts = []
    for one, (name, count) in zip(value.flat, lengths.items(), strict=True):
        what = f"{path}: video {name}"
        parts.append(_frames(_field(one, fields, what), count, what, listed=fields is not None))
    return np.concatenate(parts)


def _are_pictures(cells: NDArray[Any]) -> bool:
    """Whether cells are masks, a frame each, and no stretches or lists of a video each."""
    shapes = [_dense(one).shape for one in cells.flat]
    return bool(shapes) and all(len(shape) == 2 and min(shape) > 2 for shape in shapes)


def _script(path: Path) -> NDArray[Any]:
    """UCSD's `UCSDped2.m`: a line `TestVideoFile{end+1}.gt_frame = [61:180];` for each video."""
    try:
        text = path.read_text(encoding="utf-8", errors="replace")
    except OSError as error:
        raise ScoresError(f"{path} cannot be read: {error.strerror or error}") from error
    lines = (line.partition("%")[0] for line in text.splitlines())
    found = _LISTED.findall("\n".join(lines))
    if not found:
        raise ScoresError(
            f"{path} names no frames: lines such as TestVideoFile{{1}}.{_FIELD} = [61:180]; were expected"
        )
    videos = np.empty(len(found), [(_FIELD, object)])
    for index, text in enumerate(found):
        left = _RANGE.sub("", text).strip("[] ,;\t\n")
        if left:
            raise ScoresError(
                f"{path}: video {index + 1} has the frames {text}: lists such as [5:90, 140:200] are read"
            )
        ranges = (np.arange(int(first), int(last or first) + 1) for first, last in _RANGE.findall(text))
        videos[index] = (np.concatenate([np.zeros(0, np.int64), *ranges]),)
    return videos


def _variable(path: Path) -> NDArray[Any]:
    """The variable of a file that labels are in."""
    try:
        found = read_variables(path)
    except ScoresError:
        raise
    except Exception as error:  # SciPy's kinds of a damaged file have nothing in common
        raise ScoresError(
            f"{path} is damaged, or in none of the forms that labels come in ({first_line(error)}): save it again"
        ) from error
    names = [name for name in found if name in USUAL] or [*found]
    if len(names) != 1:
        raise ScoresError(
            f"{path} holds {', '.join(names) or 'nothing'}: leave one variable in it, or call that of the labels "
            f"{USUAL[0]}"
        )
    return found[names[0]]


def _field(one: Any, fields: Sequence[str] | None, what: str) -> Any:
    """The frames that an element of a struct array lists; of a cell array the element as it is."""
    if fields is None:
        return one
    if _FIELD not in fields and len(fields) > 1:
        raise ScoresError(f"{what}: a struct of {', '.join(fields)}: call the field of the abnormal frames {_FIELD}")
    return one[_FIELD if _FIELD in fields else fields[0]]


def _frames(value: Any, count: int, what: str, *, listed: bool = False) -> NDArray[np.bool_]:
    """The labels bool[count] of one video; `listed` where the value comes from a struct, which lists frames."""
    array = _dense(value)
    while array.size == 1 and (array.dtype.names or isinstance(array.flat[0], np.ndarray)):
        listed |= array.dtype.names is not None
        array = _dense(_field(array.flat[0], array.dtype.names, what))
    if array.size and array.dtype == object:
        return _any(list(array.flat), count, what)
    if array.dtype.kind not in "buif":
        raise ScoresError(f"{what}: labels are numbers, not {array.dtype}")
    if array.ndim == 3:
        return _any(list(as_masks(array, count)), count, what)
    if not array.size:
        return np.zeros(count, np.bool_)
    wrong = array[~(np.isfinite(array) & (array == np.round(array)))]
    if wrong.size:
        raise ScoresError(f"{what}: {wrong[0]} is neither 0, nor 1, nor the number of a frame")
    stretch = array.shape == (2, 1) and count != 2  # [1; 1] is the first frame alone
    if not (listed or stretch) and _is_vector(array) and array.size > 1 and np.isin(array, (0, 1)).all():
        if array.size != count:
            raise ScoresError(f"{what} has {array.size:,} labels, but {count:,} frames were scored")
        return np.asarray(array.reshape(-1) == 1)
    return _marked(array, count, what, listed=listed)


def _is_vector(array: NDArray[Any]) -> bool:
    return bool(array.size == max(array.shape))


def _any(pictures: list[Any], count: int, what: str) -> NDArray[np.bool_]:
    if len(pictures) != count:
        raise ScoresError(f"{what}: {len(pictures):,} masks, but {count:,} frames were scored")
    return np.array([np.any(_dense(one) != 0) for one in pictures], np.bool_)


def as_masks(volume: NDArray[Any], count: int) -> NDArray[Any]:
    """Returns a volume [H, W, N], or [N, H, W] where only that has so many frames, as [N, H, W]."""
    first = volume.shape[0] == count != volume.shape[-1]
    return volume if first else np.moveaxis(volume, -1, 0)


def _marked(array: NDArray[Any], count: int, what: str, *, listed: bool) -> NDArray[np.bool_]:
    """The labels of frames that are listed, or of which the first and the last of each stretch is."""
    if not listed and array.shape == (1, 2):
        raise ScoresError(f"{what}: [1, 2] may be two frames or a stretch: write stretches as [2, K], first over last")
    if _is_vector(array) and (listed or array.shape != (2, 1)):
        runs = [(int(one), int(one)) for one in array.flat]
    elif not listed and array.ndim == 2 and len(array) == 2:
        runs = [(int(first), int(last)) for first, last in array.T]
    else:
        raise ScoresError(f"{what}: {list(array.shape)} is neither a list of frames nor, as [2, K], of stretches")
    labels = np.zeros(count, np.bool_)
    for first, last in runs:
        if not 1 <= first <= last <= count:
            named = f"frame {first}" if first == last else f"frames {first} to {last}"
            raise ScoresError(f"{what}: {named} of {count:,} that were scored: frames count from 1, first before last")
        labels[first - 1 : last] = True
    return labels
