"""The OpenVINO runner: our own engines of frames on a CPU, faster there than ONNX Runtime (extra `cpu`)."""

from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from pixelfast.errors import EngineError, first_line
from pixelfast.machine.imports import import_openvino
from pixelfast.runtime.external import check_external
from pixelfast.runtime.pieces import Span
from pixelfast.runtime.runner import EngineFile, Loaded, Tensor, still_open

PIECE: Final = 4
"""A request takes so many windows at most: their activations stay in the cache; more are not faster, and leave others
idle longer while the last one works."""

MAX_STREAMS: Final = 4
"""So many requests run side by side at most; where there are more threads, each request gets several."""

ROUNDS: Final = 8
"""Each request gets about so many pieces in a call: near its end some have nothing left to do."""

FRAMES: Final = 256
"""A call has about so many frames at most: they are decoded before it begins."""

_POLL_MS: Final = 1


def openvino_installed() -> bool:
    """Whether OpenVINO can be imported; it is not imported yet."""
    return find_spec("openvino") is not None


class OpenVinoGraph(EngineFile):
    """What an ONNX file says about itself, as OpenVINO reads it: it need not be opened by ONNX Runtime, too.

    Raises:
        EngineError: OpenVINO cannot read it, it has no input or no output, or weights outside its folder.
    """

    def __init__(self, path: Path) -> None:
        check_external(path)
        self.path = path
        self.core = import_openvino().Core()
        try:
            self.model = self.core.read_model(path)
            self.inputs = tuple(_tensor(port) for port in self.model.inputs)
            self.outputs = tuple(_tensor(port) for port in self.model.outputs)
            facts = self.model.get_rt_info("framework").value if self.model.has_rt_info("framework") else {}
            self.metadata = {name: str(value) for name, value in facts.items()}
        except Exception as error:  # OpenVINO's errors have no common base but Exception
            raise EngineError(f"{path}: OpenVINO cannot read it: {first_line(error)}") from error
        if not self.inputs or not self.outputs:
            raise EngineError(f"{path} computes nothing: it has {self.describe()}")


class OpenVinoFrames(Loaded):
    """An engine of frames in OpenVINO.

    The windows of a call are cut into pieces, and a request that is free takes the next one. Computes in what the file
    says: float32 even where the machine is faster at less.

    Args:
        graph: the file as it was read.
        span: its windows and their stride.
        precision: "bf16" computes in that; anything else in what the file says.
        threads: of a call.

    Attributes:
        best: frames a call that keep all requests busy.
        least: frames that keep them busy for two pieces each.

    Raises:
        EngineError: OpenVINO cannot compile the file.
    """

    def __init__(self, graph: OpenVinoGraph, span: Span, precision: str, threads: int) -> None:
        self.path = graph.path
        self._span = span
        streams = min(threads, MAX_STREAMS)
        windows = max(PIECE * streams, min(PIECE * ROUNDS * streams, FRAMES // span.stride))
        self.best, self.least = span.items(windows), span.items(2 * PIECE * streams)
        settings = {
            "INFERENCE_NUM_THREADS": threads,
            "NUM_STREAMS": streams,
            "INFERENCE_PRECISION_HINT": "bf16" if precision == "bf16" else "f32",
            "ENABLE_CPU_PINNING": False,  # the decoder runs on the same cores
        }
        try:
            compiled = graph.core.compile_model(graph.model, "CPU", settings)
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
        windows = self._span.results(len(frames))
        # As many pieces as keep every request busy to the end; neighbours overlap by T - S frames.
        requests = len(still_open(self.path, self._requests or None))
        rounds = -(-windows // (PIECE * requests))
        cuts = self._span.pieces(len(frames), min(windows, rounds * requests))
        try:
            return np.concatenate(self._run([frames[start:end] for start, end in cuts]))
        except Exception as error:  # as above
            shape = list(frames.shape)
            raise EngineError(
                f"{self.path}: the engine fails on {frames.dtype} {shape}: {first_line(error)}"
            ) from error

    def close(self) -> None:
        """See `Loaded.close`."""
        self._requests = []

    def _run(self, pieces: list[NDArray[np.uint8]]) -> list[NDArray[np.float32]]:
        """The results of all pieces. One thread alone speaks with OpenVINO: two that begin at once block each other."""
        results: dict[int, NDArray[np.float32]] = {}
        free, running = list(range(len(self._requests))), dict[int, int]()
        try:
            for index, piece in enumerate(pieces):
                number = free.pop() if free else self._end(running, results)
                running[number] = index
                self._requests[number].start_async({0: piece}, share_inputs=True)
            while running:
                self._end(running, results)
        finally:  # after an error or Ctrl-C no request is left at work
            for number in running:
                self._requests[number].cancel()
            for number in running:
                with suppress(RuntimeError):  # what OpenVINO says of a request that was cancelled or has failed
                    self._requests[number].wait()
        return [results[index] for index in range(len(pieces))]

    def _end(self, running: dict[int, int], results: dict[int, NDArray[np.float32]]) -> int:
        """Waits for a request that ends, most likely the oldest, puts its result in its place and says which it was."""
        oldest = next(iter(running))
        while True:  # Ctrl-C is answered here
            for number in running:
                if self._requests[number].wait_for(_POLL_MS if number == oldest else 0):
                    results[running.pop(number)] = np.array(self._requests[number].get_output_tensor(0).data)
                    return number


def _tensor(port: Any) -> Tensor:
    shape = tuple(None if size.is_dynamic else size.get_length() for size in port.get_partial_shape())
    return Tensor(port.get_any_name(), port.get_element_type().to_dtype().name, shape)
