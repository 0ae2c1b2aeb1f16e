"""`pixelfast verify`: are the engines right here, how fast are they, and what bounds a whole run?"""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pixelfast.cli.console import aside, facts, print_result, spoken_aloud, table
from pixelfast.cli.options import Threads

if TYPE_CHECKING:
    from pixelfast.runtime.trial import Trial
    from pixelfast.verify.machine import Machine
    from pixelfast.verify.records import Records
    from pixelfast.verify.whole_run import Facts

_NAME_COLUMNS = 14
"""Of the names of facts, which are printed as they come: so that all stand below each other."""


def verify(
    model: Annotated[Path, typer.Argument(metavar="MODEL", help="Model folder.", show_default=False)],
    *,
    source: Annotated[
        Path | None,
        typer.Option(metavar="FOOTAGE", help="Footage: a folder of videos, or one video.", show_default="made up"),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Folder for results.jsonl and report.txt, written as they come."),
    ] = None,
    budget: Annotated[
        float, typer.Option(min=1, metavar="S", help="Seconds in all: what no longer fits is left out and named.")
    ] = 540,
    frames: Annotated[
        int | None,
        typer.Option(
            min=1, metavar="N", help="Frames to make up without --source.", show_default="20000 with a GPU, else 1000"
        ),
    ] = None,
    seconds: Annotated[float, typer.Option(min=0, metavar="S", help="Seconds for each figure, about.")] = 1.0,
    threads: Threads = None,
) -> None:
    """Try every engine of a model here: is it right, how fast, and what bounds a run.

    $ pixelfast verify model/ --source new/ --out checked/

    Engines that are right and have no calibration get one, which is added to the model.

    Ends with a verdict, and with exit code 1 where an engine differs, or fails on a machine with a GPU.
    """
    right = print_verification(model, source, out=out, budget=budget, frames=frames, seconds=seconds, threads=threads)
    if not right:
        raise typer.Exit(1)


def print_verification(
    model: Path,
    source: Path | None,
    *,
    out: Path | None = None,
    budget: float = 540,
    frames: int | None = None,
    seconds: float = 1.0,
    threads: int | None = None,
    machine: "Machine | None" = None,
) -> bool:
    """Print what `pixelfast.verify.run.verify` finds, as it finds it; returns whether the engines are verified."""
    from pixelfast.verify import run
    from pixelfast.verify.records import Listener, Records

    with spoken_aloud(aside()), Records(out) as records:
        page = _Page(records)
        report = run.verify(
            model, source, frames=frames, seconds=seconds, budget=budget, threads=threads, machine=machine,
            records=records, listener=Listener(page.facts, page.trials, page.facts),
        )  # fmt: skip
    return report.verified


class _Page:
    """What is printed, and kept beside: groups of facts, and tables with room around them."""

    def __init__(self, records: "Records") -> None:
        self._records, self._after_a_table = records, False

    def facts(self, rows: "Facts") -> None:
        """Prints names and sentences, if any."""
        if rows:
            text = facts([(name.ljust(_NAME_COLUMNS), says) for name, says in rows])
            self._print(f"\n{text}" if self._after_a_table else text)
            self._after_a_table = False

    def trials(self, trials: "Sequence[Trial]") -> None:
        """Prints the table of one kind of engine."""
        self._print(f"\n{_table(trials)}")
        self._after_a_table = True

    def _print(self, text: str) -> None:
        print_result(text)
        self._records.text(text)


def _table(trials: "Sequence[Trial]") -> str:
    """A row an engine: first load, agreement, frames a second by the length of a call; then what does not run.

    The last column is of the call that an engine itself calls its best, with the length of that.
    """
    usual = trials[0].candidate.kind.lengths
    lengths = sorted({length for trial in trials for length in trial.rates if length in usual})
    rows = []
    for trial in trials:
        rates = [f"{trial.rates[length]:,.0f}" if length in trial.rates else "-" for length in lengths]
        words = "-" if trial.agreement is None else trial.agreement.words
        own = f"{trial.rates[trial.own_length]:,.0f} ({trial.own_length})" if trial.own_length in trial.rates else "-"
        rows.append([trial.candidate.label, f"{trial.first:.2f} s" if trial.rates else "-", words, *rates, own])
    remarks = [f"{trial.candidate.label}: {trial.remark}" for trial in trials if trial.remark]
    header = [
        "engine",
        "first load",
        trials[0].candidate.kind.measure,
        *(f"{length} a call" for length in lengths),
        "its own best",
    ]
    return "\n".join(["frames/s", table(header, rows), *remarks])
