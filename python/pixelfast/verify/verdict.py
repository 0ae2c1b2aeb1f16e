"""What is made of the trials: which engines fail, which is the fastest of those that are right, and the last line."""

from collections.abc import Sequence

from pixelfast.model import Model
from pixelfast.verify.machine import Machine
from pixelfast.verify.measuring import Trial


def verified(trials: Sequence[Trial], machine: Machine) -> bool:
    """Whether an engine is right, and none is wrong, fails, or should have been compared and could not be."""
    some = any(trial.passed for trial in trials)
    return some and not failing(trials, machine) and not (machine.gpu is not None and uncompared(trials))


def failing(trials: Sequence[Trial], machine: Machine) -> list[str]:
    """The engines that differ and, on a machine with a GPU, those that should run there and do not."""
    wrong = [trial for trial in trials if trial.agreement is not None and not trial.agreement.enough]
    if machine.gpu is not None:
        wrong += [trial for trial in trials if trial.agreement is None and trial.compared and _should_run(trial)]
    return [trial.candidate.label for trial in wrong]


def uncompared(trials: Sequence[Trial]) -> list[str]:
    """The engines that were not tried for want of something to compare them with."""
    return [trial.candidate.label for trial in trials if not trial.compared]


def _should_run(trial: Trial) -> bool:
    return trial.candidate.usual and not trial.candidate.elsewhere


def fastest(trials: Sequence[Trial], model: Model) -> Trial | None:
    """Of the engines that a whole run can take; None where it would lack one that is right."""
    motion = model.manifest.motion
    kind = "ae" if motion is None else "motion"
    right = [trial for trial in trials if trial.passed and trial.candidate.usual and trial.candidate.stride == 1]
    needed = {kind, "raft"} if motion is not None and motion.flow.kind == "raft" else {kind}
    if not needed <= {trial.candidate.kind for trial in right}:
        return None
    return max((trial for trial in right if trial.candidate.kind == kind), key=lambda trial: trial.best)


def verdict(trials: Sequence[Trial], machine: Machine, runners: str) -> str:
    """The last line.

    Args:
        trials: of all engines.
        machine: where they were tried.
        runners: what runs those that they were compared with.
    """
    ran = sum(trial.passed for trial in trials)
    words = [f"{ran} of {len(trials)} engines run here and agree with {runners}"]
    wrong = failing(trials, machine)
    if wrong:
        words.append(f"WRONG OR FAILING: {', '.join(wrong)}")
    if uncompared(trials):
        words.append(f"NOT COMPARED: {', '.join(uncompared(trials))}")
    if not any(trial.passed and trial.candidate.on_gpu for trial in trials):
        words.append("nothing was verified on a GPU")
    return "; ".join(words)
