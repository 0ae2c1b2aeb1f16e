"""Whether error maps point at the thing: RBDC and TBDC, Street Scene's detection criteria by region and by track.

Ramachandra and Jones, Street Scene: A new dataset and evaluation protocol for video anomaly detection, WACV 2020. At
each threshold, what lies above it in a frame's map falls into regions. An abnormal region of the ground truth is
detected where a region of its frame overlaps it with an IoU of at least beta; a track where at least a share alpha of
its regions is. A region that overlaps no abnormal one so much is a false positive. RBDC is the area under the share of
abnormal regions detected over false positives a frame, from 0 to 1 of these; TBDC that of tracks.

What the paper leaves open is done thus. Regions, of maps and of masks, are connected components (8 neighbours) and
compared by their bounding boxes, as Street Scene's ground truth is boxes. They are found anew at each threshold, as the
public ssvad_metrics does; Georgescu et al. (A background-agnostic framework, TPAMI 2021) give fixed boxes a score each
instead. A map is taken at the masks' size by nearest neighbour: a pixel belongs to the cell that its centre lies in.
Components grow together as the threshold falls, so that a lower one may find less, which fixed boxes never do: the
curve takes the best share that any threshold reaches with no more false positives, and goes on level from its last
point below 1 false positive a frame to 1, as Georgescu's does.
"""

from collections.abc import Iterable, Mapping
from typing import Any, Final, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from pixelfast.errors import ScoresError

ALPHA: Final = 0.1
"""Share of its regions that must be detected for a track to be; this and BETA as in the paper."""

BETA: Final = 0.1
"""IoU of two bounding boxes from which on one detects the other."""

THRESHOLDS: Final = 500
"""Thresholds at most. Fewer distinct values are all taken; of more, those that have 0, 1, … all cells above them, in
geometric steps: 3% more cells from one to the next on 1,000 frames of 8x8 cells, where every value gives the same area
to 0.001."""

Values = NDArray[np.floating[Any]]


class RegionCriteria(NamedTuple):
    """The areas under both curves, each 0 to 1."""

    rbdc: float
    tbdc: float


class AbnormalRegions(NamedTuple):
    """The abnormal regions of a video.

    Attributes:
        boxes: i64[R,4], left, top, right and bottom in pixels, half open.
        frame: i64[R], the frame of each, which never falls.
        track: i64[R], the track of each: 0, 1, …
        height: of the frames, in pixels.
        width: likewise.
    """

    boxes: NDArray[np.int64]
    frame: NDArray[np.int64]
    track: NDArray[np.int64]
    height: int
    width: int


class _Counts(NamedTuple):
    """What changes from each of K thresholds to the next.

    Attributes:
        false: i64[K+1], false positives.
        found: i64[R,K+1], regions that detect each abnormal one.
    """

    false: NDArray[np.int64]
    found: NDArray[np.int64]


