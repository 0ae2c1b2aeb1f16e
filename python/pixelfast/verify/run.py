"""Tries every engine of a model: what `pixelfast verify` does."""

from collections.abc import Callable, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from functools import partial
from os import PathLike
from pathlib import Path
from typing import Final

from pixelfast.arguments import checked, number, whole
from pixelfast.errors import EngineError, ModelError, first_line
from pixelfast.flip.trial import flip_kind
from pixelfast.machine.imports import installed_version
from pixelfast.machine.processor import name_of_processor
from pixelfast.machine.threads import usable_threads
from pixelfast.methods.registry import find_method
from pixelfast.model import Model
from pixelfast.runtime.trial import EngineKind, Trial
from pixelfast.sources import open_source
from pixelfast.verify.budget import Budget
from pixelfast.verify.candidates import describe_references, describe_runners, find_candidates
from pixelfast.verify.footage import made_up_source
from pixelfast.verify.machine import Machine, this_machine
from pixelfast.verify.records import Listener, Records
from pixelfast.verify.said_once import said_once
from pixelfast.verify.steps import Steps, VerifyStep
from pixelfast.verify.trying import Tryout
from pixelfast.verify.verdict import verdict, verified, with_fastest_usual
from pixelfast.verify.whole_run import Facts

_ON_A_GPU: Final = 20_000
_ON_A_CPU: Final = 1_000
"""Made-up frames: seconds of work on either."""

_PACKAGES: Final = ("pixelfast", "onnxruntime", "onnxruntime-gpu", "openvino", "torch", "triton", "cuda-bindings")
"""On which speeds depend."""

MOST_FRAMES: Final = 1_000_000
MOST_SECONDS: Final = 3600
"""Beyond these a verification takes a day."""

USUAL_BUDGET: Final = 540
MOST_BUDGET: Final = 86_400
"""Seconds in all."""


@dataclass(frozen=True)
class VerifyReport:
    """What a verification found.

    Attributes:
        trials: of each engine.
        facts: about the whole run and the machine, the verdict last, as names and sentences.
        verified: whether an engine is right, and nothing differs or fails that should run here.
    """

    trials: list[Trial]
    facts: Facts
    verified: bool


@checked(
    frames=partial(whole, least=1, most=MOST_FRAMES),
    seconds=partial(number, least=0, most=MOST_SECONDS),
    budget=partial(number, least=1, most=MOST_BUDGET),
)
def verify(
    model: str | PathLike[str],
    source: str | PathLike[str] | None = None,
    *,
    frames: int | None = None,
    seconds: float = 1.0,
    budget: float = USUAL_BUDGET,
    threads: int | None = None,
    machine: Machine | None = None,
    records: Records | None = None,
    listener: Listener | None = None,
) -> VerifyReport:
    """Tries every engine of a model on this machine: is it right, how fast is it, and what bounds a whole run.

    Engines that are right and have no calibration get one, which is added to the model.

    Args:
        model: the model folder.
        source: footage of one's own; None makes some up.
        frames: how many are made up; None takes seconds of work.
        seconds: how long each figure is measured, about.
        budget: seconds in all, about: what no longer fits, in the order of what it is worth, is left out and named.
        threads: None takes the cores that this process may use.
        machine: what the engines are tried on; None takes this one.
        records: keeps what is found, as it is found.
        listener: told what is found, as it is found.

    Raises:
        ModelError: there is no such model, it is damaged, or it holds no engine, or the only one that its method has.
        ArgumentError: a number is none, or beyond sense.
        OutputError: the records cannot be written.
        PixelfastError: there is no such footage, or as `pixelfast.score`.
    """
    left = Budget(budget)
    machine, listener, records = machine or this_machine(), listener or Listener(), records or Records()
    count, loaded = usable_threads(threads), Model.load(model)
    own = _kinds(loaded)
    many = frames or (_ON_A_CPU if machine.gpu is None else _ON_A_GPU)
    with said_once(), made_up_source(many) if source is None else nullcontext(Path(source)) as folder:
        videos = open_source(folder, reading=loaded.manifest.reading)
        tryout = Tryout(loaded, videos, source is None, seconds, count, machine)
        whose = "made up, JPEG of 640x360" if source is None else f"of {source}"
        return _Verification(tryout, own, left, records, listener).run(whose)


