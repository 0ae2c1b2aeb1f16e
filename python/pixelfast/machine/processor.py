"""What the processor of this machine can do."""

import platform
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Final

_BF16: Final = frozenset({"avx512_bf16", "amx_bf16", "bf16"})  # the last is ARM's


@cache
def facts(cpuinfo: Path = Path("/proc/cpuinfo")) -> Mapping[str, str]:
    """Returns what Linux says of the processor's last core, by name; nothing where it does not say."""
    try:
        lines = cpuinfo.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return {}
    return {key.strip(): value.strip() for key, _, value in (line.partition(":") for line in lines)}


def abilities(cpuinfo: Path = Path("/proc/cpuinfo")) -> frozenset[str]:
    """Returns the names of the processor's abilities, as Linux has them; none where it does not say."""
    known = facts(cpuinfo)
    return frozenset((known.get("flags") or known.get("Features") or "").split())


def name_of_processor() -> str:
    """Returns the processor's name, as the system has it."""
    return facts().get("model name") or platform.processor() or platform.machine()


def multiplies_bf16() -> bool:
    """Says whether the processor multiplies bfloat16 itself: elsewhere it is converted, and slower than float32."""
    return not _BF16.isdisjoint(abilities())
