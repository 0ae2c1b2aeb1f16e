"""The order a person expects of names: 2 before 10, whatever the padding."""

import re

_DIGITS = re.compile(r"([0-9]+)")


def natural_key(name: str) -> tuple[list[str | int], str]:
    """Returns the sort key of a name: runs of digits compare as numbers, the rest as text without case.

    Names that are equal so (`01` and `1`) fall back on their exact text, so that the order never depends on the
    order in which they came.
    """
    parts = _DIGITS.split(name.casefold())  # every second one is digits
    # Python refuses to read integers of thousands of digits; nobody counts beyond 10^300, so the rest is cut.
    return [int(part[:300]) if index % 2 else part for index, part in enumerate(parts)], name


def unpadded(name: str) -> str:
    """Returns a name of digits alone without leading zeros (`007` is `7`, `000` is `0`); any other as it is."""
    if name.isascii() and name.isdigit():
        return name.lstrip("0") or "0"
    return name
