"""`pixelfast train`: learn from normal footage."""

import inspect
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from pixelfast import api
from pixelfast.cli.console import print_result
from pixelfast.cli.info import describe_model
from pixelfast.cli.options import Fps, Sources, Threads, TrainingDeinterlace, TrainingDepth, TrainingSampleFps
from pixelfast.cli.progress import shown_progress
from pixelfast.methods.base import TrainingOption
from pixelfast.methods.registry import USUAL, all_methods
from pixelfast.options import TrainingPrecision

_METHODS = all_methods()
_RECIPES = tuple(dict.fromkeys(name for one in _METHODS.values() for name in one.recipes))
_METHOD_HELP = "What to learn: " + "; ".join(f"{one.says} ({one.name})" for one in _METHODS.values()) + "."


def train(
    source: Sources,
    *,
    out: Annotated[Path, typer.Option(metavar="FOLDER", help="Model folder to write.", show_default=False)],
    method: Annotated[Literal[tuple(_METHODS)], typer.Option(help=_METHOD_HELP)] = USUAL,  # type: ignore[valid-type]
    recipe: Annotated[
        Literal[_RECIPES],  # type: ignore[valid-type]
        typer.Option(
            help="How to learn it: the one that learns, exactly the source method's, or, for motion alone, nothing: "
            "the plain norm of the flow."
        ),
    ] = "default",
    epochs: Annotated[
        int | None, typer.Option(min=1, metavar="N", help="Epochs.", show_default="the recipe's own")
    ] = None,
    seed: Annotated[int, typer.Option(metavar="N", help="Seed of everything random.")] = 0,
    precision: Annotated[
        TrainingPrecision | None, typer.Option(help="Arithmetic.", show_default="bf16 if the processor has it")
    ] = None,
    batch: Annotated[
        int | None, typer.Option(min=1, metavar="N", help="Windows (or flows) a step.", show_default="the recipe's own")
    ] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Carry on a training that was stopped.")] = False,
    fresh: Annotated[bool, typer.Option("--fresh", help="Throw a stopped training away and begin anew.")] = False,
    orientation: Annotated[
        bool, typer.Option("--orientation/--no-orientation", help="Turn pictures as their orientation says.")
    ] = True,
    depth: TrainingDepth = None,
    deinterlace: TrainingDeinterlace = False,
    fps: Fps = None,
    sample_fps: TrainingSampleFps = None,
    mask: Annotated[
        list[str] | None,
        typer.Option(
            metavar="FILE|X,Y,W,H",
            show_default=False,
            help="Leave out what is white in a picture, or a rectangle in pixels; may be given again.",
        ),
    ] = None,
    threads: Threads = None,
    **own: Any,
) -> None:
    """Learn what is normal from footage without anything unusual.

    $ pixelfast train normal/ --out model/
    """
    with shown_progress() as progress:
        model = api.train(
            source, out, method=method, recipe=recipe, epochs=epochs, seed=seed, precision=precision,
            batch=batch, resume=resume, fresh=fresh, orientation=orientation, depth=depth,
            deinterlace=deinterlace, fps=fps, sample_fps=sample_fps, mask=mask, threads=threads,
            progress=progress, **own,
        )  # fmt: skip
    print_result(describe_model(model))


def _parameter(option: TrainingOption, method: str) -> inspect.Parameter:
    """A method's own training option as a parameter that typer understands."""
    kind: Any = Literal[option.choices] if option.choices else option.kind
    flags = [f"--{name.replace('_', '-')}" for name in (option.name, option.also) if name is not None]
    shown = option.usual if option.usual is not None else True
    what = typer.Option(
        *flags, metavar=option.metavar, help=option.says, show_default=shown, rich_help_panel=f"Of --method {method}"
    )
    annotation: Any = Annotated[(kind if option.default is not None else kind | None, what)]
    return inspect.Parameter(option.name, inspect.Parameter.KEYWORD_ONLY, default=option.default, annotation=annotation)


def _with_own_options() -> inspect.Signature:
    """The command's signature, with every method's own options in place of `own`."""
    signature = inspect.signature(train)
    *common, _ = signature.parameters.values()
    own = [_parameter(option, one.name) for one in _METHODS.values() for option in one.options]
    return signature.replace(parameters=[*common, *own])


train.__signature__ = _with_own_options()  # type: ignore[attr-defined]
