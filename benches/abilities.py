"""What a machine can do that a bench's figure may stand on: gates.toml names it."""

from pathlib import Path
from typing import Final

ABILITIES: Final = {
    "vnni": "int8 dot products",
    "bf16": "bfloat16 units",
}
FLAGS: Final = {
    "vnni": {"avx512_vnni", "avx_vnni", "asimddp"},
    "bf16": {"avx512_bf16", "amx_bf16", "bf16"},
}
"""As Linux names them in /proc/cpuinfo: any of them will do."""


def abilities(cpuinfo: str) -> frozenset[str]:
    """The abilities, by the text of /proc/cpuinfo; one not seen is not there."""
    flags = set(field(cpuinfo, "flags").split()) | set(field(cpuinfo, "Features").split())
    return frozenset(ability for ability, any_of in FLAGS.items() if flags & any_of)


def read_cpuinfo() -> str:
    """The text of /proc/cpuinfo; nothing where there is none."""
    path = Path("/proc/cpuinfo")
    return path.read_text(encoding="utf-8") if path.exists() else ""


def field(cpuinfo: str, name: str) -> str:
    """The first core's value of a field of /proc/cpuinfo; empty where there is none."""
    lines = (line.partition(":") for line in cpuinfo.splitlines())
    return next((value.strip() for key, _, value in lines if key.strip() == name), "")
