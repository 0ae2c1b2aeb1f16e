"""From footage to a density model: it is looked at once."""

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict
from itertools import chain, groupby, pairwise
from operator import itemgetter
from typing import Final

import numpy as np
from numpy.typing import NDArray

from pixelfast.cleaning.cleaned import Cleaned
from pixelfast.cleaning.footage import cleaned_footage
from pixelfast.errors import ModelError
from pixelfast.machine.stopwatch import Stopwatch
from pixelfast.methods.density import block_side
from pixelfast.methods.density.alarms import observe, promise
from pixelfast.methods.density.cells import Cells, CellStream
from pixelfast.methods.density.learning import learn
from pixelfast.methods.density.over_time import joined
from pixelfast.methods.density.recipe import DensityRecipe
from pixelfast.methods.density.scoring import size_of, working_frames
from pixelfast.methods.density.stored import facts_of, save
from pixelfast.methods.trained import Trained, TrainingJob
from pixelfast.model.names import EngineName
from pixelfast.sources import Video

MOST_FRAMES: Final = 6000
"""Frames that are learnt from, at most; of longer footage stretches of so many together, evenly spread."""

_STRETCH: Final = 250
"""Frames of one stretch."""

_A_VIDEO, _PICTURES = 20, 100
"""Frames of a video, and of all, whose median is the usual picture."""


def train_density(job: TrainingJob) -> Trained:
    """Learns what normal footage shows, and writes it.

    Raises:
        ModelError: the footage is too little to compare with itself.
        OutputError: the working folder cannot be written.
    """
    recipe: DensityRecipe = job.recipe.own
    by_name = {video.name: video for video in job.videos}
    size, used, name = size_of(job.videos), job.cache.videos, EngineName("density", kind="safetensors")
    total = sum(video.length for video in used)
    share = min(1.0, MOST_FRAMES / total)
    if share < 1:
        job.notes.say(f"density learns from about {MOST_FRAMES:,} of {total:,} frames, in stretches evenly spread")
    stretch = min(_STRETCH, int(np.median([video.length for video in used])))
    cells, pictures = list[Cells](), list[NDArray[np.uint8]]()
    with job.phase("cells"):
        for video in used:
            edges = (np.arange(video.length) + video.offset) // stretch
            kept = np.floor((edges + 1) * share) > np.floor(edges * share)
            if kept.any():
                cells.append(_cells(job, by_name[video.name], size, kept, pictures))
            job.tell("cells", video.offset + video.length, total, f"video {video.name}")
    if sum(len(one.speed) for one in cells) < 3:
        raise ModelError("the footage is too short to compare with itself: train on more")
    with job.phase("train"):
        job.tell("learn", 0, 1)
        learnt = learn(cells, block_side(*size), recipe, job.request.seed, job.threads, live=bool(job.options["live"]))
    alarms = observe(learnt.held_out, by_video=recipe.by_video)
    save(learnt.known, usual_picture(pictures), job.workdir / str(name))
    own = facts_of(learnt.known, size, alarms)
    held_out = ((f"video {at}", some.reshape(-1, 1, 1)) for at, some in enumerate(learnt.raw()))
    frames = sum(len(one.speed) for one in cells)
    report = {"settings": {"density": asdict(recipe)}, "outcome": promise(alarms), "frames": frames}
    return Trained(str(name), 1, report, held_out, own, grid=max(cells[0].speed.shape[1:]))


def usual_picture(pictures: Sequence[NDArray[np.uint8]]) -> NDArray[np.float32]:
    """Returns f32[H, W], the median of some frames u8[H, W]: what stands still."""
    some = np.stack(pictures[:: math.ceil(len(pictures) / _PICTURES)])
    return np.asarray(np.median(some, axis=0), np.float32)


def _cells(
    job: TrainingJob,
    video: Video,
    size: tuple[int, int],
    kept: NDArray[np.bool_],
    pictures: list[NDArray[np.uint8]],
) -> Cells:
    """The cells of those frames of a video that are kept; flow runs across no gap. Keeps some of its `pictures`."""
    frames = cleaned_footage(video, working_frames(*size), bridge_noisy=True, threads=job.threads)
    seen = _seen(frames, pictures, max(1, len(kept) // _A_VIDEO))
    stretches = (
        CellStream(job.threads, Stopwatch()).run(piece for _, piece in pieces)
        for learnt, pieces in groupby(_cut(seen, kept), itemgetter(0))
        if learnt
    )
    return Cells(*joined(chain.from_iterable(stretches)))


def _seen(frames: Iterable[Cleaned], pictures: list[NDArray[np.uint8]], every: int) -> Iterator[Cleaned]:
    """The same frames; one of so many usable ones is kept."""
    done = 0
    for some in frames:
        pictures += [some.frames[at].copy() for at in range(-done % every, len(some.usable), every) if some.usable[at]]
        done += len(some.usable)
        yield some


def _cut(frames: Iterable[Cleaned], kept: NDArray[np.bool_]) -> Iterator[tuple[bool, Cleaned]]:
    """The same frames in pieces that are kept whole, or not at all."""
    done = 0
    for some in frames:
        now = kept[done : done + len(some.frames)]
        for start, stop in pairwise((0, *(np.flatnonzero(np.diff(now)) + 1).tolist(), len(now))):
            yield bool(now[start]), some.cut(start, stop)
        done += len(now)
