"""`pixelfast doctor`: what this machine has and what it lacks."""

import json

from pixelfast.cli.options import AsJson


def doctor(as_json: AsJson = False) -> None:
    """Say what this machine has and what it lacks.

    Versions, cores, how the extension was built, and which engines can run.
    """
    from pixelfast.cli.console import facts, print_result
    from pixelfast.cli.machine import examine

    found = examine()
    if as_json:
        print_result(json.dumps(found, indent=2))
        return
    print_result("\n\n".join(f"{title}\n{_indented(facts(list(rows.items())))}" for title, rows in found.items()))


def _indented(text: str) -> str:
    return "\n".join(f"  {line}" for line in text.splitlines())
