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


def verify(
    model: Annotated[Path, typer.Argument(metavar="MODEL", help="Model folder.", show_default=False)],
    *,
    source: Annotated[
        Path | None,
        typer.Option(metavar="FOOTAGE", help="Footage: a folder of videos, or one video.", show_default="made up"),
    ] = None,
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

    $ pixelfast verify model/ --source new/

    Ends with a verdict, and with exit code 1 where an engine differs, or fails on a machine with a GPU.
    """
    if not print_verification(model, source, frames=frames, seconds=seconds, threads=threads):
        raise typer.Exit(1)


def print_verification(
    model: Path,
    source: Path | None,
    *,
    frames: int | None = None,
    seconds: float = 1.0,
    threads: int | None = None,
    machine: "Machine | None" = None,
) -> bool:
    """Print what `pixelfast.verify.run.verify` finds, as it finds it; returns whether the engines are verified."""
    from pixelfast.verify import run

    with spoken_aloud(aside()):
        report = run.verify(
            model, source, frames=frames, seconds=seconds, threads=threads, machine=machine,
            begun=lambda rows: print_result(facts(rows)),
            tried=lambda trials: print_result(f"\n{_table(trials)}"),
        )  # fmt: skip
    print_result(f"\n{facts(report.facts)}")
    return report.verified


def _table(trials: "Sequence[Trial]") -> str:
    """A row an engine: first load, agreement, frames a second by the length of a call; then what does not run."""
    lengths = sorted({length for trial in trials for length in trial.rates})
    rows = []
    for trial in trials:
        rates = [f"{trial.rates[length]:,.0f}" if length in trial.rates else "-" for length in lengths]
        words = "-" if trial.agreement is None else trial.agreement.words
        rows.append([trial.candidate.label, f"{trial.first:.2f} s" if trial.rates else "-", words, *rates])
    remarks = [f"{trial.candidate.label}: {trial.remark}" for trial in trials if trial.remark]
    header = ["engine", "first load", trials[0].candidate.kind.measure, *(f"{length} a call" for length in lengths)]
    return "\n".join(["frames/s", table(header, rows), *remarks])
