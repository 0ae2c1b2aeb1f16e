"""The density method's recipe the plain way (DENSITY.md), in NumPy, SciPy and OpenCV: one function a step."""

from typing import NamedTuple

import cv2
import numpy as np
from scipy.ndimage import gaussian_filter1d

TAILS = np.array([0.5, 0.2, 0.1, 0.03, 0.01, 0.003, 0.001, 0.0003, 0.0001])
LONGER, BLOCKS = 360, 30


class Cells(NamedTuple):
    """What the cells of a video's frames hold: v [N, h, w, 8], mag and share [N, h, w], look [N, h, w, 32]."""

    v: np.ndarray
    mag: np.ndarray
    share: np.ndarray
    look: np.ndarray


def working(frame):
    height, width = frame.shape
    scale = min(1.0, LONGER / max(height, width))
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    return frame if size == (width, height) else cv2.resize(frame, size, interpolation=cv2.INTER_AREA)


def grid(height, width):
    side = max(height, width) / BLOCKS
    return max(2, round(height / side)), max(2, round(width / side))


def flow_of(before, after):
    dis = cv2.DISOpticalFlow_create(cv2.DISOPTICAL_FLOW_PRESET_FAST)
    dis.setFinestScale(1)
    dis.setGradientDescentIterations(8)
    dis.setVariationalRefinementIterations(2)
    flow = dis.calc(before, after, None)
    height, width = before.shape
    return cv2.resize(flow, (width // 2, height // 2), interpolation=cv2.INTER_AREA)


def area(maps, rows, columns):
    """[H, W, C] to [rows, columns, C]: the mean over each block."""
    blocks = [cv2.resize(maps[..., c], (columns, rows), interpolation=cv2.INTER_AREA) for c in range(maps.shape[-1])]
    return np.stack(blocks, -1)


def moving_blocks(flow, rows, columns):
    u, v = flow[..., 0].astype(np.float64), flow[..., 1].astype(np.float64)
    norm = np.hypot(u, v)
    angles = np.arange(8) * np.pi / 4
    along = np.maximum(0, u[..., None] * np.cos(angles) + v[..., None] * np.sin(angles))
    v8 = along**2 / np.maximum(norm, 1e-12)[..., None]
    return area(np.concatenate([v8, norm[..., None], (norm > 0.25)[..., None]], -1), rows, columns)


def looking_blocks(frame, rows, columns):
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


def cells(frames):
    frames = [working(frame) for frame in frames]
    rows, columns = grid(*frames[0].shape)
    moving = [moving_blocks(flow_of(a, b), rows, columns) for a, b in zip(frames, frames[1:], strict=False)]
    moving = np.stack([moving[0], *moving])
    look = np.stack([looking_blocks(frame, rows, columns) for frame in frames])
    corners = [(slice(None), slice(i, i + rows - 1), slice(j, j + columns - 1)) for i in (0, 1) for j in (0, 1)]
    four = gaussian_filter1d(sum(moving[corner] for corner in corners) / 4, 3, axis=0, mode="nearest")
    looks = np.concatenate([look[corner] for corner in corners], -1)
    return Cells(four[..., :8], four[..., 8], four[..., 9], looks)


class Levels(NamedTuple):
    """What training finds."""

    speed: float
    eps: float
    directions: np.ndarray
    looks: np.ndarray
    places: np.ndarray
    usual: np.ndarray
    tails: dict
    levels: dict


def over_time(values, sigma=3.0):
    return gaussian_filter1d(np.asarray(values, np.float64), sigma, axis=0, mode="nearest")


def moves(video, speed):
    return over_time(video.v.sum(-1) > 0.3 * speed)


def positions(video):
    _, h, w = video.mag.shape
    y, x = np.mgrid[:h, :w] / max(h + 1, w + 1)  # of the blocks along the longer side
    return y, x


def direction_features(video, speed):
    y, x = positions(video)
    shape = (*video.mag.shape, 1)
    own = video.v / (video.v.sum(-1, keepdims=True) + 0.03 * speed)
    return np.concatenate([own, np.broadcast_to(0.35 * y[..., None], shape), np.broadcast_to(0.35 * x[..., None], shape)], -1)


def normalised_look(video, eps):
    return video.look / (np.linalg.norm(video.look, axis=-1, keepdims=True) + eps)


def look_features(video, eps):
    y, x = positions(video)
    shape = (*video.mag.shape, 1)
    own = normalised_look(video, eps)
    return np.concatenate([own, np.broadcast_to(0.5 * y[..., None], shape), np.broadcast_to(0.5 * x[..., None], shape)], -1)


def nearest(points, exemplars):
    points = points.reshape(-1, points.shape[-1]).astype(np.float64)
    out = np.empty(len(points))
    norms = (exemplars.astype(np.float64) ** 2).sum(-1)
    for at in range(0, len(points), 4096):
        p = points[at : at + 4096]
        squared = (p**2).sum(-1)[:, None] + norms - 2 * p @ exemplars.astype(np.float64).T
        out[at : at + 4096] = np.sqrt(np.maximum(0, squared.min(-1)))
    return out


def farthest_first(points, count):
    """Indices: the first point, then always the one farthest from all before it."""
    found = [0]
    distance = np.linalg.norm(points - points[0], axis=-1)
    while len(found) < min(count, len(points)):
        found.append(int(distance.argmax()))
        distance = np.minimum(distance, np.linalg.norm(points - points[found[-1]], axis=-1))
    return points[found]


def exemplars_of(videos, speed, eps, seed):
    rng = np.random.default_rng(seed)
    moving = [moves(video, speed) > 0.5 for video in videos]
    directions = np.concatenate([direction_features(video, speed)[m] for video, m in zip(videos, moving, strict=True)])
    looks = np.concatenate([look_features(video, eps)[m] for video, m in zip(videos, moving, strict=True)])
    pick = lambda points: points[rng.choice(len(points), min(3000, len(points)), replace=False)]
    still = np.concatenate([normalised_look(video, eps) for video in videos])
    h, w = still.shape[1:3]
    places = np.stack([[farthest_first(still[:, y, x], 64) for x in range(w)] for y in range(h)])
    return pick(directions), pick(looks), places, np.median(still, axis=0)


def streams(video, speed, eps, directions, looks, places, usual):
    """S, D, A, P [N, h, w] and m."""
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
    return {"S": video.mag / speed, "D": d, "A": over_time(a), "P": over_time(p, 12.0)}, m


def quantiles(values):
    return np.quantile(values, 1 - TAILS)


def tail(values, at):
    """-log10 of the tail, linear between the quantiles and on with the last slope."""
    t = -np.log10(TAILS)
    at = np.maximum.accumulate(at + np.arange(len(at)) * 1e-12)
    slope = (t[-1] - t[-2]) / (at[-1] - at[-2])
    inside = np.interp(values, at, t, left=0.0)
    low = values < at[0]
    inside = np.where(low, t[0] * np.maximum(0, values) / max(at[0], 1e-12), inside)
    return np.where(values > at[-1], t[-1] + slope * (values - at[-1]), inside)


def frame_scores(found, m, tails):
    """z of each stream [N], smoothed."""
    weight = np.minimum(1, 2 * m)
    t = {name: tail(found[name], tails[name]) * (1 if name == "P" else weight) for name in "SDAP"}
    top = lambda maps, n: np.sort(maps.reshape(len(maps), -1), -1)[:, -n:].mean(-1)
    return {"S": over_time(top(t["S"], 3)), "U": over_time(top(t["D"] + t["A"], 3)), "P": over_time(top(t["P"], 10))}


def folds_of(videos):
    if len(videos) >= 3:
        return [list(part) for part in np.array_split(np.arange(len(videos)), 3)], videos
    cut = [Cells(*(x[part] for x in video)) for video in videos for part in np.array_split(np.arange(len(video.mag)), 3)]
    return [[i for i in range(len(cut)) if i % 3 == fold] for fold in range(3)], cut


def learn(videos, seed=0):
    folds, videos = folds_of(videos)
    mags = np.concatenate([video.mag[video.share > 0.3] for video in videos])
    speed = float(np.median(mags))
    eps = float(np.median(np.concatenate([np.linalg.norm(v.look, axis=-1).ravel() for v in videos])))
    held = {}
    for fold in folds:
        others = [videos[i] for i in range(len(videos)) if i not in fold]
        learnt = exemplars_of(others, speed, eps, seed)
        for i in fold:
            held[i] = streams(videos[i], speed, eps, *learnt)
    def pooled(which):
        out = {}
        for name in "SDAP":
            out[name] = quantiles(np.concatenate([held[i][0][name][held[i][1] > 0.5] if name != "P" else held[i][0][name].ravel() for i in which]))
        return out
    z = {}
    for fold in folds:
        tails = pooled([i for i in held if i not in fold])
        for i in fold:
            z[i] = frame_scores(*held[i], tails)
    levels = {}
    for name in "SUP":
        each = [z[i][name] for i in range(len(videos))]
        said = lambda parts: np.concatenate([p[p > 0.05] for p in parts])
        every = said(each)
        q50, q99 = np.quantile(every, [0.5, 0.99])
        ratios = []
        for i, own in enumerate(each):
            rest = said(each[:i] + each[i + 1 :])
            r50, r99 = np.quantile(rest, [0.5, 0.99])
            ratios.append((np.quantile(own, 0.98) - r50) / (r99 - r50))
        levels[name] = (q50, q99, max(1.0, float(np.mean(ratios) + 2 * np.std(ratios))))
    return Levels(speed, eps, *exemplars_of(videos, speed, eps, seed), pooled(list(held)), levels)


def score(video, learnt):
    found, m = streams(video, *learnt[:6])
    z = frame_scores(found, m, learnt.tails)
    return {n: (z[n] - q50) / ((q99 - q50) * turned) for n, (q50, q99, turned) in learnt.levels.items()}
