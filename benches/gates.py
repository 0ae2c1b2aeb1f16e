"""Gates: how many times faster than the plain way a bench must be, and the judgement on what was measured."""

import math
import re
import tomllib
from collections.abc import Set
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path

from abilities import ABILITIES

MARGIN = 0.85  # a gate stands at this share of its figure


@dataclass(frozen=True)
class Gate:
    """A bench's figure (times the plain way) and the key it stands under in gates.toml."""

    name: str
    key: str
    figure: float

    @property
    def least(self) -> float:
        """The ratio below which the bench fails."""
        return MARGIN * self.figure

    @property
    def without(self) -> str:
        """What the machine lacks, so that this figure counts: "without vnni"; empty for the figure of all others."""
        return self.key.removeprefix("figure").removeprefix("_").replace("_", " ")

    def __str__(self) -> str:
        return f"gate {times(self.least)} = {MARGIN} x {self.figure:g} {self.without}".rstrip()


@dataclass
class Repeat:
    """One interleaved repeat: both sides' seconds and the smallest share of a core the calibration loops got."""

    ours: float | None = None
    plain: float | None = None
    core_share: float = 1.0

    @property
    def ratio(self) -> float | None:
        """How many times faster ours was; None while a side is missing."""
        return None if self.ours is None or self.plain is None else self.plain / self.ours

    def __str__(self) -> str:
        if self.ratio is not None:
            return f"{times(self.ratio)}x"
        return "-" if self.ours is None else f"{times(self.ours)} s"

    def done(self, peer: str | None) -> bool:
        """Whether every side has run."""
        return self.ours is not None and (peer is None or self.plain is not None)


class Verdict(Enum):
    """What became of a gate."""

    PASSED = "passed"
    FAILED = "FAILED"
    SKIPPED = "SKIPPED"  # other work ran beside every repeat
    INCOMPLETE = "INCOMPLETE"  # a side did not finish
    UNGATED = "not gated"
    UNKNOWN = "NO FIGURE in gates.toml"


BAD = {Verdict.FAILED, Verdict.INCOMPLETE, Verdict.UNKNOWN}


@dataclass
class Contest:
    """All repeats of one bench, and what the report says of it.

    Attributes:
        name: in gates.toml.
        gated: whether it must have a figure there.
        peer: what it runs against; None where it is timed alone.
        section: of the report.
        title: what is timed, in a line.
        items: what one call works on, in `unit`s; 0 where only seconds are shown.
        unit: "frames", "windows", "million values".
        note: what the line should add.
    """

    name: str
    gated: bool
    peer: str | None = "the plain way"
    section: str = ""
    title: str = ""
    items: float = 0
    unit: str = ""
    note: str = ""
    repeats: dict[int, Repeat] = field(default_factory=dict)

    def ratios(self, quiet_share: float) -> list[float]:
        """The ratios of the repeats during which the cores were free."""
        quiet = [repeat for repeat in self.repeats.values() if repeat.core_share >= quiet_share]
        return [repeat.ratio for repeat in quiet if repeat.ratio is not None]

    def best(self, quiet_share: float) -> Repeat | None:
        """The repeat that counts: the best quiet one, or the best of all where none was quiet."""
        done = [repeat for repeat in self.repeats.values() if repeat.done(self.peer)]
        quiet = [repeat for repeat in done if repeat.core_share >= quiet_share]
        return max(quiet or done, key=lambda repeat: repeat.ratio or 1 / (repeat.ours or math.inf), default=None)

    def judge(self, gate: Gate | None, quiet_share: float) -> Verdict:
        """The best quiet repeat decides."""
        if not all(repeat.done(self.peer) for repeat in self.repeats.values()):
            return Verdict.INCOMPLETE
        if not self.gated:
            return Verdict.UNGATED
        if gate is None:
            return Verdict.UNKNOWN
        ratios = self.ratios(quiet_share)
        if not ratios:
            return Verdict.SKIPPED
        return Verdict.PASSED if max(ratios) >= gate.least else Verdict.FAILED

    def line(self, gate: Gate | None, quiet_share: float) -> str:
        """The report's line: the verdict, what was measured, what was asked."""
        verdict = self.judge(gate, quiet_share)
        best = str(self.best(quiet_share) or "-")
        asked = str(gate) if gate and self.gated else ""
        measured = " ".join(str(repeat) for repeat in self.repeats.values())
        line = f"{self.name:<24}{best:>8}  {asked:<36}{verdict.value}  (repeats: {measured})"
        if verdict is Verdict.SKIPPED:
            share = max(repeat.core_share for repeat in self.repeats.values())
            line += f"; other work was running: a loop on each of two cores got at best {share:.0%} of its core"
        return f"{line}; {self.note}" if self.note else line


def times(ratio: float) -> str:
    """A ratio in three digits or so: a stage that is slower than its peer needs them after the point."""
    return f"{ratio:.{3 if ratio < 1 else 2 if ratio < 100 else 0}f}"


def load_gates(path: Path, abilities: Set[str]) -> dict[str, Gate]:
    """Reads gates.toml: of `figure` and each `figure_without_<ability>` that the machine lacks, the lowest counts.

    Raises:
        ValueError: a key that is neither, or an entry without `figure`.
    """
    return {name: _gate(name, entry, abilities) for name, entry in tomllib.loads(path.read_text()).items()}


def _gate(name: str, entry: dict[str, float], abilities: Set[str]) -> Gate:
    without = {f"figure_without_{ability}": ability for ability in ABILITIES}
    unknown = entry.keys() - without.keys() - {"figure"}
    if unknown or "figure" not in entry:
        wrong = f"has {', '.join(sorted(unknown))}" if unknown else "has no figure"
        raise ValueError(f"[{name}] of the gates {wrong}; known keys: figure, {', '.join(without)}")
    counts = [key for key in entry if without.get(key) not in abilities]
    key = min(counts, key=lambda key: (entry[key], key == "figure"))
    return Gate(name, key, float(entry[key]))


def ratchet(path: Path, gate: Gate, measured: float) -> bool:
    """Raises a gate's figure in gates.toml to what was measured; never lowers one. True when it was raised."""
    steps = 10 if measured >= 1 else 100
    raised = math.floor(measured * steps) / steps
    if raised <= gate.figure:
        return False
    entry = re.compile(rf"(^\[{re.escape(gate.name)}\][^\[]*?^{gate.key} = )[\d.]+", re.MULTILINE)
    text, found = entry.subn(rf"\g<1>{raised}", path.read_text())
    if found != 1:
        raise ValueError(f"{path} has no line '{gate.key} = ...' under [{gate.name}]")
    path.write_text(text)
    return True
