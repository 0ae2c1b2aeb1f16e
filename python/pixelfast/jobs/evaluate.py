"""Scores against labels, and error maps against masks: what `pixelfast.evaluate` does."""

from collections.abc import Sequence
from dataclasses import replace
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

from pixelfast.errors import ArgumentError, ScoresError
from pixelfast.evaluation import Evaluation, VideoEvaluation, evaluate
from pixelfast.files.natural import unpadded
from pixelfast.files.places import AnyPath, place
from pixelfast.pipeline.parts import part_files, read_part

if TYPE_CHECKING:
    from pixelfast.scores import Scores

_AGAIN: Final = "score again with maps=True (--maps) into a folder of its own and give that"

StrPath = str | PathLike[str]


def evaluate_run(
    scores: "Scores | StrPath", labels: StrPath, parts: StrPath | None, masks: StrPath | None
) -> Evaluation:
    """An evaluation, with RBDC and TBDC where masks are given; see `pixelfast.evaluate`."""
    if (parts is None) != (masks is None):
        missing = "parts" if parts is None else "masks"
        raise ArgumentError(
            f"{missing} must be given too: RBDC and TBDC compare the error maps in the parts with the masks"
        )
    found = evaluate(scores, labels)
    if parts is None or masks is None:
        return found
    from pixelfast.evaluation.masks import MaskFolder
    from pixelfast.evaluation.regions import region_criteria

    folder = MaskFolder(Path(masks))
    maps = read_maps(place(parts), found.videos)
    of_each = (folder.read(one.video, one.frames, one.abnormal) for one in found.videos)
    criteria = region_criteria(maps, of_each)
    return replace(found, rbdc=criteria.rbdc, tbdc=criteria.tbdc)


def read_maps(parts: AnyPath, videos: Sequence[VideoEvaluation]) -> dict[str, NDArray[np.float16]]:
    """Reads the error maps f16[N,h,w] (their square roots) of each video, by its name, from a folder of parts.

    Raises:
        ScoresError: a part is missing, there twice, damaged, without maps, or of another number of frames.
    """
    wanted, maps = {one.video: one for one in videos}, dict[str, NDArray[np.float16]]()
    paths = part_files(parts)
    for path in paths:
        part = read_part(path)
        video = wanted.get(unpadded(part.video))
        if video is None:
            continue
        if video.video in maps:
            raise ScoresError(f"{path} is a second part of video {part.video} in its folder: {_AGAIN}")
        if part.maps is None:
            raise ScoresError(f"{path} has no error maps: {_AGAIN}")
        if len(part.raw) != video.frames:
            raise ScoresError(
                f"{path} has {len(part.raw):,} frames, but the scores of video {part.video} have {video.frames:,}: "
                "give the parts that these scores come from"
            )
        maps[video.video] = part.maps
    missing = [name for name in wanted if name not in maps]
    if missing:
        what = "holds no parts" if not paths else f"has no part of video {missing[0]}"
        raise ScoresError(f"{parts} {what if parts.is_dir() else 'does not exist'}: {_AGAIN}")
    return {name: maps[name] for name in wanted}
