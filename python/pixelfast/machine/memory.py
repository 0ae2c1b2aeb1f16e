"""How much memory the machine has."""

import os


def total_memory() -> int | None:
    """Returns the bytes of memory that this machine has; None where the system does not say."""
    if hasattr(os, "sysconf") and "SC_PHYS_PAGES" in os.sysconf_names:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    return None
