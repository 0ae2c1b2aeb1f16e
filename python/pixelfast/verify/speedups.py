"""Which way to run weights by PyTorch was the fastest: remembered, so that `pixelfast score` takes it."""

from collections.abc import Sequence
from dataclasses import replace

from pixelfast.runtime.torch.choice import remember_speedup
from pixelfast.verify.candidates import USUAL_PRECISION
from pixelfast.verify.measuring import Trial

_TAKEN = "the fastest way to run it here; `pixelfast score` takes it from now on"


def with_fastest_usual(trials: Sequence[Trial]) -> list[Trial]:
    """The trials of one kind of engine, the fastest speedup of PyTorch now the usual one; without a GPU as they are."""
    tried = {trial.candidate.way: trial for trial in trials if trial.candidate.way is not None and trial.passed}
    rates = {speedup: trial.best for (precision, speedup), trial in tried.items() if precision == USUAL_PRECISION}
    if not rates:
        return list(trials)
    chosen = USUAL_PRECISION, remember_speedup(trials[0].candidate.kind, USUAL_PRECISION, rates)
    return [trial if trial.candidate.way is None else _marked(trial, trial.candidate.way == chosen) for trial in trials]


def _marked(trial: Trial, usual: bool) -> Trial:
    remark = "; ".join(words for words in (trial.remark, _TAKEN if usual else "") if words)
    return replace(trial, candidate=replace(trial.candidate, usual=usual), remark=remark)
