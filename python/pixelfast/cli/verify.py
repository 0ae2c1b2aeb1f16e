"""Tries every engine of a model on this machine: is it right, how fast is it, and what bounds a whole run.

    python cuda_export/verify.py model/ --source footage/

Without --source frames are made up. It ends with a verdict; the exit code is 1 where an engine differs, or fails on a
machine that has a GPU.
"""

import argparse
import sys
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

from pixelfast.cli.console import aside, facts, print_aside, print_result, spoken_aloud, table
from pixelfast.errors import EngineError, ModelError, PixelfastError
from pixelfast.flow.dis import DisFlow
from pixelfast.machine.cores import Cores
from pixelfast.machine.threads import share_threads
from pixelfast.model import Model
from pixelfast.options import FlipMode
from pixelfast.sources import Color, open_source
from pixelfast.verify.candidates import Candidate, candidates
from pixelfast.verify.copying import copying_words
from pixelfast.verify.machine import Machine, this_machine
from pixelfast.verify.made_up import first_frames, made_up_source
from pixelfast.verify.measuring import COMPARED, Trial, try_engine
from pixelfast.verify.plain_words import plain_words
from pixelfast.verify.reference import described, find_reference, runners
from pixelfast.verify.speedups import with_fastest_usual
from pixelfast.verify.subjects import Flows, Pairs, Subject, Windows
from pixelfast.verify.verdict import fastest, verdict, verified
from pixelfast.verify.whole_run import measure_whole_run


def main(arguments: Sequence[str] | None = None) -> int:
    """Measures and prints; returns 0, or 1 after an engine that is wrong or a sentence on stderr."""
    options = read_options(arguments)
    try:
        with spoken_aloud(aside()), ExitStack() as stack:
            return Verification(options, this_machine(), stack).run()
    except PixelfastError as error:
        print_aside(str(error), "error")
        return 1


_ON_A_GPU, _ON_A_CPU = 20_000, 1_000
"""Made-up frames: seconds of work on either."""