def region_criteria(
    maps: Mapping[str, Values],
    masks: Iterable[NDArray[np.bool_] | None],
    *,
    alpha: float = ALPHA,
    beta: float = BETA,
) -> RegionCriteria:
    """Returns RBDC and TBDC of the maps of videos.

    Args:
        maps: by video, the maps of all its frames in order, floats[N,h,w]: a grid that covers the frame evenly.
        masks: of the same videos in the same order, bool[N,H,W], true for abnormal pixels; None for a video without
            any. Taken one at a time. The paper's tracks are not in masks: regions of consecutive frames that share a
            pixel are of one track, also where two meet or one falls apart, so two things that touch are one track.
        alpha: share of a track's regions that must be detected.
        beta: IoU from which on a region is detected.

    Raises:
        ScoresError: maps are no [N,h,w] or hold a value that is not finite, masks are not of their frames, or no
            pixel is abnormal.

    Examples:
        >>> masks = np.zeros((9, 24, 36), bool)
        >>> masks[3:6, 6:12, 6:12] = True
        >>> region_criteria({"yard": masks[:, 3::6, 3::6].astype(np.float32)}, [masks])
        RegionCriteria(rbdc=1.0, tbdc=1.0)
    """
    for video, one in maps.items():
        if one.ndim != 3 or not one.size:
            raise ScoresError(f"the maps of video {video} must be [N, h, w], not {list(one.shape)}")
        if not np.isfinite(one).all():
            raise ScoresError(f"a map of video {video} holds what is not a finite number: score it again")
    levels = thresholds(maps.values())
    counts, tracks, first = [], [], 0
    for (video, one), mask in zip(maps.items(), masks, strict=True):
        if mask is not None and (mask.ndim != 3 or len(mask) != len(one)):
            raise ScoresError(f"video {video} has {len(one):,} maps, but masks {list(mask.shape)}")
        abnormal = abnormal_regions(np.zeros(one.shape, np.bool_) if mask is None else mask)
        counts.append(_counts(one, abnormal, levels, beta))
        tracks.append(abnormal.track + first)
        first += len(np.unique(abnormal.track))
    if not first:
        raise ScoresError("no pixel of the masks is abnormal, so that there is nothing to detect")
    false = np.cumsum(sum(one.false for one in counts))[:-1] / sum(map(len, maps.values()))
    found = np.cumsum(np.concatenate([one.found for one in counts]), axis=1)[:, :-1] > 0
    track = np.concatenate(tracks)
    of_track = np.zeros((first, len(levels)))
    np.add.at(of_track, track, found)
    detected = of_track / np.bincount(track)[:, None] >= alpha
    return RegionCriteria(_area(false, found.mean(axis=0)), _area(false, detected.mean(axis=0)))


def thresholds(maps: Iterable[Values]) -> NDArray[np.float64]:
    """Returns f64[K], rising: at most THRESHOLDS of the maps' values, the highest and the lowest among them.

    What lies above is detected, so that nothing is at the highest, and what is the same everywhere never is.
    """
    each = [np.unique(one.astype(np.float64), return_counts=True) for one in maps]
    values, place = np.unique(np.concatenate([some for some, _ in each]), return_inverse=True)
    if len(values) <= THRESHOLDS:
        return values
    cells = np.bincount(place, np.concatenate([count for _, count in each]))
    above = cells.sum() - np.cumsum(cells)
    wanted = np.append(0, np.geomspace(1, above[0], THRESHOLDS - 1))
    return values[np.unique(np.searchsorted(-above, -wanted.round()))]


def abnormal_regions(masks: NDArray[np.bool_]) -> AbnormalRegions:
    """Returns the connected components of a video's masks bool[N,H,W], linked to tracks over time.

    Examples:
        >>> masks = np.zeros((3, 8, 8), bool)
        >>> masks[:2, 1:3, 4:8] = masks[2, 5, 5] = True
        >>> found = abnormal_regions(masks)
        >>> found.boxes.tolist(), found.track.tolist()
        ([[4, 1, 8, 3], [4, 1, 8, 3], [5, 5, 6, 6]], [0, 0, 1])
    """
    boxes, frame, links = [np.zeros((0, 4), np.int64)], list[int](), list[list[int]]()
    before = np.zeros(masks.shape[1:], np.int64)
    for index in range(len(masks)):
        here = np.zeros_like(before)  # each pixel's region, from 1 on over the whole video
        if masks[index].any():
            some, labels = _components(masks[index])
            here = np.where(labels > 0, labels + len(frame), 0)
            boxes.append(some)
            frame += [index] * len(some)
            both = (here > 0) & (before > 0)
            links += np.unique(np.stack([before[both], here[both]]), axis=1).T.tolist()
        before = here
    track = np.arange(len(frame))
    for one, other in links:
        track[track == track[other - 1]] = track[one - 1]
    numbered = np.unique(track, return_inverse=True)[1].astype(np.int64)
    return AbnormalRegions(np.concatenate(boxes), np.array(frame, np.int64), numbered, *masks.shape[1:])


