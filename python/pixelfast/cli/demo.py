"""`pixelfast demo`: the whole job on a scene that the project draws by itself."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pixelfast.cli.console import facts, print_result, table
from pixelfast.cli.evaluate import describe_evaluations
from pixelfast.cli.info import outcome
from pixelfast.cli.options import Threads
from pixelfast.cli.progress import shown_progress
from pixelfast.cli.score import times

if TYPE_CHECKING:
    from pixelfast.demo.job import DemoReport


def demo(
    out: Annotated[Path, typer.Option(metavar="FOLDER", help="Folder for the scene, the model and the scores.")] = Path(
        "demo"
    ),
    seed: Annotated[int, typer.Option(min=0, metavar="N", help="Seed of the scene and of the training.")] = 0,
    threads: Threads = None,
) -> None:
    """Run the whole job on a scene that is drawn for you.

    $ pixelfast demo

    Draws the scene (once), learns from its normal videos, scores the others, says how well that went, and writes a page
    to look at.
    """
    from pixelfast.demo.job import run_demo

    with shown_progress() as progress:
        report = run_demo(out, seed=seed, threads=threads, progress=progress)
    print_result(describe_demo(report))


def describe_demo(report: "DemoReport") -> str:
    """What the demo did, how well it went, where the methods disagree, and where everything lies."""
    parts = (_what_was_done(report), _how_well(report), _moments(report), _apart(report), _where(report))
    return "\n\n".join(parts)


def _what_was_done(report: "DemoReport") -> str:
    spec = report.scene.truth["spec"]
    drawn = "was there already" if report.scene.reused else f"drawn in {report.seconds['scene']:.1f} s"
    rows = [("scene", f"{spec['train_videos']} normal videos, {spec['test_videos']} to score, {drawn}")]
    for one in report.methods:
        training, frames = one.model.manifest.training, len(one.scores)
        learnt = "" if training is None else f"learnt from {training.frames:,} frames of {training.videos} videos "
        rate = frames / max(one.seconds["score"], 1e-9)
        scored = f"{frames:,} frames scored in {one.seconds['score']:.1f} s ({rate:.0f} frames/s)"
        rows += [
            (one.scores.method, f"{learnt}in {one.seconds['train']:.0f} s; {outcome(one.model)}"),
            ("", f"{scored}: {times(one.scores.phases)}"),
        ]
    return facts(rows)


def _how_well(report: "DemoReport") -> str:
    figures = describe_evaluations({one.scores.method: one.evaluation for one in report.methods})
    flips = [
        f"Upside-down frames ({one.scores.method}): {one.flips.found} found, {one.flips.missed} missed, "
        f"{one.flips.false} turned although upright."
        for one in report.methods
    ]
    return "\n".join([figures, *flips])


def _moments(report: "DemoReport") -> str:
    tables = []
    for one in report.methods:
        rows = [(some.video, str(some.frame), f"{some.ranks[0]:.4f}", some.truth) for some in one.moments]
        title = f"most unusual by {one.scores.method}: video"
        tables.append(table((title, "frame", "rank", "what really happens"), rows))
        reasons = [(f"{some.video} {some.frame}", some.reason) for some in one.moments if some.reason is not None]
        if reasons:
            tables.append(facts(reasons))
    return "\n\n".join(tables)


def _apart(report: "DemoReport") -> str:
    from pixelfast.methods.registry import find_method

    rows = [
        (one.video, str(one.frame), *(f"{rank:.2f}" for rank in one.ranks), one.truth) for one in report.disagreements
    ]
    names = [one.scores.method for one in report.methods]
    header = ("where they disagree: video", "frame", *names[:2], "what really happens")
    reasons = [f"{name.capitalize()} {find_method(name).reacts}." for name in names]
    return "\n".join([table(header, rows), *reasons])


def _where(report: "DemoReport") -> str:
    rows = [("footage", str(report.scene.folder))]
    for one in report.methods:
        rows += [("model", str(one.model.folder)), *(("scores", str(path)) for path in one.written)]
    missing = "needs Plotly and Jinja2: pip install 'pixelfast[report]'"
    pages = [one.page for one in report.methods if one.page is not None]
    rows += [("look at", str(page)) for page in pages] or [("look at", f"a page, which {missing}")]
    return facts(rows)
