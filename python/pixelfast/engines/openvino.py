"""The OpenVINO runner: our own engines of frames on a CPU, faster there than ONNX Runtime (extra `cpu`)."""

from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from importlib.util import find_spec
from queue import SimpleQueue
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from pixelfast.cores import Cores
from pixelfast.engines.facts import WindowFacts
from pixelfast.engines.pieces import Span
from pixelfast.engines.runner import OnnxRunner, first_line
from pixelfast.errors import EngineError
from pixelfast.silent_imports import import_openvino

PIECE: Final = 4
"""Windows a request, at most: their activations stay in the cache; more are not faster, and leave others idle longer
while the last one works."""

MAX_STREAMS: Final = 4
"""Requests that run side by side, at most; where there are more threads, each request gets several."""

ROUNDS: Final = 8
"""Pieces that each request gets in a call, about: near its end some have nothing left to do."""

FRAMES: Final = 256
"""Of a call, about, at most: the first call waits for so many, and meanwhile no request is busy."""


def openvino_installed() -> bool:
    """Whether OpenVINO can be imported; it is not imported yet."""
    return find_spec("openvino") is not None


class OpenVinoFrames:
    """An engine of frames in OpenVINO.

    The windows of a call are cut into pieces, and a request that is free takes the next one. Computes in what the file
    says: float32 even where the machine is faster at less.

    Args:
        runner: the file as ONNX Runtime read it, checked by then.
        facts: its sizes; the stride is the engine's own.
        threads: threads for one call.

    Attributes:
        cores: what a request takes the cores from that it runs on.
        best: frames a call that keep all requests busy.

    Raises:
        EngineError: OpenVINO cannot compile the file.
    """

    def __init__(self, runner: OnnxRunner, facts: WindowFacts, threads: int) -> None:
        self.path = runner.path
        self.cores = Cores(threads)
        self._span = Span(facts.window, facts.stride or 1)
        streams = min(threads, MAX_STREAMS)
        self._threads = threads // streams  # of a request
        windows = max(PIECE * streams, min(PIECE * ROUNDS * streams, FRAMES // self._span.stride))
        self.best = self._span.items(windows)
        try:
            compiled = _compile(str(runner.path), threads, streams, "bf16" if facts.precision == "bf16" else "f32")
            self._requests = [compiled.create_infer_request() for _ in range(streams)]
        except Exception as error:  # OpenVINO's errors have no common base but Exception
            reason = first_line(error)
            raise EngineError(
                f"{self.path}: OpenVINO cannot compile it: {reason}; without it: pip uninstall openvino"
            ) from error
        self._free: SimpleQueue[Any] = SimpleQueue()
        for request in self._requests:
            self._free.put(request)

    def __call__(self, frames: NDArray[np.uint8]) -> NDArray[np.float32]:
        """The window errors f32[W, T, G, G] of frames u8[N, H, W].

        Raises:
            EngineError: OpenVINO fails on these frames.
        """
        with ThreadPoolExecutor(len(self._requests), "pixelfast-engine") as pool:
            calls = [pool.submit(self._infer, frames[start:end]) for start, end in self._cuts(len(frames))]
            try:
                return np.concatenate([call.result() for call in calls])
            except Exception as error:  # as above
                shape = list(frames.shape)
                raise EngineError(
                    f"{self.path}: the engine fails on {frames.dtype} {shape}: {first_line(error)}"
                ) from error
            finally:
                self._stop(calls)

    def _cuts(self, frames: int) -> list[tuple[int, int]]:
        """The first frame and the end of each piece; pieces overlap by T - S frames."""
        windows = self._span.results(frames)
        # As many pieces as keep every request busy to the end.
        rounds = -(-windows // (PIECE * len(self._requests)))
        return self._span.pieces(frames, min(windows, rounds * len(self._requests)))

    def _infer(self, piece: NDArray[np.uint8]) -> NDArray[np.float32]:
        request = self._free.get()
        try:
            with self.cores.taken(self._threads):
                request.infer({0: piece}, share_inputs=True)
            return np.array(request.get_output_tensor(0).data)
        finally:
            self._free.put(request)

    def _stop(self, calls: Sequence[Future[Any]]) -> None:
        """After an error or Ctrl-C no request is left at work; without effect on those that have ended."""
        for call in calls:
            call.cancel()
        for request in self._requests:
            request.cancel()


def _compile(path: str, threads: int, streams: int, hint: str) -> Any:
    settings = {
        "INFERENCE_NUM_THREADS": threads,
        "NUM_STREAMS": streams,
        "INFERENCE_PRECISION_HINT": hint,
        "ENABLE_CPU_PINNING": False,  # the decoder runs on the same cores
    }
    return import_openvino().Core().compile_model(path, "CPU", settings)
