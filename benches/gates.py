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

    def __str__(self) -> str:
        without = self.key.removeprefix("figure").replace("_", " ")
        return f"gate {times(self.least)} = {MARGIN} x {self.figure:g}{without}"


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


class Verdict(Enum):
    """What became of a gate."""

    PASSED = "passed"
    FAILED = "FAILED"
    SKIPPED = "SKIPPED"  # other work ran beside every repeat
    INCOMPLETE = "INCOMPLETE"  # a side did not finish
    UNGATED = "beside, never gated"
    UNKNOWN = "NO FIGURE in gates.toml"


BAD = {Verdict.FAILED, Verdict.INCOMPLETE, Verdict.UNKNOWN}


@dataclass
class Contest:
    """All repeats of one bench, and what its report line should add."""

    name: str
    gated: bool
    repeats: dict[int, Repeat] = field(default_factory=dict)
    note: str = ""

    def ratios(self, quiet_share: float) -> list[float]:
        """The ratios of the repeats during which the cores were free."""
        quiet = [repeat for repeat in self.repeats.values() if repeat.core_share >= quiet_share]
        return [repeat.ratio for repeat in quiet if repeat.ratio is not None]

    def judge(self, gate: Gate | None, quiet_share: float) -> Verdict:
        """The best quiet repeat decides."""
        if any(repeat.ratio is None for repeat in self.repeats.values()):
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
        all_ratios = [repeat.ratio for repeat in self.repeats.values() if repeat.ratio is not None]
        best = max(self.ratios(quiet_share) or all_ratios, default=math.nan)
        asked = str(gate) if gate and self.gated else ""
        measured = " ".join(times(ratio) for ratio in all_ratios)
        line = f"{self.name:<24}{times(best):>6}x  {asked:<36}{verdict.value}  (repeats: {measured})"
        if verdict is Verdict.SKIPPED:
            share = max(repeat.core_share for repeat in self.repeats.values())
            line += f"; other work was running: a loop on each of two cores got at best {share:.0%} of its core"
        return f"{line}; {self.note}" if self.note else line


def times(ratio: float) -> str:
    """A ratio in three digits or so: a stage that is slower than its peer needs them after the point."""
    return f"{ratio:.2f}" if ratio >= 1 else f"{ratio:.3f}"


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
    key = min(counts, key=lambda key: (entry[key], key))
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
