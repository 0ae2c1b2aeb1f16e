"""The door to what needs PyTorch; scoring never goes through it."""

from typing import Any

from pixelfast.errors import ModelError

_PACKAGES = ("torch", "torchvision", "onnx", "onnxscript", "safetensors")


def import_training() -> Any:
    """The package `pixelfast.training`.

    Raises:
        ModelError: a package of the `train` extra is missing.
    """
    try:
        from pixelfast import training
    except ModuleNotFoundError as error:
        if error.name is None or error.name.split(".")[0] not in _PACKAGES:
            raise
        raise ModelError(
            f"training and exporting need PyTorch, and {error.name} is missing: pip install 'pixelfast[train]'"
        ) from error
    return training
