"""What `--help` of a command shows: one line, one example, the options that matter most, and the rest in groups."""

from collections.abc import Mapping
from typing import Any, Final

import typer
from typer.core import TyperCommand

MATTER: Final = "Options that matter"
MOST: Final = 5
"""Options in that group: of more, none stands out."""

FIRST: Final[Mapping[str, str]] = {
    "train": "out method mask resume sample_fps recipe threads",
    "score": "engine out report alarm_rate mask pool flip threads",
    "clean": "model out flip copy threads",
    "watch": "model save_events on_event page alarm_rate threshold",
    "verify": "source out budget frames threads",
    "export": "precision stride to compute_capability threads",
}
"""What matters of a command: the first MOST that it has. One that is not here shows what it needs, then its first."""

GROUPS: Final[Mapping[str, str]] = {
    "Footage": "source mask fps sample_fps deinterlace flip on_error orientation depth frame_size",
    "Output": "out report events save_events on_event page alarm_rate threshold maps parts as_json",
    "Speed": "threads stride chunk batch precision shard exact profile dry_run",
}
"""Where other options stand, by name; what has no place here, nor of its own, is under "More"."""

_REST: Final = "More"


class Command(TyperCommand):
    """A command whose help begins with its docstring's first line and example (`$ pixelfast …`); the text is the end.

    Choices are named in an option's help, not beside it, and a switch has no type: so 80 columns are enough.
    """

    def __init__(self, *arguments: Any, **facts: Any) -> None:
        super().__init__(*arguments, **facts)
        line, *others = [part.strip() for part in (self.help or "").split("\n\n")]
        self.short_help = self.short_help or line
        self.examples = [part for part in others if part.startswith("$ ")]
        rest = [" ".join(part.split()) for part in others if part not in self.examples]
        self.help, self.epilog = None, "\n\n".join([*rest, *filter(None, [self.epilog])])
        self.params = _grouped(self.name or "", self.params)

    def format_help(self, ctx: Any, formatter: Any) -> None:
        """Prints the help."""
        typer.echo(f"\n {self.short_help}\n")
        for example in self.examples:
            typer.secho(f"   {example}", fg="cyan")
        if (own := self.get_help_option(ctx)) is not None:
            own.hidden = True  # who reads this has found it
        super().format_help(ctx, formatter)


def _grouped(command: str, params: list[Any]) -> list[Any]:
    """The parameters in the order in which the help shows them, each option with its group and told shortly."""
    options = {one.name: one for one in params if one.param_type_name == "option" and not one.hidden}
    needed_first = sorted(options, key=lambda name: not options[name].required)
    first = [name for name in FIRST[command].split() if name in options] if command in FIRST else needed_first
    first = first[:MOST]
    for name, one in options.items():
        group = next((group for group, names in GROUPS.items() if name in names.split()), _REST)
        one.rich_help_panel = MATTER if name in first else one.rich_help_panel or group
        _shorten(one)
    own = [one.rich_help_panel for one in options.values() if one.rich_help_panel not in (MATTER, _REST, *GROUPS)]
    panels = [MATTER, *GROUPS, *own, _REST]
    order = [*first, *(name for name in options if name not in first)]
    order.sort(key=lambda name: panels.index(options[name].rich_help_panel))
    return [*(one for one in params if one.name not in options), *(options[name] for name in order)]


def _shorten(option: Any) -> None:
    """Moves an option's choices into its help, and takes the type of a switch away."""
    kind = getattr(option, "type_descriptor", None) or option.type  # as typer has it since 0.29, and before
    choices = getattr(kind, "choices", None)
    if option.is_bool_flag:
        option.metavar = ""
    elif choices and option.metavar is None:
        option.metavar = "WORD"
        option.help = f"{option.help} One of {', '.join(map(str, choices))}."
