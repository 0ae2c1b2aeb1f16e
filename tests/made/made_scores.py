"""Scores of made-up frames, for the tests."""

from typing import Any

import numpy as np
from hypothesis import strategies as st
from scipy.stats import rankdata

from pixelfast.scores import Scores

COLUMNS = ("video_index", "frame", "raw", "score", "rank", "flipped", "repaired", "noisy", "tail", "seconds")
FACTS = ("videos", "method", "submission", "smooth", "threshold", "notes")


def make_scores(lengths: dict[str, int], seed: int = 0, **changes: Any) -> Scores:
    """Scores of random frames: frame numbers with gaps, raw values with ties."""
    rng = np.random.default_rng(seed)
    total = sum(lengths.values())
    raw = rng.integers(0, max(total, 1), total).astype(np.float32) / 7
    frames = [np.sort(rng.choice(3 * length, length, replace=False)) for length in lengths.values()]
    columns = {
        "videos": tuple(lengths),
        "video_index": np.repeat(np.arange(len(lengths), dtype=np.int32), list(lengths.values())),
        "frame": np.concatenate([*frames, np.empty(0)]).astype(np.int64),
        "raw": raw,
        "score": rng.random(total),
        "rank": rankdata(raw.astype(np.float64)) / max(total, 1),
        "flipped": rng.random(total) < 0.1,
        "repaired": rng.random(total) < 0.1,
        "noisy": rng.random(total) < 0.1,
    }
    return Scores(**{**columns, **changes})


def equal(one: Scores, other: Scores) -> bool:
    for name in COLUMNS:
        mine, theirs = getattr(one, name), getattr(other, name)
        if mine is None or theirs is None:
            if mine is not theirs:
                return False
        elif mine.dtype != theirs.dtype or not np.array_equal(mine, theirs, equal_nan=name == "seconds"):
            return False
    return all(getattr(one, name) == getattr(other, name) for name in FACTS)


VIDEO_NAME = st.one_of(
    st.integers(0, 30).map(str),
    st.integers(0, 30).map("{:03d}".format),
    st.integers(0, 30).map("cam_{}".format),
    st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=8),
    st.sampled_from(["a,b", 'say "hi"', "two\nlines", "cr\rlf", " spaced ", "_", "", "NA", "=1+1"]).filter(bool),
)


def plain_name(name: str) -> str:
    return str(int(name)) if name.isascii() and name.isdigit() else name


@st.composite
def any_scores(draw: st.DrawFn) -> Scores:
    names = draw(
        st.lists(
            VIDEO_NAME, min_size=1, max_size=6, unique_by=lambda name: name.lstrip("0") if name.isdigit() else name
        )
    )
    lengths = {name: draw(st.integers(0, 12)) for name in names}
    total = sum(lengths.values())
    finite = st.floats(allow_nan=False, allow_infinity=False)
    share = st.floats(0, 1, exclude_min=True)
    shuffle = np.random.default_rng(draw(st.integers(0, 99)))
    frames = [shuffle.choice(40, length, replace=False) for length in lengths.values()]
    return make_scores(
        lengths,
        frame=np.concatenate(frames).astype(np.int64),
        score=np.array(draw(st.lists(finite, min_size=total, max_size=total)), dtype=np.float64),
        rank=np.array(draw(st.lists(share, min_size=total, max_size=total)), dtype=np.float64),
        tail=draw(st.sampled_from([None, np.linspace(0, 1, total)])),
        seconds=draw(st.sampled_from([None, np.where(np.arange(total) % 2, np.nan, np.arange(total) / 25)])),
        method=draw(st.sampled_from(["reconstruction", "motion"])),
        submission=draw(st.sampled_from(["rank", "score"])),
        smooth=draw(st.sampled_from([1, 3, 7])),
        threshold=draw(st.one_of(st.none(), finite)),
        notes=draw(st.lists(st.text(st.characters(exclude_categories=["Cs"])), max_size=2)),
        phases=draw(st.dictionaries(st.sampled_from(["decode", "engine"]), st.floats(0, 1e6))),
    )
