"""Commands that are killed at a moment, run again, and compared with a run that nobody disturbed."""

import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

SEED = int(os.environ.get("PIXELFAST_KILL_SEED", "0"))
"""Of the moments, so that a failure can be had again, and `make long` can be given others."""


@dataclass
class Deed:
    """A command, whose results lie in `out` under its folder, and how it is run again after it was killed.

    Attributes:
        home: where it runs; all but `out` is only read.
        command: what stands behind `python`.
        again: the same for the run after; None where it is the very same.
        prepare: makes what `out` holds before; nothing else than an empty folder where None.
    """

    home: Path
    command: Sequence[str]
    again: Sequence[str] | None = None
    prepare: Callable[[Path], object] | None = None

    @property
    def out(self) -> Path:
        return self.home / "out"

    def begin(self) -> subprocess.Popen[str]:
        """Starts the command in a fresh `out`, as the first process of a group."""
        shutil.rmtree(self.out, ignore_errors=True)
        self.out.mkdir()
        if self.prepare is not None:
            self.prepare(self.out)
        return _start(self.home, self.command)

    def undisturbed(self) -> tuple[dict[str, bytes], float]:
        """The tree of results of a whole run, and how long it took."""
        begun = time.monotonic()
        _finish(self.begin())
        return tree(self.out), time.monotonic() - begun

    def killed(self, after: float) -> bool:
        """Runs the command, and kills it and its children after so many seconds; False where it was done before."""
        process = self.begin()
        try:
            process.communicate(timeout=after)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.communicate()
            return True
        return False

    def once_more(self, *, refused: bool = False) -> str:
        """Runs the command to its end over what was left; returns what it said."""
        return _finish(_start(self.home, self.command if self.again is None else self.again), int(refused))

    def moments(self, count: int) -> list[float]:
        """So many moments as shares of a run, at random, after the first fifth, in which Python starts."""
        chance = random.Random(f"{SEED} {self.command}")
        return [chance.uniform(0.2, 1.0) for _ in range(count)]


def tree(folder: Path) -> dict[str, bytes]:
    """Every file under a folder, hidden ones too, and every empty folder."""
    found = {}
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            found[str(path.relative_to(folder))] = path.read_bytes()
        elif not any(path.iterdir()):
            found[f"{path.relative_to(folder)}/"] = b""
    return found


def different(one: dict[str, bytes], other: dict[str, bytes]) -> list[str]:
    """The names that only one of two trees has, or that stand for other bytes."""
    return sorted(name for name in one.keys() | other.keys() if one.get(name) != other.get(name))


def _start(home: Path, command: Sequence[str]) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, *command], cwd=home, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        start_new_session=True,
    )  # fmt: skip


def _finish(process: subprocess.Popen[str], code: int = 0) -> str:
    said = process.communicate(timeout=600)[0]
    assert process.returncode == code, said
    return said
