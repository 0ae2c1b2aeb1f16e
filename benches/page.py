"""docs/benchmarks.md: what the benches of one run measured, as Markdown."""

from collections.abc import Iterable, Mapping
from itertools import groupby
from typing import Final

from gates import Contest, Gate, Repeat, times

SECTIONS: Final = {
    "decode": "Decoding",
    "engines": "Engines",
    "score": "A whole run",
    "numerics": "Post-processing",
    "global_pass": "The global pass",
    "training": "Training",
}
"""Titles by the name of a bench's file, or the `section` of its mark, in the report's order; others come after."""

HEAD: Final = """\
# Benchmarks

Made by `make bench`, all of it, in one run: do not edit. Both sides of a bench run in turn, three times over;
the best ratio counts, and all are shown. {form}
A gate is what `benches/gates.toml` asks for (0.85 of a figure measured before); a bench below it fails.
A ratio above 1 is how many times faster pixelfast is, one below 1 its share of the peer's speed.
"""
FORMS: Final = {True: "This was the short form that CI runs, on small inputs.", False: "Inputs are of full size."}
TABLE: Final = """\
| What | Peer | pixelfast | Peer's | Times faster | Repeats | Gate | Verdict |
| --- | --- | ---: | ---: | ---: | --- | ---: | --- |"""


def page(
    contests: Iterable[Contest],
    gates: Mapping[str, Gate],
    quiet_share: float,
    machine: Mapping[str, str],
    *,
    short: bool = False,
    chart: str = "",
) -> str:
    """The whole document.

    Args:
        contests: what was measured.
        gates: what was asked for.
        quiet_share: the share of a core above which a repeat counts.
        machine: facts by name.
        short: whether inputs were small.
        chart: the file name of the picture, in the document's folder; empty for none.
    """
    parts = [HEAD.format(form=FORMS[short])]
    parts += [f"![Times faster than each peer, on a logarithmic scale]({chart})\n"] if chart else []
    parts.append("| Machine | |\n| --- | --- |\n" + "".join(f"| {name} | {fact} |\n" for name, fact in machine.items()))
    for section, group in groupby(in_order(contests), key=lambda contest: contest.section):
        rows = [_row(contest, gates.get(contest.name), quiet_share) for contest in group]
        parts.append("\n".join([f"## {title(section)}\n", TABLE, *rows]) + "\n")
    return "\n".join(parts)


def in_order(contests: Iterable[Contest]) -> list[Contest]:
    """Section by section, in each as they ran."""
    known = list(SECTIONS)
    return sorted(contests, key=lambda one: (known.index(one.section) if one.section in known else 99, one.section))


def title(section: str) -> str:
    """A section's heading."""
    return SECTIONS.get(section, section.replace("_", " ").capitalize())


def _row(contest: Contest, gate: Gate | None, quiet_share: float) -> str:
    best = contest.best(quiet_share) or Repeat()
    what = f"{contest.title}<br>`{contest.name}`{f'; {contest.note}' if contest.note else ''}".removeprefix("<br>")
    cells = [
        what,
        contest.peer or "none",
        speed(best.ours, contest),
        speed(best.plain, contest),
        "" if best.ratio is None else f"**{times(best.ratio)}**",
        " ".join(times(repeat.ratio) for repeat in contest.repeats.values() if repeat.ratio is not None),
        _asked(gate) if gate and contest.gated else "",
        contest.judge(gate, quiet_share).value,
    ]
    return f"| {' | '.join(cell.replace('|', '/') for cell in cells)} |"


def _asked(gate: Gate) -> str:
    return f"{times(gate.least)} ({gate.without})" if gate.without else times(gate.least)


def speed(seconds: float | None, contest: Contest) -> str:
    """Items a second where the bench counts them, else the seconds of one call."""
    if seconds is None:
        return ""
    if contest.items:
        return f"{three_digits(contest.items / seconds)} {contest.unit}/s"
    return f"{three_digits(seconds)} s" if seconds >= 1 else f"{three_digits(1000 * seconds)} ms"


def three_digits(value: float) -> str:
    """41234.5 as 41,200 and 0.01234 as 0.0123."""
    rounded = float(f"{value:.3g}")
    return f"{rounded:,.0f}" if rounded >= 100 else f"{rounded:.3g}"
