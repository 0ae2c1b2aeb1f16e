"""What is made of the trials: which engines fail, which is the fastest of those that are right, and the last line."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from pixelfast.runtime.torch.choice import remember_speedup
from pixelfast.runtime.trial import EngineKind, Trial
from pixelfast.verify.candidates import USUAL_PRECISION
from pixelfast.verify.machine import Machine

_TAKEN: Final = "the fastest way to run it here; `pixelfast score` takes it from now on"


def with_fastest_usual(trials: Sequence[Trial]) -> list[Trial]:
    """The trials of one kind of engine, the fastest speedup of PyTorch now the usual one; without a GPU as they are."""
    tried = {trial.candidate.way: trial for trial in trials if trial.candidate.way is not None and trial.passed}
    rates = {speedup: trial.best for (precision, speedup), trial in tried.items() if precision == USUAL_PRECISION}
    if not rates:
        return list(trials)
    chosen = USUAL_PRECISION, remember_speedup(trials[0].candidate.kind.stem, USUAL_PRECISION, rates)
    return [trial if trial.candidate.way is None else _marked(trial, trial.candidate.way == chosen) for trial in trials]


def _marked(trial: Trial, usual: bool) -> Trial:
    remark = "; ".join(words for words in (trial.remark, _TAKEN if usual else "") if words)
    return replace(trial, candidate=replace(trial.candidate, usual=usual), remark=remark)


def verified(trials: Sequence[Trial], machine: Machine) -> bool:
    """Whether an engine is right, and none is wrong, fails, or should have been compared and could not be."""
    some = any(trial.passed for trial in trials)
    return some and not failing(trials, machine) and not (machine.gpu is not None and uncompared(trials))


def failing(trials: Sequence[Trial], machine: Machine) -> list[str]:
    """The engines that differ and, on a machine with a GPU, those that should run there and do not."""
    wrong = [trial for trial in trials if trial.agreement is not None and not trial.agreement.enough]
    if machine.gpu is not None:
        stopped = [trial for trial in trials if trial.agreement is None and trial.compared]
        wrong += [trial for trial in stopped if trial.candidate.usual and not trial.candidate.elsewhere]
    return [trial.candidate.label for trial in wrong]


def uncompared(trials: Sequence[Trial]) -> list[str]:
    """The engines that were not tried for want of something to compare them with."""
    return [trial.candidate.label for trial in trials if not trial.compared]


def fastest(trials: Sequence[Trial], kinds: Sequence[EngineKind]) -> Trial | None:
    """Of the engines that a whole run can take; None where it would lack one that is right.

    Args:
        trials: of all engines.
        kinds: of engine that a run takes, the method's own first.
    """
    right = [trial for trial in trials if trial.passed and trial.candidate.usual and trial.candidate.stride == 1]
    if not {kind.stem for kind in kinds} <= {trial.candidate.kind.stem for trial in right}:
        return None
    own = [trial for trial in right if trial.candidate.kind.stem == kinds[0].stem]
    return max(own, key=lambda trial: trial.best)


def verdict(trials: Sequence[Trial], machine: Machine, runners: str, others: Sequence[str] = ()) -> str:
    """The last line, of the trials of all engines.

    Args:
        trials: of all engines.
        machine: what they were tried on.
        runners: what runs those that they were compared with.
        others: what else is wrong.
    """
    ran = sum(trial.passed for trial in trials)
    words = [f"{ran} of {len(trials)} engines run here and agree with {runners}"]
    wrong = [*failing(trials, machine), *others]
    if wrong:
        words.append(f"WRONG OR FAILING: {', '.join(wrong)}")
    if uncompared(trials):
        words.append(f"NOT COMPARED: {', '.join(uncompared(trials))}")
    if not any(trial.passed and trial.candidate.on_gpu for trial in trials):
        words.append("nothing was verified on a GPU")
    return "; ".join(words)
