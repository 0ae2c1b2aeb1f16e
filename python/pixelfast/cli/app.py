"""The commands, in the order in which the help lists them."""

from collections.abc import Callable
from typing import Annotated, Any

import typer

from pixelfast.cli.calibrate import calibrate
from pixelfast.cli.clean import clean
from pixelfast.cli.convert import convert
from pixelfast.cli.demo import demo
from pixelfast.cli.doctor import doctor
from pixelfast.cli.evaluate import evaluate
from pixelfast.cli.export import export
from pixelfast.cli.help import Command
from pixelfast.cli.info import info
from pixelfast.cli.learn import learn
from pixelfast.cli.mask import mask
from pixelfast.cli.merge import merge
from pixelfast.cli.report import report
from pixelfast.cli.score import score
from pixelfast.cli.verify import verify
from pixelfast.cli.watch import watch


class _WithMethods(Command):
    """A command whose options the methods make: they are loaded when it is run, not for the list of commands."""

    def make_context(self, *arguments: Any, **facts: Any) -> Any:
        from pixelfast.cli.train import train as whole

        one = typer.Typer(rich_markup_mode="rich", add_completion=False, context_settings=_SETTINGS)
        one.command("train", cls=Command)(whole)
        return typer.main.get_command(one).make_context(*arguments, **facts)


def train() -> None:
    """Learn what is normal from footage without anything unusual."""


_SETTINGS = {"help_option_names": ["-h", "--help"]}
_EXAMPLE = """[bold]Start here[/bold]

[cyan]pixelfast demo[/cyan]  (the whole job on a scene that is drawn for you)

[cyan]pixelfast train normal/ --out model/[/cyan]

[cyan]pixelfast score new/ --engine model/ --out scores.csv[/cyan]"""

app = typer.Typer(
    name="pixelfast",
    help="Finds the unusual moments in video: learns from normal footage and gives every frame an anomaly score.",
    epilog=_EXAMPLE,
    rich_markup_mode="rich",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings=_SETTINGS,
)

_PANELS: dict[str, tuple[Callable[..., None], ...]] = {
    "The job": (train, score, watch, report, learn, evaluate, demo),
    "Footage and engines": (clean, mask, export, calibrate, convert, merge),
    "Look": (info, doctor, verify),
}
for _panel, _commands in _PANELS.items():
    for _command in _commands:
        app.command(rich_help_panel=_panel, cls=_WithMethods if _command is train else Command)(_command)


def _print_version(wanted: bool) -> None:
    if wanted:
        from importlib import metadata

        typer.echo(f"pixelfast {metadata.version('pixelfast')}")
        raise typer.Exit


@app.callback()
def _every_command(
    _version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version and stop.")
    ] = False,
    _debug: Annotated[
        bool, typer.Option("--debug", help="Show the traceback when something fails. May stand after a command, too.")
    ] = False,
) -> None:
    pass
