"""How pieces go in and out of a graph."""

from pixelfast.runtime import runner
from pixelfast.runtime.pieces import Ports, Span


def ends(span: Span, item: tuple[int, ...], dtype: str, result: tuple[int, ...]) -> Ports:
    return Ports(
        span, runner.Tensor("items", dtype, (None, *item)), runner.Tensor("results", "float32", (None, *result))
    )
