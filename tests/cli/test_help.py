"""`--help` of every command, also of those that are yet to come: a line, an example that runs, few options first."""

import re
import shlex
from typing import Any

import pytest
import typer

from pixelfast.cli.app import app
from pixelfast.cli.help import FIRST, MATTER, MOST
from pixelfast.cli.run import run

COMMANDS: dict[str, Any] = typer.main.get_command(app).commands  # type: ignore[attr-defined]
ROW = re.compile(r"│ (?:\* {2}| {3})?(--[a-z-]+)")


def whole(command: str) -> Any:
    """A command with every option that it has when it is run, the methods' own among them."""
    return COMMANDS[command].make_context(command, [], resilient_parsing=True).command


def options(command: str) -> dict[str, Any]:
    return {one.name: one for one in whole(command).params if one.param_type_name == "option" and not one.hidden}


@pytest.mark.parametrize("width", [80, 100])
@pytest.mark.parametrize("command", COMMANDS)
def test_help_begins_with_a_line_an_example_and_what_matters(
    command: str, width: int, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", str(width))
    monkeypatch.delenv("FORCE_COLOR", raising=False)
    assert run([command, "--help"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert all(len(line) <= width for line in lines)
    said = [line.strip() for line in lines if line.strip()]
    assert re.fullmatch(r"[A-Z].*\.", said[0]), "one whole sentence on one line"
    assert said[1].startswith(f"$ pixelfast {command}")
    usage = next(index for index, line in enumerate(said) if line.startswith(f"Usage: pixelfast {command}"))
    assert all(line.startswith("$ ") for line in said[1:usage])
    panels = dict(re.findall(r"╭─ (.+?) ─+╮\n(.*?)╰", "\n".join(lines), re.DOTALL))
    titles = [title for title in panels if title != "Arguments"]
    known = options(command)
    assert titles[:1] == ([MATTER] if known else [])
    shown = {title: [row[1] for line in panels[title].splitlines() if (row := ROW.match(line))] for title in titles}
    assert len(shown.get(MATTER, [])) == min(MOST, len(known)), "five, where it has so many"
    rows = [name for names in shown.values() for name in names]
    assert sorted(rows) == sorted(one.opts[0] for one in known.values()), "each once, its name whole"
    assert {one.opts[0] for one in known.values() if one.required} <= set(shown.get(MATTER, []))


@pytest.mark.parametrize("command", COMMANDS)
def test_its_examples_are_understood(command: str) -> None:
    examples = whole(command).examples
    assert examples
    for example in examples:
        COMMANDS[command].make_context(command, shlex.split(example)[3:])  # refuses what it does not know


@pytest.mark.parametrize("command", FIRST)
def test_what_matters_stands_in_the_order_of_its_list(command: str) -> None:
    known = options(command)
    there = [name for name in FIRST[command].split() if name in known][:MOST]
    assert list(known)[: len(there)] == there


def test_choices_are_named_in_the_help_of_their_option(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    assert run(["score", "--help"]) == 0
    assert "One of auto, always, never." in capsys.readouterr().out
