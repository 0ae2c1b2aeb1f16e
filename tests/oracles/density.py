"""The density method's recipe the plain way (DENSITY), in NumPy, SciPy and OpenCV: one function a step, float64."""

from itertools import pairwise
from typing import Any, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter1d

Array = NDArray[Any]

TAILS = np.array([0.5, 0.2, 0.1, 0.03, 0.01, 0.003, 0.001, 0.0003, 0.0001])
LONGER, BLOCKS = 360, 30
SMOOTH = 3.0


class Cells(NamedTuple):
    """What the cells of a video's frames hold: v [N, h, w, 8], mag and share [N, h, w], look [N, h, w, 32]."""

    v: Array
    mag: Array
    share: Array
    look: Array


class Learnt(NamedTuple):
    """What training finds."""

    speed: float
    eps: float
    directions: Array
    looks: Array
    places: Array
    usual: Array
    tails: dict[str, Array]
    levels: dict[str, tuple[float, float, float]]


def working(frame: Array) -> Array:
    height, width = frame.shape
    scale = min(1.0, LONGER / max(height, width))
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    return frame if size == (width, height) else cv2.resize(frame, size, interpolation=cv2.INTER_AREA)


def grid(height: int, width: int) -> tuple[int, int]:
    side = max(height, width) / BLOCKS
    return max(2, round(height / side)), max(2, round(width / side))


