"""What opening a method of any kind says."""

from pixelfast.methods.choose import EngineChoice
from pixelfast.notes import Notes


def say_precision(choice: EngineChoice, precision: str) -> None:
    """Weights are float32 in the file, and less on a GPU."""
    if choice.path.suffix.lower() == ".safetensors" and precision != "fp32":
        Notes().say(
            f"{choice.path.name} is computed in {precision} on this machine's GPU; `python cuda_export/verify.py` "
            "compares that with float32"
        )