def _components(there: NDArray[Any]) -> tuple[NDArray[np.int64], NDArray[Any]]:
    """Boxes i64[R,4] of the connected components of a picture [H,W], and each pixel's, from 1 on."""
    _, labels, stats, _ = cv2.connectedComponentsWithStats(there.astype(np.uint8), connectivity=8)
    left, top, width, height = stats[1:, :4].astype(np.int64).T
    return np.stack([left, top, left + width, top + height], axis=1), labels


def _counts(maps: Values, abnormal: AbnormalRegions, levels: NDArray[np.float64], beta: float) -> _Counts:
    """Where, among the thresholds, regions of a video's maps appear and vanish, as false positives and as matches."""
    # A cell without a pixel's centre is left out; the edges are the first pixels of the others, and the size.
    rows, top = _taken(abnormal.height, maps.shape[1])
    columns, left = _taken(abnormal.width, maps.shape[2])
    level = np.searchsorted(levels, maps[:, rows][:, :, columns].astype(np.float64))  # how many thresholds lie below
    false = np.zeros(len(levels) + 1, np.int64)
    found = np.zeros((len(abnormal.frame), len(levels) + 1), np.int64)
    for index, one in enumerate(level):
        boxes, since, until = _detected(one)
        boxes = np.stack([left[boxes[:, 0]], top[boxes[:, 1]], left[boxes[:, 2]], top[boxes[:, 3]]], axis=1)
        of_frame = np.flatnonzero(abnormal.frame == index)
        match = _iou(boxes, abnormal.boxes[of_frame]) >= beta
        lone = ~match.any(axis=1)
        false += np.bincount(since[lone], minlength=len(false)) - np.bincount(until[lone], minlength=len(false))
        which, target = np.nonzero(match)
        np.add.at(found, (of_frame[target], since[which]), 1)
        np.add.at(found, (of_frame[target], until[which]), -1)
    return _Counts(false, found)


def _taken(pixels: int, cells: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The cells of an axis that a pixel's centre lies in, i64[n], and where their pixels begin and end, i64[n+1]."""
    taken, first = np.unique((2 * np.arange(pixels) + 1) * cells // (2 * pixels), return_index=True)
    return taken, np.append(first, pixels).astype(np.int64)


def _detected(level: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """The regions of a frame at all thresholds: boxes i64[D,4] in cells, there from one threshold to before another.

    All are found in one picture, the map at each of its levels one below the other.
    """
    height, width = level.shape
    until = np.unique(level[level > 0])  # a cell of level l lies above the thresholds 0 to l - 1
    below = np.zeros((len(until), height + 1, width), np.bool_)  # a row of nothing lies between two
    below[:, :height] = level >= until[:, None, None]
    if not len(until):
        return np.zeros((0, 4), np.int64), until, until
    boxes, _ = _components(below.reshape(-1, width))
    which = boxes[:, 1] // (height + 1)
    boxes[:, [1, 3]] -= (which * (height + 1))[:, None]
    return boxes, np.append(0, until)[which], until[which]


def _iou(some: NDArray[np.int64], others: NDArray[np.int64]) -> NDArray[np.float64]:
    """Intersection over union f64[A,B] of boxes i64[A,4] and i64[B,4]."""
    low = np.maximum(some[:, None, :2], others[None, :, :2])
    high = np.minimum(some[:, None, 2:], others[None, :, 2:])
    shared = np.prod(np.maximum(high - low, 0), axis=2)
    areas = [np.prod(boxes[:, 2:] - boxes[:, :2], axis=1) for boxes in (some, others)]
    return np.asarray(shared / (areas[0][:, None] + areas[1][None] - shared))


def _area(false: NDArray[np.float64], share: NDArray[np.float64]) -> float:
    """The area, by trapezoids, below the best share reached with at most so many false positives a frame, 0 to 1."""
    order = np.lexsort((share, false))
    order = order[false[order] <= 1]  # begins at 0 false positives: nothing lies above the highest threshold
    best = np.maximum.accumulate(share[order])
    x, y = np.append(false[order], 1.0), np.append(best, best[-1])
    return float(np.sum(np.diff(x) * (y[1:] + y[:-1])) / 2)
