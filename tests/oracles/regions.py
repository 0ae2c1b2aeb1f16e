"""Street Scene's criteria by region and by track the plain way: a loop over every distinct value as the threshold.

After Ramachandra and Jones (WACV 2020): a region is detected where a region of its frame has an IoU of beta with it, a
track where a share alpha of its regions is, and what has such an IoU with no abnormal region is a false positive.
"""

from collections import Counter
from itertools import pairwise

import numpy as np
from scipy.ndimage import find_objects, label


def components(there):
    """The connected components [H, W] of 8 neighbours, from 1 on, and their boxes (left, top, right, bottom)."""
    labels, _ = label(there, np.ones((3, 3)))
    return labels, [(x.start, y.start, x.stop, y.stop) for y, x in find_objects(labels)]


def enlarged(small, height, width):
    """A map at the masks' size: each pixel has the value of the cell that its centre lies in."""
    h, w = small.shape
    large = np.empty((height, width))
    for y in range(height):
        for x in range(width):
            large[y, x] = small[int((y + 0.5) * h / height), int((x + 0.5) * w / width)]
    return large


def iou(one, other):
    """Intersection over union of two boxes."""
    shared = max(0, min(one[2], other[2]) - max(one[0], other[0])) * max(
        0, min(one[3], other[3]) - max(one[1], other[1])
    )
    areas = [(box[2] - box[0]) * (box[3] - box[1]) for box in (one, other)]
    return shared / (sum(areas) - shared)


def regions_and_tracks(masks):
    """Of each frame the abnormal boxes, and of each box the name of its track; those that share a pixel share it."""
    found, names, before = [], [], None
    for index, mask in enumerate(masks):
        labels, boxes = components(mask)
        found.append(boxes)
        names.append([(index, number) for number in range(len(boxes))])
        for y, x in np.argwhere((labels > 0) & (before > 0)) if before is not None else ():
            old, new = names[index - 1][before[y, x] - 1], names[index][labels[y, x] - 1]
            names = [[old if name == new else name for name in some] for some in names]
        before = labels
    return found, names


def region_criteria(maps, masks, alpha=0.1, beta=0.1):
    """RBDC and TBDC of lists of maps [N, h, w] and masks [N, H, W], a pair a video."""
    frames = []  # of each its map, its abnormal boxes and their tracks
    for video, (some, truth) in enumerate(zip(maps, masks, strict=True)):
        boxes, names = regions_and_tracks(truth)
        for index, one in enumerate(some):
            tracks = [(video, name) for name in names[index]]
            frames.append((enlarged(one, *truth.shape[1:]), boxes[index], tracks))
    all_of_track = Counter(track for _, _, tracks in frames for track in tracks)
    points = []
    for threshold in sorted({value for one, _, _ in frames for value in one.flat}, reverse=True):
        false, found_of_track = 0, Counter()
        for one, boxes, tracks in frames:
            detected = components(one > threshold)[1]
            false += sum(all(iou(region, box) < beta for box in boxes) for region in detected)
            for box, track in zip(boxes, tracks, strict=True):
                found_of_track[track] += any(iou(region, box) >= beta for region in detected)
        by_region = found_of_track.total() / all_of_track.total()
        by_track = sum(found_of_track[track] / all_of_track[track] >= alpha for track in all_of_track) / len(
            all_of_track
        )
        points.append((false / len(frames), by_region, by_track))
    return area([(false, by_region) for false, by_region, _ in points]), area([(one[0], one[2]) for one in points])


def area(points):
    """Below the best share that is reached with no more false positives a frame, from 0 to 1 of these."""
    best, curve = 0.0, []
    for false, share in sorted(points):
        if false <= 1:
            best = max(best, share)
            curve.append((false, best))
    curve.append((1.0, best))
    return sum((right - left) * (low + high) / 2 for (left, low), (right, high) in pairwise(curve))
