"""NumPy arrays as Arrow's, without pandas: `pa.array` imports it where it is installed, for a quarter of a second."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import pyarrow as pa


def arrow_column(values: NDArray[Any]) -> "pa.Array":
    """Returns values [N, ...]: dimensions after the first are lists of a fixed size, truth values bytes of 0 and 1."""
    import pyarrow as pa

    numbers = np.ascontiguousarray(values.view(np.uint8) if values.dtype == np.bool_ else values)
    kind = pa.from_numpy_dtype(numbers.dtype)
    column = pa.Array.from_buffers(kind, numbers.size, [None, pa.py_buffer(numbers)])
    for length in values.shape[:0:-1]:
        column = pa.FixedSizeListArray.from_arrays(column, length)
    return column


def arrow_texts(texts: Sequence[str]) -> "pa.Array":
    """Returns texts, which together must be shorter than 2 GiB."""
    import pyarrow as pa

    encoded = [text.encode() for text in texts]
    offsets = np.cumsum([0, *map(len, encoded)], dtype=np.int32)
    return pa.StringArray.from_buffers(len(encoded), pa.py_buffer(offsets), pa.py_buffer(b"".join(encoded)))
