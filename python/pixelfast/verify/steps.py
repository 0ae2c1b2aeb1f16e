"""What is done once the engines were tried, in the order of what it is worth."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from pixelfast.options import FlipMode
from pixelfast.runtime.trial import EngineKind, Trial
from pixelfast.training.cache import HELD_OUT_SHARE
from pixelfast.verify.calibrations import add_calibrations, uncalibrated
from pixelfast.verify.ceilings import BUS_BYTES, describe_ceilings
from pixelfast.verify.kernels import describe_kernels
from pixelfast.verify.plan_runner import LENGTHS, describe_plan_runner
from pixelfast.verify.repeated import LEAST_FRAMES, RUNS, describe_repeated
from pixelfast.verify.trying import Tryout
from pixelfast.verify.verdict import fastest
from pixelfast.verify.whole_run import Facts, describe_copying, describe_plain_loop, describe_whole_run

_LOADING: Final = 10.0
"""Seconds in which PyTorch and its GPU are ready, and a little work is done."""

_PASSES: Final = 5
"""Of all footage: decoded twice and scored, by whatever is slower, with some to spare."""


class VerifyStep(NamedTuple):
    """A step: its name, about how many seconds it takes, by what is known when it begins, and its work."""

    name: str
    seconds: Callable[[], float]
    run: Callable[[], Facts]


@dataclass
class Steps:
    """All steps after the trials.

    Attributes:
        tryout: what the engines were tried on.
        trials: of all engines.
        needed: the kinds without which nothing runs, the method's own first.
        wrong: what turned out to be wrong.
    """

    tryout: Tryout
    trials: Sequence[Trial]
    needed: Sequence[EngineKind]
    wrong: list[str] = field(default_factory=list)
    _rate: float = 0.0

    def in_order(self) -> Iterator[VerifyStep]:
        """Yields them from the one that is worth most to the one that is worth least."""
        seconds, on_gpu = self.tryout.seconds, self.tryout.machine.by_torch
        best = fastest(self.trials, self.needed)
        yield VerifyStep("whole score", lambda: self._whole_seconds(best), lambda: self._whole(best))
        yield VerifyStep("calibrations", lambda: self._calibration_seconds(best), self._calibrate)
        yield VerifyStep("plan runner", lambda: (2 * _LOADING + (2 + len(LENGTHS)) * seconds) * on_gpu, self._run_plans)
        measured = 1 + (2 + 4 * len(BUS_BYTES)) * on_gpu
        yield VerifyStep(
            "ceilings", lambda: 2 * measured * seconds, lambda: describe_ceilings(self.tryout.machine, seconds)
        )
        yield VerifyStep("dearest kernels", lambda: _LOADING, self._name_kernels)
        yield VerifyStep(f"{RUNS} scores", lambda: self._repeated_seconds(best), lambda: self._repeat(best))

    def _whole_seconds(self, best: Trial | None) -> float:
        frames = sum(video.length or 0 for video in self.tryout.videos)
        return 0.0 if best is None else _PASSES * (frames / best.best + self.tryout.seconds)

    def _whole(self, best: Trial | None) -> Facts:
        """What is said about whole runs."""
        tryout = self.tryout
        if best is None:
            folder = tryout.model.folder
            return [("whole score", f"not run: no engine of {folder} that it needs runs here as it should")]
        path, kind = best.candidate.path, best.candidate.kind
        self._rate, run = describe_whole_run(tryout.videos, path, flip=self._flip(), threads=tryout.threads)
        device = "cuda" if tryout.machine.by_torch else "cpu"
        subject, _ = tryout.subject(kind, best.candidate.stride)
        return [
            ("fastest", f"{best.candidate.label}: {best.best:,.0f} frames/s"),
            *describe_plain_loop(tryout.model, tryout.videos, device, best, rate=self._rate, seconds=tryout.seconds),
            *run,
            *describe_copying(best, subject.inputs(best.best_length), tryout.machine, tryout.seconds),
        ]

    def _flip(self) -> FlipMode:
        """Made-up frames have no right side up: the classifier works, and its verdict must not stop the run."""
        return "always" if self.tryout.made_up and self.tryout.model.flip_engine() is not None else "auto"

    def _calibration_seconds(self, best: Trial | None) -> float:
        """All of the training footage is decoded, and a tenth of it goes through each engine."""
        engines, training = uncalibrated(self.tryout.model, self.trials), self.tryout.model.manifest.training
        if not engines or training is None or best is None:
            return 0.0
        return training.frames * (1 + HELD_OUT_SHARE * len(engines)) / (self._rate or best.best)

    def _calibrate(self) -> Facts:
        engines = uncalibrated(self.tryout.model, self.trials)
        if engines:
            return [("calibrations", add_calibrations(self.tryout.model, engines, self.tryout.threads))]
        return [("calibrations", "every engine that is right here has its own")]

    def _run_plans(self) -> Facts:
        facts, right = describe_plan_runner(self.tryout.machine, self.tryout.seconds)
        self.wrong += [] if right else ["the runner of plans"]
        return facts

    def _name_kernels(self) -> Facts:
        return describe_kernels(self.tryout.model, self.needed[0], self.tryout.machine)

    def _repeated_seconds(self, best: Trial | None) -> float:
        if best is None:
            return 0.0
        return RUNS * (best.first + self._frames_again(best) / (self._rate or best.best))

    def _repeat(self, best: Trial | None) -> Facts:
        if best is None:
            return []
        tryout = self.tryout
        return describe_repeated(
            tryout.videos[0], best.candidate.path, tryout.machine, flip=self._flip(), threads=tryout.threads,
            frames=self._frames_again(best),
        )  # fmt: skip

    def _frames_again(self, best: Trial) -> int:
        """Frames of each of the repeated scores: so many seconds of work as a figure has."""
        return max(LEAST_FRAMES, int((self._rate or best.best) * self.tryout.seconds))