def flow_of(before: Array, after: Array) -> Array:
    dis = cv2.DISOpticalFlow_create(cv2.DISOPTICAL_FLOW_PRESET_FAST)
    dis.setFinestScale(1)
    dis.setGradientDescentIterations(8)
    dis.setVariationalRefinementIterations(2)
    flow = dis.calc(before, after, None)
    height, width = before.shape
    return cv2.resize(flow, (width // 2, height // 2), interpolation=cv2.INTER_AREA)


def area(maps: Array, rows: int, columns: int) -> Array:
    """[H, W, C] to [rows, columns, C]: the mean over each block."""
    blocks = [cv2.resize(maps[..., c], (columns, rows), interpolation=cv2.INTER_AREA) for c in range(maps.shape[-1])]
    return np.stack(blocks, -1)


def moving_blocks(flow: Array, rows: int, columns: int) -> Array:
    u, v = flow[..., 0].astype(np.float64), flow[..., 1].astype(np.float64)
    norm = np.hypot(u, v)
    angles = np.arange(8) * np.pi / 4
    along = np.maximum(0, u[..., None] * np.cos(angles) + v[..., None] * np.sin(angles))
    v8 = along**2 / np.maximum(norm, 1e-12)[..., None]
    return area(np.concatenate([v8, norm[..., None], (norm > 0.25)[..., None]], -1), rows, columns)


def looking_blocks(frame: Array, rows: int, columns: int) -> Array:
    smooth = cv2.GaussianBlur(frame.astype(np.float64), (0, 0), 1)
    padded = np.pad(smooth, 1, mode="edge")
    dx, dy = (padded[1:-1, 2:] - padded[1:-1, :-2]) / 2, (padded[2:, 1:-1] - padded[:-2, 1:-1]) / 2
    place = (np.arctan2(dy, dx) % np.pi) / (np.pi / 8)
    low = np.floor(place).astype(int)
    share = place - low
    maps = np.zeros((*frame.shape, 8))
    for k in range(8):
        maps[..., k] = np.hypot(dx, dy) * ((low % 8 == k) * (1 - share) + ((low + 1) % 8 == k) * share)
    return area(maps, rows, columns)


def cells(frames: list[Array] | Array) -> Cells:
    """Cells with their motion smoothed in time."""
    frames = [working(frame) for frame in frames]
    rows, columns = grid(*frames[0].shape)
    moving = [moving_blocks(flow_of(a, b), rows, columns) for a, b in pairwise(frames)]
    moved = np.stack([moving[0], *moving])
    look = np.stack([looking_blocks(frame, rows, columns) for frame in frames])
    corners = [(slice(None), slice(i, i + rows - 1), slice(j, j + columns - 1)) for i in (0, 1) for j in (0, 1)]
    four = over_time(sum(moved[corner] for corner in corners) / 4)
    looks = np.concatenate([look[corner] for corner in corners], -1)
    return Cells(four[..., :8], four[..., 8], four[..., 9], looks)


def over_time(values: Array, sigma: float = SMOOTH) -> Array:
    return gaussian_filter1d(np.asarray(values, np.float64), sigma, axis=0, mode="nearest")


def moves(video: Cells, speed: float) -> Array:
    return over_time(video.v.sum(-1) > 0.3 * speed)


def placed(own: Array, weight: float) -> Array:
    """With the place in the picture, in blocks along the longer side."""
    _, h, w, _ = own.shape
    y, x = np.mgrid[:h, :w] * (weight / max(h + 1, w + 1))
    return np.concatenate([own, *(np.broadcast_to(one[..., None], (*own.shape[:3], 1)) for one in (y, x))], -1)


def direction_features(video: Cells, speed: float) -> Array:
    return placed(video.v / (video.v.sum(-1, keepdims=True) + 0.03 * speed), 0.35)


def normalised_look(video: Cells, eps: float) -> Array:
    return video.look / (np.linalg.norm(video.look, axis=-1, keepdims=True) + eps)


def look_features(video: Cells, eps: float) -> Array:
    return placed(normalised_look(video, eps), 0.5)


def nearest(points: Array, exemplars: Array) -> Array:
    return np.array([np.linalg.norm(exemplars - point, axis=-1).min() for point in points])


def farthest_first(points: Array, count: int) -> Array:
    """The first point, then always the one farthest from all before it."""
    found = [0]
    distance = np.linalg.norm(points - points[0], axis=-1)
    while len(found) < min(count, len(points)):
        found.append(int(distance.argmax()))
        distance = np.minimum(distance, np.linalg.norm(points - points[found[-1]], axis=-1))
    return points[found]


def exemplars_of(videos: list[Cells], speed: float, eps: float, seed: int) -> tuple[Array, Array, Array, Array]:
    rng = np.random.default_rng(seed)
    moving = [moves(video, speed) > 0.5 for video in videos]
    directions = np.concatenate([direction_features(video, speed)[m] for video, m in zip(videos, moving, strict=True)])
    looks = np.concatenate([look_features(video, eps)[m] for video, m in zip(videos, moving, strict=True)])
    chosen = [rng.choice(len(all_), min(3000, len(all_)), replace=False) for all_ in (directions, looks)]
    still = np.concatenate([normalised_look(video, eps) for video in videos])
    h, w = still.shape[1:3]
    places = np.stack([[farthest_first(still[:, y, x], 64) for x in range(w)] for y in range(h)])
    return directions[chosen[0]], looks[chosen[1]], places, np.median(still, axis=0)


def streams(
    video: Cells, speed: float, eps: float, exemplars: tuple[Array, Array, Array, Array]
) -> tuple[dict[str, Array], Array]:
    """S, D, A, P [N, h, w] and m."""
    directions, looks, places, usual = exemplars
    m = moves(video, speed)
    d, a = np.zeros_like(m), np.zeros_like(m)
    near = m > 0
    d[near] = nearest(direction_features(video, speed)[near], directions)
    a[near] = nearest(look_features(video, eps)[near], looks)
    own = normalised_look(video, eps)
    p = np.empty_like(m)
    slow, rate = usual.copy(), 1 - np.exp(-1 / 1500)
    for t in range(len(own)):
        slow = slow + rate * (own[t] - slow)
        best = np.sqrt(((own[t][:, :, None] - places) ** 2).sum(-1).min(-1))
        p[t] = np.minimum(best, np.linalg.norm(own[t] - slow, axis=-1))
    return {"S": video.mag / speed, "D": d, "A": over_time(a), "P": over_time(p, 4 * SMOOTH)}, m


def tail(values: Array, at: Array) -> Array:
    """-log10 of the tail, linear between the quantiles and on with the last slope."""
    t = -np.log10(TAILS)
    at = np.maximum.accumulate(at + np.arange(len(at)) * 1e-12)
    slope = (t[-1] - t[-2]) / (at[-1] - at[-2])
    inside = np.interp(values, at, t, left=0.0)
    inside = np.where(values < at[0], t[0] * np.maximum(0, values) / max(at[0], 1e-12), inside)
    return np.where(values > at[-1], t[-1] + slope * (values - at[-1]), inside)


def top(maps: Array, count: int) -> Array:
    return np.sort(maps.reshape(len(maps), -1), -1)[:, -count:].mean(-1)


def frame_scores(found: dict[str, Array], m: Array, tails: dict[str, Array]) -> dict[str, Array]:
    """z of each stream [N], smoothed."""
    weight = np.minimum(1, 2 * m)
    t = {name: tail(found[name], tails[name]) * (1 if name == "P" else weight) for name in "SDAP"}
    z = {"S": top(t["S"], 3), "U": top(t["D"] + t["A"], 3), "P": top(t["P"], 10)}
    return {name: over_time(values) for name, values in z.items()}


def folds_of(videos: list[Cells]) -> tuple[list[list[int]], list[Cells]]:
    if len(videos) >= 3:
        return [part.tolist() for part in np.array_split(np.arange(len(videos)), 3)], videos
    parts = [(video, part) for video in videos for part in np.array_split(np.arange(len(video.mag)), 3)]
    cut = [Cells(*(x[part] for x in video)) for video, part in parts]
    return [[i for i in range(len(cut)) if i % 3 == fold] for fold in range(3)], cut


def pooled(held: dict[int, tuple[dict[str, Array], Array]], which: list[int]) -> dict[str, Array]:
    """The quantiles of each stream over held-out cells: of all that moves, and of every place."""
    out = {}
    for name in "SDAP":
        values = [held[i][0][name].ravel() if name == "P" else held[i][0][name][held[i][1] > 0.5] for i in which]
        out[name] = np.quantile(np.concatenate(values), 1 - TAILS)
    return out


def level(each: list[Array]) -> tuple[float, float, float]:
    """q50, q99 and T of what one stream says of held-out videos."""
    q50, q99 = np.quantile(loud(each), [0.5, 0.99])
    ratios = []
    for i, own in enumerate(each):
        r50, r99 = np.quantile(loud(each[:i] + each[i + 1 :]), [0.5, 0.99])
        ratios.append((np.quantile(own, 0.98) - r50) / (r99 - r50))
    return float(q50), float(q99), max(1.0, float(np.mean(ratios) + 2 * np.std(ratios)))


def loud(parts: list[Array]) -> Array:
    return np.concatenate([part[part > 0.05] for part in parts])


def learn(videos: list[Cells], seed: int = 0) -> Learnt:
    folds, videos = folds_of(videos)
    speed = float(np.median(np.concatenate([video.mag[video.share > 0.3] for video in videos])))
    eps = float(np.median(np.concatenate([np.linalg.norm(v.look, axis=-1).ravel() for v in videos])))
    held: dict[int, tuple[dict[str, Array], Array]] = {}
    for fold in folds:
        others = [videos[i] for i in range(len(videos)) if i not in fold]
        learnt = exemplars_of(others, speed, eps, seed)
        held |= {i: streams(videos[i], speed, eps, learnt) for i in fold}
    z: dict[int, dict[str, Array]] = {}
    for fold in folds:
        tails = pooled(held, [i for i in held if i not in fold])
        z |= {i: frame_scores(*held[i], tails) for i in fold}
    levels = {name: level([z[i][name] for i in range(len(videos))]) for name in "SUP"}
    return Learnt(speed, eps, *exemplars_of(videos, speed, eps, seed), pooled(held, list(held)), levels)


def score(video: Cells, learnt: Learnt) -> dict[str, Array]:
    """z' of each stream; a frame's score is the largest."""
    exemplars = (learnt.directions, learnt.looks, learnt.places, learnt.usual)
    z = frame_scores(*streams(video, learnt.speed, learnt.eps, exemplars), learnt.tails)
    return {n: (z[n] - q50) / ((q99 - q50) * turned) for n, (q50, q99, turned) in learnt.levels.items()}
