"""Who gets to know what a verification finds, as soon as it is found: a caller, and files that outlast it."""

import json
from collections.abc import Callable, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self, TextIO

from pixelfast.files.refused import write_error
from pixelfast.runtime.trial import Trial
from pixelfast.verify.whole_run import Facts

LINES: Final = "results.jsonl"
TEXT: Final = "report.txt"


@dataclass(frozen=True)
class Listener:
    """Who is told what is found, as it is found.

    Attributes:
        begun: told at first what is there, as names and sentences.
        tried: told the trials of each kind of engine, as soon as they are done.
        told: told what each further step finds, as names and sentences, and the verdict at the end.
    """

    begun: Callable[[Facts], object] = lambda _: None
    tried: Callable[[Sequence[Trial]], object] = lambda _: None
    told: Callable[[Facts], object] = lambda _: None


class Records:
    """Writes `results.jsonl`, a line a fact or trial, and `report.txt`, what is printed; use it in a `with` block.

    Args:
        folder: made where it is not there; files of these names in it are replaced. None keeps nothing.

    Raises:
        OutputError: the folder or a file in it cannot be written, at first or later.
    """

    def __init__(self, folder: Path | None = None) -> None:
        self._folder, self._stack = folder, ExitStack()
        self._lines = self._text = None
        if folder is None:
            return
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise write_error(folder, error) from error
        self._lines, self._text = self._opened(folder / LINES), self._opened(folder / TEXT)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with suppress(OSError):  # all is flushed, and what could not be was said
            self._stack.close()

    def fact(self, name: str, says: str) -> None:
        """Keeps a fact: its name, and a sentence."""
        self._line({"fact": name, "says": says})

    def trial(self, trial: Trial) -> None:
        """Keeps what came of trying an engine; rates are frames a second, by the inputs of a call."""
        found, candidate = trial.agreement, trial.candidate
        self._line(
            {
                "engine": candidate.label,
                "kind": candidate.kind.stem,
                "stride": candidate.stride,
                "on_gpu": candidate.on_gpu,
                "passed": trial.passed,
                "agreement": None if found is None else found.words,
                "first_s": trial.first,
                "frames_s": trial.rates,
                "own_length": trial.own_length or None,
                "remark": trial.remark,
            }
        )

    def text(self, text: str) -> None:
        """Keeps what is printed, a line break after it."""
        self._put(self._text, text)

    def _line(self, facts: dict[str, Any]) -> None:
        self._put(self._lines, json.dumps(facts, ensure_ascii=False))

    def _opened(self, path: Path) -> TextIO:
        try:
            return self._stack.enter_context(path.open("w", encoding="utf-8", newline="\n"))
        except OSError as error:
            self._stack.close()
            raise write_error(path, error) from error

    def _put(self, file: TextIO | None, text: str) -> None:
        if file is None:
            return
        try:
            file.write(f"{text}\n")
            file.flush()
        except OSError as error:
            raise write_error(file.name, error) from error
