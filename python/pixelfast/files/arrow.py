"""NumPy arrays as Arrow's, without pandas: `pa.array` imports it where it is installed, for a quarter of a second."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import pyarrow as pa


def arrow_column(values: NDArray[Any]) -> "pa.Array":
    """The values [N, ...], numbers or truth values; the dimensions after the first become lists of a fixed size."""
    import pyarrow as pa

    data = np.packbits(values, bitorder="little") if values.dtype == np.bool_ else np.ascontiguousarray(values)
    column = pa.Array.from_buffers(pa.from_numpy_dtype(values.dtype), values.size, [None, pa.py_buffer(data)])
    for length in values.shape[:0:-1]:
        column = pa.FixedSizeListArray.from_arrays(column, length)
    return column


def arrow_texts(texts: Sequence[str]) -> "pa.Array":
    """Texts, which together must be shorter than 2 GiB."""
    import pyarrow as pa

    encoded = [text.encode() for text in texts]
    offsets = np.cumsum([0, *map(len, encoded)], dtype=np.int32)
    buffers = [None, pa.py_buffer(offsets), pa.py_buffer(b"".join(encoded))]
    return pa.Array.from_buffers(pa.string(), len(encoded), buffers)
