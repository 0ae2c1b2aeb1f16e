"""The names of engine files: `ae.s4.fp16.plan` is a stem, a window stride, a precision and a kind, in this order."""

import re
from typing import Final, NamedTuple, Self

INGREDIENTS: Final = ("flip", "raft")
"""Stems of files that several methods' models may hold; every other stem is a method's own."""

PRECISIONS: Final = {"onnx": ("fp32", "int8", "bf16"), "plan": ("fp32", "fp16", "bf16")}
"""What engines of each kind are exported in: int8 is for CPUs, fp16 for GPUs."""

_GRAMMAR: Final = re.compile(
    r"(?P<stem>[a-z][a-z0-9_]*)(\.s(?P<stride>[1-9][0-9]*))?(\.(?P<precision>(?!s[0-9])[a-z][a-z0-9]*))?"
    r"\.(?P<kind>onnx|plan|safetensors)"
)


class EngineName(NamedTuple):
    """The name of an engine file; `str` prints it, and what is usual (stride 1, fp32) is left out of it.

    Attributes:
        stem: what the engine computes: "ae", "motion", "flip", "raft", ….
        stride: frames between the starts of windows.
        precision: of weights and activations: "fp32", "fp16", "bf16" or "int8".
        kind: "onnx", "plan" or "safetensors".
    """

    stem: str
    stride: int = 1
    precision: str = "fp32"
    kind: str = "onnx"

    @classmethod
    def parse(cls, name: str) -> Self | None:
        """Reads a file's name; returns None where it is not made by this grammar."""
        match = _GRAMMAR.fullmatch(name)
        if match is None:
            return None
        return cls(match["stem"], int(match["stride"] or 1), match["precision"] or "fp32", match["kind"])

    def __str__(self) -> str:
        stride = "" if self.stride == 1 else f".s{self.stride}"
        precision = "" if self.precision == "fp32" else f".{self.precision}"
        return f"{self.stem}{stride}{precision}.{self.kind}"

    @property
    def weights(self) -> "EngineName":
        """Returns the name of the weights that it was made from."""
        return EngineName(self.stem, kind="safetensors")


def stem_of(name: str) -> str | None:
    """Returns the stem of an engine file's name; None where it is none."""
    parsed = EngineName.parse(name)
    return None if parsed is None else parsed.stem
