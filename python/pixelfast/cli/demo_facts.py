"""The demo's report in words."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from pixelfast.cli.console import facts, table
from pixelfast.cli.evaluate import figure
from pixelfast.cli.model_facts import outcome
from pixelfast.cli.score_facts import times
from pixelfast.methods.registry import find_method

if TYPE_CHECKING:
    from pixelfast.demo.job import DemoReport
    from pixelfast.evaluation import Evaluation, VideoEvaluation


def describe(report: "DemoReport") -> str:
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
    first = report.methods[0].evaluation
    flips = [
        f"Upside-down frames ({one.scores.method}): {one.flips.found} found, {one.flips.missed} missed, "
        f"{one.flips.false} turned although upright."
        for one in report.methods
    ]
    chance = f"Scores that know nothing would get an AP of about {first.abnormal_share:.3f} and an AUROC of about 0.5."
    return "\n".join([_figures(report), "", chance, *flips])


def _figures(report: "DemoReport") -> str:
    """AP and AUROC of both methods side by side: all frames first, then every video."""
    found = [one.evaluation for one in report.methods]
    named = [("all", found), *((group[0].video, group) for group in zip(*(one.videos for one in found), strict=True))]
    header = ["video", "frames", "abnormal", "share"]
    for one in report.methods:
        header += [f"{one.scores.method} AP", "AUROC"]
    return table(tuple(header), [_row(name, group) for name, group in named])


def _row(name: str, group: "Sequence[Evaluation | VideoEvaluation]") -> tuple[str, ...]:
    frames, abnormal = group[0].frames, group[0].abnormal
    figures = [figure(value) for one in group for value in (one.ap, one.auroc)]
    return (name, f"{frames:,}", f"{abnormal:,}", f"{abnormal / frames:.1%}", *figures)


def _moments(report: "DemoReport") -> str:
    tables = []
    for one in report.methods:
        rows = [(some.video, str(some.frame), f"{some.ranks[0]:.4f}", some.truth) for some in one.moments]
        title = f"most unusual by {one.scores.method}: video"
        tables.append(table((title, "frame", "rank", "what really happens"), rows))
    return "\n\n".join(tables)


def _apart(report: "DemoReport") -> str:
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
    return facts(rows)
