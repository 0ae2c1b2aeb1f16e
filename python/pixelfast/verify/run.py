"""Tries every engine of a model: what `pixelfast verify` does."""

from collections.abc import Callable, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field, replace
from functools import partial
from os import PathLike
from pathlib import Path
from typing import Any, Final

from pixelfast.arguments import checked, number, whole
from pixelfast.errors import EngineError, ModelError
from pixelfast.machine.threads import usable_threads
from pixelfast.methods.registry import find_method
from pixelfast.model import Model
from pixelfast.options import FlipMode
from pixelfast.runtime.trial import Candidate, EngineKind, Subject, Trial, try_engine
from pixelfast.sources import Video, open_source
from pixelfast.verify.candidates import (
    describe_references,
    describe_runners,
    find_candidates,
    find_reference,
    load_reference,
)
from pixelfast.verify.footage import footage_of, made_up_source
from pixelfast.verify.machine import Machine, this_machine
from pixelfast.verify.verdict import fastest, verdict, verified, with_fastest_usual
from pixelfast.verify.whole_run import Facts, describe_copying, describe_plain_loop, describe_whole_run

_ON_A_GPU: Final = 20_000
_ON_A_CPU: Final = 1_000
"""Made-up frames: seconds of work on either."""

MOST_FRAMES: Final = 1_000_000
MOST_SECONDS: Final = 3600
"""Beyond these a verification takes a day."""


@dataclass(frozen=True)
class VerifyReport:
    """What a verification found.

    Attributes:
        trials: of each engine.
        facts: about the whole run, the verdict last, as names and sentences.
        verified: whether an engine is right, and none differs or fails that should run here.
    """

    trials: list[Trial]
    facts: Facts
    verified: bool


@checked(frames=partial(whole, least=1, most=MOST_FRAMES), seconds=partial(number, least=0, most=MOST_SECONDS))
def verify(
    model: str | PathLike[str],
    source: str | PathLike[str] | None = None,
    *,
    frames: int | None = None,
    seconds: float = 1.0,
    threads: int | None = None,
    machine: Machine | None = None,
    begun: Callable[[Facts], object] = lambda _: None,
    tried: Callable[[Sequence[Trial]], object] = lambda _: None,
) -> VerifyReport:
    """Tries every engine of a model on this machine: is it right, how fast is it, and what bounds a whole run.

    Args:
        model: the model folder.
        source: footage of one's own; None makes some up.
        frames: how many are made up; None takes seconds of work.
        seconds: how long each figure is measured, about.
        threads: None takes the cores that this process may use.
        machine: what the engines are tried on; None takes this one.
        begun: told at first what is there, as names and sentences.
        tried: told the trials of each kind of engine, as soon as they are done.

    Raises:
        ModelError: there is no such model, it is damaged, or it holds no engine, or the only one that its method has.
        ArgumentError: a number is none, or beyond sense.
        PixelfastError: there is no such footage, or as `pixelfast.score`.
    """
    machine = machine or this_machine()
    count, loaded = usable_threads(threads), Model.load(model)
    many = frames or (_ON_A_CPU if machine.gpu is None else _ON_A_GPU)
    with made_up_source(many) if source is None else nullcontext(Path(source)) as folder:
        videos = open_source(folder, reading=loaded.manifest.reading)
        verification = _Verification(loaded, videos, source is None, seconds, count, machine)
        return verification.run("made up, JPEG of 640x360" if source is None else f"of {source}", begun, tried)


