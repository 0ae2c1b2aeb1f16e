"""The OpenVINO runner: our own engines of frames on a CPU, faster there than ONNX Runtime (extra `cpu`)."""

from importlib.util import find_spec
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from pixelfast.engines.facts import WindowFacts
from pixelfast.engines.pieces import Span
from pixelfast.engines.runner import OnnxRunner, first_line
from pixelfast.errors import EngineError
from pixelfast.silent_imports import import_openvino

PIECE: Final = 8
"""Windows a request, at most: their activations stay in the cache, and more are not faster."""

MAX_STREAMS: Final = 4
"""Requests that run side by side, at most; where there are more threads, each request gets several."""

_POLL_MS: Final = 50


def openvino_installed() -> bool:
    """Whether OpenVINO can be imported; it is not imported yet."""
    return find_spec("openvino") is not None


class OpenVinoFrames:
    """An engine of frames in OpenVINO: the windows of a call are split evenly into requests that run side by side.

    Computes in what the file says: float32 even where the machine is faster at less.

    Args:
        runner: the file as ONNX Runtime read it, checked by then.
        facts: its sizes; the stride is the engine's own.
        threads: threads for one call.

    Raises:
        EngineError: OpenVINO cannot compile the file.
    """

    def __init__(self, runner: OnnxRunner, facts: WindowFacts, threads: int) -> None:
        self.path = runner.path
        self._span = Span(facts.window, facts.stride or 1)
        streams = min(threads, MAX_STREAMS)
        try:
            compiled = _compile(str(runner.path), threads, streams, "bf16" if facts.precision == "bf16" else "f32")
            self._requests = [compiled.create_infer_request() for _ in range(streams)]
        except Exception as error:  # OpenVINO's errors have no common base but Exception
            reason = first_line(error)
            raise EngineError(
                f"{self.path}: OpenVINO cannot compile it: {reason}; without it: pip uninstall openvino"
            ) from error

    def __call__(self, frames: NDArray[np.uint8]) -> NDArray[np.float32]:
        """The window errors f32[W, T, G, G] of frames u8[N, H, W].

        Raises:
            EngineError: OpenVINO fails on these frames.
        """
        pieces = [frames[start:end] for start, end in self._cuts(len(frames))]
        try:
            return np.concatenate(self._run(pieces))
        except Exception as error:  # as above
            shape = list(frames.shape)
            raise EngineError(
                f"{self.path}: the engine fails on {frames.dtype} {shape}: {first_line(error)}"
            ) from error
        finally:
            for request in self._requests:
                request.cancel()  # after Ctrl-C; without effect on a request that has ended

    def _cuts(self, frames: int) -> list[tuple[int, int]]:
        """The first frame and the end of each piece; pieces overlap by T - S frames."""
        windows = self._span.results(frames)
        # As many pieces as keep every request busy to the end.
        rounds = -(-windows // (PIECE * len(self._requests)))
        return self._span.pieces(frames, min(windows, rounds * len(self._requests)))

    def _run(self, pieces: list[NDArray[np.uint8]]) -> list[NDArray[np.float32]]:
        results = []
        at_once = len(self._requests)
        for index, piece in enumerate(pieces):
            if index >= at_once:
                results.append(self._result(index - at_once))
            self._requests[index % at_once].start_async({0: piece}, share_inputs=True)
        results.extend(self._result(index) for index in range(max(0, len(pieces) - at_once), len(pieces)))
        return results

    def _result(self, index: int) -> NDArray[np.float32]:
        request = self._requests[index % len(self._requests)]
        while not request.wait_for(_POLL_MS):
            pass  # Ctrl-C is answered here
        return np.array(request.get_output_tensor(0).data)


def _compile(path: str, threads: int, streams: int, hint: str) -> Any:
    settings = {
        "INFERENCE_NUM_THREADS": threads,
        "NUM_STREAMS": streams,
        "INFERENCE_PRECISION_HINT": hint,
        "ENABLE_CPU_PINNING": False,  # the decoder runs on the same cores
    }
    return import_openvino().Core().compile_model(path, "CPU", settings)
