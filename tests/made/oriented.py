"""Image files that carry an orientation."""

import io
from typing import Any

from PIL import Image

KINDS: dict[str, dict[str, Any]] = {
    "jpeg": {"quality": 95},
    "progressive": {"format": "jpeg", "quality": 95, "progressive": True},
    "png": {},
    "webp": {"lossless": True},
    "tiff": {},
    "tiff lzw": {"format": "tiff", "compression": "tiff_lzw"},
}
"""How each kind of file is written by Pillow."""


def oriented(image: Image.Image, kind: str, orientation: int, **more: Any) -> bytes:
    """The file of a picture that lies as `image` does and says that it is to be turned."""
    exif = Image.Exif()
    exif[274] = orientation
    exif[270] = "the north gate"
    data = io.BytesIO()
    image.save(data, exif=exif, **{"format": kind, **KINDS[kind], **more})
    return data.getvalue()