def _kinds(model: Model) -> list[EngineKind]:
    """The kinds of engine that a run of the model takes, its method's own first."""
    needed = find_method(model.manifest.method).engines(model.manifest)
    if needed:
        return needed
    own = f"{model.folder} holds a {model.manifest.method} model, which has its only engine"
    raise ModelError(f"{own}: there is no other to compare it with, and its file was checked when it was opened")


def _found(step: VerifyStep, wrong: list[str]) -> Facts:
    """What a step finds; one that an engine or PyTorch stops is wrong, and the others go on."""
    try:
        return step.run()
    except (EngineError, RuntimeError) as error:
        wrong.append(step.name)
        return [(step.name, f"FAILS: {first_line(error)}")]


@dataclass
class _Verification:
    """What `verify` is asked for; `needed` are the kinds of engine without which nothing runs."""

    tryout: Tryout
    needed: list[EngineKind]
    budget: Budget
    records: Records
    listener: Listener

    def run(self, whose: str) -> VerifyReport:
        """See `verify`; `whose` says where the frames come from."""
        tryout, model = self.tryout, self.tryout.model
        flips = [] if model.manifest.flip is None else [flip_kind(model.manifest.height, model.manifest.width)]
        found = find_candidates(model, [*self.needed, *flips], tryout.threads, tryout.machine)
        if not found:
            raise ModelError(f"{model.folder} holds no engine: train it, or export one")
        kinds = list(dict.fromkeys(one.kind for one in found))
        self._tell(self.listener.begun, self._facts(kinds, whose))
        trials: list[Trial] = []
        for kind in kinds:
            some = []
            for one in found:
                if one.kind is kind:
                    some.append(tryout.trial(one, self.budget))
                    self.records.trial(some[-1])
            some = with_fastest_usual(some)
            self.listener.tried(some)
            trials += some
        steps = Steps(tryout, trials, self.needed)
        facts = self._go_through(steps)
        last = verdict(trials, tryout.machine, describe_runners(model, kinds), steps.wrong)
        end = [*([("left out", self.budget.words())] if self.budget.left_out else []), ("verdict", last)]
        self._tell(self.listener.told, end)
        return VerifyReport(trials, [*facts, *end], verified(trials, tryout.machine) and not steps.wrong)

    def _go_through(self, steps: Steps) -> Facts:
        """What the steps find that there is time for."""
        facts: Facts = []
        for step in steps.in_order():
            if self.budget.fits(step.name, step.seconds()):
                found = _found(step, steps.wrong)
                self._tell(self.listener.told, found)
                facts += found
        return facts

    def _tell(self, whom: Callable[[Facts], object], facts: Facts) -> None:
        for name, says in facts:
            self.records.fact(name, says)
        whom(facts)

    def _facts(self, kinds: Sequence[EngineKind], whose: str) -> Facts:
        tryout = self.tryout
        versions = {name: installed_version(name) for name in _PACKAGES}
        flavours = ", ".join(f"{name} {version}" for name, version in tryout.machine.versions.items())
        return [
            ("GPU", tryout.machine.words()),
            ("TensorRT", flavours or "not installed"),
            ("model", f"{tryout.model.folder}, {tryout.model.manifest.method}"),
            ("frames", f"{sum(video.length or 0 for video in tryout.videos):,} {whose}"),
            ("threads", f"{tryout.threads}; {name_of_processor()}"),
            ("versions", ", ".join(f"{name} {version}" for name, version in versions.items() if version is not None)),
            ("compared with", describe_references(tryout.model, kinds)),
        ]