class Verification:
    """One run of this command.

    Args:
        options: as `read_options` gives them.
        machine: what the engines are tried on.
        stack: takes what must be tidied up afterwards.

    Raises:
        PixelfastError: there is no such model or footage.
    """

    def __init__(self, options: argparse.Namespace, machine: Machine, stack: ExitStack) -> None:
        self._seconds: float = options.seconds
        self._threads = share_threads(options.threads).count
        self._model = Model.load(options.model)
        self._given: Path | None = options.source
        self._machine = machine
        many = options.frames or (_ON_A_CPU if machine.gpu is None else _ON_A_GPU)
        self._source: Path = options.source or stack.enter_context(made_up_source(many))
        self._subjects: dict[tuple[str, int], Subject] = {}
        self._expected: dict[tuple[str, int], Any] = {}
        self._references: dict[str, Any] = {}

    def run(self) -> int:
        """Prints the facts, a table a kind of engine, the whole run and the verdict."""
        found = candidates(self._model, self._threads, self._machine)
        if not found:
            raise ModelError(f"{self._model.folder} holds no engine: train it, or export one")
        kinds = list(dict.fromkeys(one.kind for one in found))
        print_result(facts(self._facts(kinds)))
        trials = []
        for kind in kinds:
            some = with_fastest_usual([self._try(one) for one in found if one.kind == kind])
            print_result(f"\n{_table(some)}")
            trials += some
        last = verdict(trials, self._machine, runners(self._model, kinds))
        print_result(f"\n{facts([*self._whole(trials), ('verdict', last)])}")
        return int(not verified(trials, self._machine))

    def _facts(self, kinds: Sequence[str]) -> list[tuple[str, str]]:
        flavours = ", ".join(f"{name} {version}" for name, version in self._machine.versions.items())
        frames = sum(video.length or 0 for video in open_source(self._source))
        whose = f"of {self._given}" if self._given is not None else "made up, JPEG of 640x360"
        return [
            ("GPU", self._machine.words()),
            ("TensorRT", flavours or "not installed"),
            ("model", f"{self._model.folder}, {self._model.manifest.method}"),
            ("frames", f"{frames:,} {whose}"),
            ("threads", str(self._threads)),
            ("compared with", described(self._model, kinds)),
        ]

    def _try(self, candidate: Candidate) -> Trial:
        """One engine, compared with the reference on the same inputs."""
        if candidate.elsewhere:
            return Trial(candidate, remark=candidate.elsewhere)
        key = candidate.kind, candidate.stride
        try:
            engine = self._reference(candidate.kind)
        except EngineError as error:
            return Trial(candidate, remark=f"not tried, there is nothing to compare it with: {error}", compared=False)
        if key not in self._expected:
            self._subjects[key] = subject = self._subject(*key)
            self._expected[key] = subject.call(engine, COMPARED[candidate.kind])
        trial = try_engine(candidate, self._subjects[key], self._expected[key], self._seconds)
        by_torch_on_a_cpu = candidate.path.suffix == ".safetensors" and not candidate.on_gpu
        if trial.passed and by_torch_on_a_cpu and find_reference(self._model, candidate.kind).path == candidate.path:
            return replace(trial, remark="compared with itself, as the model has no ONNX file")
        return trial

    def _reference(self, kind: str) -> Any:
        if kind not in self._references:
            self._references[kind] = find_reference(self._model, kind).load(self._threads)
        return self._references[kind]

    def _subject(self, kind: str, stride: int) -> Subject:
        manifest, count = self._model.manifest, max(Windows.lengths)
        if kind == "ae":
            return Windows(first_frames(self._source, count, manifest.height, manifest.width, "grey"), stride)
        if kind == "motion":
            flow = DisFlow("fast", Cores(self._threads))
            height, width = flow.size(*open_source(self._source)[0].size())
            return Flows(flow.flow(first_frames(self._source, count, height, width, "grey")))
        height, width = self._reference("raft").size(0, 0)
        return Pairs(first_frames(self._source, max(Pairs.lengths), height, width, "rgb"))

    def _whole(self, trials: Sequence[Trial]) -> list[tuple[str, str]]:
        """What is said about whole runs."""
        best = fastest(trials, self._model)
        if best is None:
            return [("whole score", f"not run: no engine of {self._model.folder} that it needs runs here as it should")]
        # Made-up frames have no right side up: the classifier works, and its verdict must not stop the run.
        flip: FlipMode = "always" if self._given is None and self._model.flip_engine() is not None else "auto"
        size, color = self._decoded()
        run = measure_whole_run(self._source, best.candidate.path, size, color, flip=flip, threads=self._threads)
        words = [("fastest", f"{best.candidate.label}: {best.best:,.0f} frames/s")]
        if best.candidate.kind == "ae":
            device = "cuda" if self._machine.by_torch else "cpu"
            words += plain_words(self._model, self._source, device, best, run, seconds=self._seconds)
        inputs = self._subjects[best.candidate.kind, best.candidate.stride].inputs(best.best_length)
        whole = f"{run.rate:,.0f} frames/s with {best.candidate.path.name}"
        decoding = f"{run.decode_rate:,.0f} frames/s; the whole run has {run.share_of_decoding:.2f} of it"
        return [
            *words,
            ("whole score", whole),
            ("decoding alone", decoding),
            ("profile", run.bound()),
            *copying_words(best, inputs, self._machine, self._seconds),
        ]

    def _decoded(self) -> tuple[tuple[int, int], Color]:
        """The size and colour of the frames that a run decodes."""
        manifest = self._model.manifest
        if manifest.motion is None:
            return (manifest.height, manifest.width), "grey"
        if manifest.motion.flow.kind == "raft":
            return self._reference("raft").size(0, 0), "rgb"
        size = open_source(self._source)[0].size()
        return DisFlow("fast", Cores(1), manifest.motion.flow.shorter_side or 0).size(*size), "grey"


def _table(trials: Sequence[Trial]) -> str:
    """A row an engine: first load, agreement, frames a second by the length of a call; then what does not run."""
    lengths = sorted({length for trial in trials for length in trial.rates})
    header = ["engine", "first load", "rank correlation" if trials[0].candidate.kind != "raft" else "end point"]
    rows = []
    for trial in trials:
        rates = [f"{trial.rates[length]:,.0f}" if length in trial.rates else "-" for length in lengths]
        words = "-" if trial.agreement is None else trial.agreement.words
        rows.append([trial.candidate.label, f"{trial.first:.2f} s" if trial.rates else "-", words, *rates])
    remarks = [f"{trial.candidate.label}: {trial.remark}" for trial in trials if trial.remark]
    counted = [f"{length} a call" for length in lengths]
    return "\n".join(["frames/s", table([*header, *counted], rows), *remarks])


def read_options(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """Of the command line; wrong ones end the process."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", type=Path, help="model folder")
    parser.add_argument("--source", type=Path, help="footage of your own: a folder of videos, or one video")
    parser.add_argument(
        "--frames", type=int, help="made-up frames, where there is no --source (20000 with a GPU, else 1000)"
    )
    parser.add_argument("--seconds", type=float, default=1.0, help="for each figure, about (1)")
    parser.add_argument("--threads", type=int, help="of decoding and the CPU's engines; without it all cores")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())