@dataclass
class _Verification:
    """What `verify` is asked for, and what has been loaded for it; `made_up`: whether nobody gave the videos."""

    model: Model
    videos: list[Video]
    made_up: bool
    seconds: float
    threads: int
    machine: Machine
    _references: dict[str, Any] = field(default_factory=dict)
    _subjects: dict[tuple[str, int], tuple[Subject, Any]] = field(default_factory=dict)

    def run(
        self, whose: str, begun: Callable[[Facts], object], tried: Callable[[Sequence[Trial]], object]
    ) -> VerifyReport:
        """See `verify`; `whose` says where the frames come from."""
        needed = find_method(self.model.manifest.method).engines(self.model.manifest)
        if not needed:
            own = f"{self.model.folder} holds a {self.model.manifest.method} model, which has its only engine"
            raise ModelError(
                f"{own}: there is no other to compare it with, and its file was checked when it was opened"
            )
        found = find_candidates(self.model, needed, self.threads, self.machine)
        if not found:
            raise ModelError(f"{self.model.folder} holds no engine: train it, or export one")
        kinds = list({one.kind.stem: one.kind for one in found}.values())
        begun(self._facts(kinds, whose))
        trials: list[Trial] = []
        for kind in kinds:
            some = with_fastest_usual([self._try(one) for one in found if one.kind is kind])
            tried(some)
            trials += some
        last = verdict(trials, self.machine, describe_runners(self.model, kinds))
        facts = [*self._whole(fastest(trials, needed)), ("verdict", last)]
        return VerifyReport(trials, facts, verified(trials, self.machine))

    def _facts(self, kinds: Sequence[EngineKind], whose: str) -> Facts:
        flavours = ", ".join(f"{name} {version}" for name, version in self.machine.versions.items())
        return [
            ("GPU", self.machine.words()),
            ("TensorRT", flavours or "not installed"),
            ("model", f"{self.model.folder}, {self.model.manifest.method}"),
            ("frames", f"{sum(video.length or 0 for video in self.videos):,} {whose}"),
            ("threads", str(self.threads)),
            ("compared with", describe_references(self.model, kinds)),
        ]

    def _try(self, candidate: Candidate) -> Trial:
        """One engine, compared with the reference on the same inputs."""
        if candidate.elsewhere:
            return Trial(candidate, remark=candidate.elsewhere)
        try:
            subject, expected = self._subject(candidate.kind, candidate.stride)
        except EngineError as error:
            return Trial(candidate, remark=f"not tried, there is nothing to compare it with: {error}", compared=False)
        trial = try_engine(candidate, subject, expected, self.seconds)
        by_torch_on_a_cpu = candidate.path.suffix == ".safetensors" and not candidate.on_gpu
        if trial.passed and by_torch_on_a_cpu and find_reference(self.model, candidate.kind) == candidate.path:
            return replace(trial, remark="compared with itself, as the model has no ONNX file")
        return trial

    def _subject(self, kind: EngineKind, stride: int) -> tuple[Subject, Any]:
        """What engines of a kind and stride are tried on, and what the reference makes of it."""
        if kind.stem not in self._references:
            self._references[kind.stem] = load_reference(self.model, kind, self.threads)
        key, reference = (kind.stem, stride), self._references[kind.stem]
        if key not in self._subjects:
            subject = kind.subject(footage_of(self.videos), reference, stride)
            self._subjects[key] = subject, subject.run(reference, subject.inputs(kind.compared))
        return self._subjects[key]

    def _whole(self, best: Trial | None) -> Facts:
        """What is said about whole runs."""
        if best is None:
            return [("whole score", f"not run: no engine of {self.model.folder} that it needs runs here as it should")]
        # Made-up frames have no right side up: the classifier works, and its verdict must not stop the run.
        flip: FlipMode = "always" if self.made_up and self.model.flip_engine() is not None else "auto"
        path, kind = best.candidate.path, best.candidate.kind
        rate, run = describe_whole_run(self.videos, path, flip=flip, threads=self.threads)
        device = "cuda" if self.machine.by_torch else "cpu"
        subject, _ = self._subject(kind, best.candidate.stride)
        return [
            ("fastest", f"{best.candidate.label}: {best.best:,.0f} frames/s"),
            *describe_plain_loop(self.model, self.videos, device, best, rate=rate, seconds=self.seconds),
            *run,
            *describe_copying(best, subject.inputs(best.best_length), self.machine, self.seconds),
        ]
