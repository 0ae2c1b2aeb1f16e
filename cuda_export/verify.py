"""Tries every engine of a model on this machine: is it right, how fast is it, and what bounds a whole run.

    python cuda_export/verify.py model/ --source footage/

Without --source frames are made up. It ends with a verdict; the exit code is 1 where an engine differs, or fails on a
machine that has a GPU.
"""

import argparse
import sys
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from pixelfast.cli.console import aside, facts, print_aside, print_result, spoken_aloud, table
from pixelfast.engines import DisFlow
from pixelfast.engines.plan_check import GpuMachine, read_machine
from pixelfast.engines.torch_choice import gpu_by_torch
from pixelfast.errors import EngineError, ModelError, PixelfastError
from pixelfast.model import Model
from pixelfast.pipeline.flip import FlipMode
from pixelfast.pipeline.threads import share_threads
from pixelfast.sources import Color, open_source
from verification.candidates import Candidate, candidates, reference
from verification.made_up import files_of, first_frames, made_up_source
from verification.measuring import COMPARED, Trial, try_engine
from verification.subjects import Flows, Pairs, Subject, Windows
from verification.whole_run import WholeRun, measure_whole_run


def main(arguments: Sequence[str] | None = None) -> int:
    """Measures and prints; returns 0, or 1 after an engine that is wrong or a sentence on stderr."""
    options = _parser().parse_args(arguments)
    try:
        with spoken_aloud(aside()), ExitStack() as stack:
            return Verification(options, stack).run()
    except PixelfastError as error:
        print_aside(str(error), "error")
        return 1


_ON_A_GPU, _ON_A_CPU = 20_000, 1_000
"""Made-up frames: seconds of work on either."""


