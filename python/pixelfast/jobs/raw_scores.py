"""Raw scores: what a run has before its global pass, so that those of several runs can be put together first."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pixelfast.errors import ScoresError
from pixelfast.jobs.merge import differences
from pixelfast.jobs.score import finish
from pixelfast.machine.stopwatch import Stopwatch
from pixelfast.machine.threads import usable_threads
from pixelfast.notes import Notes
from pixelfast.options import USUAL_RATE
from pixelfast.pipeline.parts import Job, Part
from pixelfast.scores import Scores
from pixelfast.scores.schema import COLUMNS
from pixelfast.scores.why import Why, put_together


@dataclass(frozen=True, eq=False, repr=False)
class RawScores:
    """The raw scores of every frame, video by video: what `Scorer.raw` gives, before scores are normalised and ranked.

    Those of several calls are put together with `+`, in any order; `scores()` is what one call with all the footage
    would have given.

    Attributes:
        parts: one a video, as it is kept in a part file.
        job: the engine and the settings that they come from.
        notes: what was said aloud on the way, one sentence each.
        alarm_rate: at which normal footage may give events.

    Examples:
        >>> with pixelfast.Scorer("model") as scorer:
        ...     raw = scorer.raw("new/01") + scorer.raw("new/02")
        >>> raw
        RawScores(2 videos, 80 frames, reconstruction)
        >>> bool((raw.scores().rank == pixelfast.score("new", engine="model").rank).all())
        True
    """

    parts: tuple[Part, ...]
    job: Job
    notes: tuple[str, ...] = ()
    alarm_rate: str = USUAL_RATE

    def __len__(self) -> int:
        return int(self.lengths.sum())

    def __repr__(self) -> str:
        return f"RawScores({len(self.parts):,} videos, {len(self):,} frames, {self.job.settings['method']})"

    def __add__(self, other: "RawScores") -> "RawScores":
        """Puts raw scores together; a ScoresError where settings differ, or a video is in both."""
        if not isinstance(other, RawScores):
            return NotImplemented
        if self.job.fingerprint() != other.job.fingerprint():
            raise ScoresError(
                "raw scores of different engines or settings must not be mixed: "
                f"{differences(self.job, other.job)}: score with one Scorer"
            )
        if (self.job.smooth, self.job.calibration) != (other.job.smooth, other.job.calibration):
            raise ScoresError(
                f"raw scores with different smoothing or calibration (smooth {self.job.smooth} and "
                f"{other.job.smooth}) must not be mixed: score with one Scorer"
            )
        if twice := set(self.videos) & set(other.videos):
            raise ScoresError(
                f"video {min(twice)} is in both: give the folder above the videos, so that their names tell them apart"
            )
        return RawScores(
            self.parts + other.parts, self.job, tuple(dict.fromkeys(self.notes + other.notes)), self.alarm_rate
        )

    @property
    def videos(self) -> tuple[str, ...]:
        """Returns the names of the videos, in the order of the rows.

        Examples:
            >>> pixelfast.Scorer("model").raw("new").videos
            ('01', '02')
        """
        return tuple(part.video for part in self.parts)

    @property
    def lengths(self) -> NDArray[np.int64]:
        """Returns i64[V], the number of frames of each video.

        Examples:
            >>> pixelfast.Scorer("model").raw("new").lengths.tolist()
            [40, 40]
        """
        return np.array([len(part.raw) for part in self.parts], np.int64)

    @property
    def raw(self) -> NDArray[np.float32]:
        """Returns f32[N], the raw score of each frame, those of frozen frames as the method gave them.

        Examples:
            >>> pixelfast.Scorer("model").raw("new").raw.shape
            (80,)
        """
        return np.concatenate([np.zeros(0, np.float32), *(part.raw for part in self.parts)])

    @property
    def seconds(self) -> NDArray[np.float64] | None:
        """Returns f64[N], the times since the start of the video; None where a video has none.

        Examples:
            >>> pixelfast.Scorer("model").raw("new").seconds is None
            True
        """
        known = [part.record.seconds for part in self.parts if part.record.seconds is not None]
        return np.concatenate(known) if 0 < len(known) == len(self.parts) else None

    @property
    def why(self) -> Why | None:
        """Returns where in the picture and why, frame by frame; None where the method does not say.

        Examples:
            >>> pixelfast.Scorer("model").raw("new").why is None
            True
        """
        return put_together([part.why for part in self.parts])

    def marks(self, name: str) -> NDArray[Any]:
        """Returns what is known of each frame: "frame" i64[N]; bool[N] of "flipped", "repaired", "noisy", "frozen".

        Raises:
            ScoresError: another name.

        Examples:
            >>> int(pixelfast.Scorer("model").raw("new").marks("repaired").sum())
            1
        """
        if name not in (known := ("frame", "flipped", "repaired", "noisy", "frozen")):
            raise ScoresError(f"marks are {', '.join(known)}, not {name!r}")
        return np.concatenate([np.zeros(0, COLUMNS[name]), *(getattr(part.record, name) for part in self.parts)])

    def scores(self) -> Scores:
        """Returns the scores of all these frames, ranked among each other: the global pass.

        Examples:
            >>> pixelfast.Scorer("model").raw("new").scores()
            Scores(2 videos, 80 frames, reconstruction)
        """
        notes = Notes()
        notes.keep(self.notes)
        threads, rate = usable_threads(None), self.alarm_rate
        return finish(self.parts, self.job, [], notes=notes, watch=Stopwatch(), threads=threads, alarm_rate=rate)


def raw_scores(parts: Sequence[Part], job: Job, notes: Notes, alarm_rate: str = USUAL_RATE) -> RawScores:
    """Makes raw scores of the parts of a run."""
    return RawScores(tuple(parts), job, tuple(notes), alarm_rate)
