"""Single error maps out of a part file, without the others: those of ten hours of footage are a gigabyte."""

import math
from collections.abc import Sequence

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from pyarrow import ipc

from pixelfast.errors import ScoresError
from pixelfast.files.places import AnyPath, opened


def maps_at(path: AnyPath, rows: Sequence[int]) -> NDArray[np.float16] | None:
    """Returns the error maps f16[n, h, w] (their square roots) of some rows of a part file; None where it has none.

    Only what these rows need is read, so that no checksum is compared.

    Raises:
        ScoresError: the file is missing or damaged.
    """
    try:
        with opened(path, mapped=True) as file:
            batch = ipc.open_file(file).get_batch(0)
            if "maps" not in batch.schema.names:
                return None
            column, shape = batch.column("maps"), [batch.num_rows]
            kind = column.type
            while pa.types.is_fixed_size_list(kind):
                shape.append(kind.list_size)
                kind = kind.value_type
            maps = np.frombuffer(column.buffers()[-1], np.float16, math.prod(shape)).reshape(shape)
            return maps[list(rows)]
    except (OSError, LookupError, ValueError, pa.ArrowException) as error:
        raise ScoresError(f"{path} is damaged or no part of pixelfast; score its video again") from error