class Verification:
    """One run of this command."""

    def __init__(self, options: argparse.Namespace, stack: ExitStack) -> None:
        self._seconds: float = options.seconds
        self._threads = share_threads(options.threads).engine
        self._model = Model.load(options.model)
        self._given: Path | None = options.source
        self._machine = read_machine()
        many = options.frames or (_ON_A_GPU if gpu_by_torch() or self._machine.gpu else _ON_A_CPU)
        self._source: Path = options.source or stack.enter_context(made_up_source(many))
        self._subjects: dict[tuple[str, int], Subject] = {}
        self._expected: dict[tuple[str, int], Any] = {}

    def run(self) -> int:
        """Prints the facts, a table a kind of engine, the whole run and the verdict."""
        print_result(facts(self._facts()))
        found = candidates(self._model, self._threads)
        if not found:
            raise ModelError(f"{self._model.folder} holds no engine: train it, or export one")
        trials = []
        for kind in dict.fromkeys(one.kind for one in found):
            some = [self._try(one) for one in found if one.kind == kind]
            print_result(f"\n{_table(some)}")
            trials += some
        words, wrong = self._whole(trials)
        print_result(f"\n{facts([*words, ('verdict', self._verdict(trials, wrong))])}")
        return int(bool(wrong))

    def _facts(self) -> list[tuple[str, str]]:
        machine, videos = self._machine, open_source(self._source)
        torch = "PyTorch reaches it" if gpu_by_torch() else "not by PyTorch"
        gpu = f"{machine.gpu}, compute capability {machine.compute_capability}; {torch}"
        flavours = ", ".join(f"{name} {version}" for name, version in machine.versions.items())
        frames = sum(video.length or 0 for video in videos)
        whose = f"of {self._given}" if self._given is not None else "made up, JPEG of 640x360"
        return [
            ("GPU", gpu if machine.gpu is not None else "none: this machine has no NVIDIA driver"),
            ("TensorRT", flavours or "not installed"),
            ("model", f"{self._model.folder}, {self._model.manifest.method}"),
            ("frames", f"{frames:,} {whose}"),
            ("threads", str(self._threads)),
        ]

    def _try(self, candidate: Candidate) -> Trial:
        """One engine, compared with ONNX Runtime on the same inputs."""
        key = (candidate.kind, candidate.stride)
        if key not in self._subjects:
            self._subjects[key] = subject = self._subject(*key)
            engine = reference(self._model, candidate.kind, self._threads)
            self._expected[key] = subject.call(engine, COMPARED[candidate.kind])
        return try_engine(candidate, self._subjects[key], self._expected[key], self._seconds)

    def _subject(self, kind: str, stride: int) -> Subject:
        manifest, count = self._model.manifest, max(Windows.lengths)
        if kind == "ae":
            return Windows(first_frames(self._source, count, manifest.height, manifest.width, "grey"), stride)
        if kind == "motion":
            flow = DisFlow("fast", self._threads)
            height, width = flow.size(*open_source(self._source)[0].size())
            return Flows(flow.flow(first_frames(self._source, count, height, width, "grey")))
        raft = reference(self._model, "raft", self._threads)
        height, width = raft.size(0, 0)
        return Pairs(first_frames(self._source, max(Pairs.lengths), height, width, "rgb"))

    def _whole(self, trials: Sequence[Trial]) -> tuple[list[tuple[str, str]], list[str]]:
        """What is said about whole runs, and the engines that are wrong."""
        kind = "ae" if self._model.manifest.method == "reconstruction" else "motion"
        right = [trial for trial in trials if trial.passed and trial.candidate.usual and trial.candidate.kind == kind]
        wrong = [
            trial.candidate.label for trial in trials if trial.agreement is not None and not trial.agreement.enough
        ]
        if self._machine.gpu is not None:
            wrong += [trial.candidate.label for trial in trials if trial.agreement is None and trial.candidate.usual]
        right = [trial for trial in right if trial.candidate.stride == 1]
        if not right:
            raise EngineError(f"no engine of {self._model.folder} runs here as it should")
        best = max(right, key=lambda trial: trial.best)
        # Made-up frames have no right side up: the classifier works, and its verdict must not stop the run.
        flip: FlipMode = "always" if self._given is None and self._model.flip_engine() is not None else "auto"
        size, color = self._decoded()
        run = measure_whole_run(self._source, best.candidate.path, size, color, flip=flip, threads=self._threads)
        words = [("fastest", f"{best.candidate.label}: {best.best:,.0f} frames/s")]
        words += self._plain(best, run) if kind == "ae" else []
        whole = f"{run.rate:,.0f} frames/s with {best.candidate.path.name}"
        decoding = f"{run.decode_rate:,.0f} frames/s; the whole run has {run.share_of_decoding:.2f} of it"
        return [*words, ("whole score", whole), ("decoding alone", decoding), ("profile", run.bound())], wrong

    def _decoded(self) -> tuple[tuple[int, int], Color]:
        """The size and colour of the frames that a run decodes."""
        manifest = self._model.manifest
        if manifest.motion is None:
            return (manifest.height, manifest.width), "grey"
        if manifest.motion.flow.kind == "raft":
            return reference(self._model, "raft", self._threads).size(0, 0), "rgb"
        size = open_source(self._source)[0].size()
        return DisFlow("fast", 1, manifest.motion.flow.shorter_side or 0).size(*size), "grey"

    def _plain(self, best: Trial, run: WholeRun) -> list[tuple[str, str]]:
        """The method's plain loop on the same device, from memory and from files."""
        weights = self._model.folder / "ae.safetensors"
        files = files_of(open_source(self._source))
        if weights.name not in self._model.manifest.files or len(files) < self._model.manifest.window:
            return [("plain loop", f"not run: it needs {weights.name} and a folder of frames")]
        from verification.plain_loop import PlainLoop

        device = "cuda" if gpu_by_torch() else "cpu"
        loop = PlainLoop(weights, device)
        manifest = self._model.manifest
        frames = first_frames(self._source, 256, manifest.height, manifest.width, "grey")
        alone, whole = loop.windows_a_second(frames, self._seconds), loop.frames_a_second(files, self._seconds)
        where = f"PyTorch float32, one window at a time, {device}"
        return [
            ("plain loop", f"{alone:,.0f} frames/s ({where}): {best.best / alone:,.1f}x by the fastest engine"),
            ("from files", f"{whole:,.0f} frames/s by the plain loop: {run.rate / whole:,.1f}x by the whole score"),
        ]

    def _verdict(self, trials: Sequence[Trial], wrong: Sequence[str]) -> str:
        ran = sum(trial.passed for trial in trials)
        words = [f"{ran} of {len(trials)} engines run here and agree with ONNX Runtime"]
        if wrong:
            words.append(f"WRONG OR FAILING: {', '.join(wrong)}")
        if not _has_gpu(self._machine):
            words.append("nothing was verified on a GPU")
        return "; ".join(words)


def _has_gpu(machine: GpuMachine) -> bool:
    return machine.gpu is not None


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


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", type=Path, help="model folder")
    parser.add_argument("--source", type=Path, help="footage of your own: a folder of videos, or one video")
    parser.add_argument(
        "--frames", type=int, help="made-up frames, where there is no --source (20000 with a GPU, else 1000)"
    )
    parser.add_argument("--seconds", type=float, default=1.0, help="for each figure, about (1)")
    parser.add_argument("--threads", type=int, help="of decoding and the CPU's engines; without it all cores")
    return parser


if __name__ == "__main__":
    sys.exit(main())
