"""Trying the engines of a model one after another, each on the same inputs as the reference of its kind."""

from dataclasses import dataclass, field, replace
from typing import Any, Final

from pixelfast.errors import EngineError
from pixelfast.model import Model
from pixelfast.runtime.trial import Candidate, EngineKind, Subject, Trial, try_engine
from pixelfast.sources import Video
from pixelfast.verify.budget import Budget
from pixelfast.verify.candidates import find_reference, load_reference
from pixelfast.verify.footage import footage_of
from pixelfast.verify.machine import Machine

_COMPILING: Final = 60.0
"""Seconds of torch.compile, about."""

_OPENING: Final = 2.0


@dataclass
class Tryout:
    """What engines are tried on, and what has been loaded for it.

    Attributes:
        model: theirs.
        videos: what they are tried on.
        made_up: whether nobody gave the videos.
        seconds: how long each figure is measured, about.
        threads: of a call on a CPU.
        machine: what they are tried on.
    """

    model: Model
    videos: list[Video]
    made_up: bool
    seconds: float
    threads: int
    machine: Machine
    _references: dict[str, Any] = field(default_factory=dict)
    _subjects: dict[tuple[str, int], tuple[Subject, Any]] = field(default_factory=dict)

    def trial(self, candidate: Candidate, budget: Budget) -> Trial:
        """Tries one engine, where it should run here and there is time for it."""
        if candidate.elsewhere:
            return Trial(candidate, remark=candidate.elsewhere)
        if not budget.fits(candidate.label, self._needed(candidate)):
            late = replace(candidate, elsewhere="left out: it no longer fits into the budget")
            return Trial(late, remark=late.elsewhere)
        try:
            subject, expected = self.subject(candidate.kind, candidate.stride)
        except EngineError as error:
            return Trial(candidate, remark=f"not tried, there is nothing to compare it with: {error}", compared=False)
        trial = try_engine(candidate, subject, expected, self.seconds)
        by_torch_on_a_cpu = candidate.path.suffix == ".safetensors" and not candidate.on_gpu
        if trial.passed and by_torch_on_a_cpu and find_reference(self.model, candidate.kind) == candidate.path:
            return replace(trial, remark="compared with itself, as the model has no ONNX file")
        return trial

    def subject(self, kind: EngineKind, stride: int) -> tuple[Subject, Any]:
        """What engines of a kind and stride are tried on, and what the reference makes of it.

        Raises:
            EngineError: there is no reference, or it cannot be loaded.
        """
        if kind.stem not in self._references:
            self._references[kind.stem] = load_reference(self.model, kind, self.threads)
        key, reference = (kind.stem, stride), self._references[kind.stem]
        if key not in self._subjects:
            subject = kind.subject(footage_of(self.videos), reference, stride)
            self._subjects[key] = subject, subject.run(reference, subject.inputs(kind.compared))
        return self._subjects[key]

    def _needed(self, candidate: Candidate) -> float:
        """About how many seconds it takes."""
        compiles = candidate.way is not None and candidate.way[1] == "compile"
        return (_COMPILING if compiles else _OPENING) + self.seconds * (len(candidate.kind.lengths) + 1)
