"""The demo's report in words."""

from typing import TYPE_CHECKING

from pixelfast.cli import evaluate
from pixelfast.cli.console import facts, table
from pixelfast.cli.model_facts import outcome
from pixelfast.cli.score_facts import times

if TYPE_CHECKING:
    from pixelfast.demo.job import DemoReport


def describe(report: "DemoReport") -> str:
    """What the demo did, how well it went, and where everything lies."""
    parts = (_what_was_done(report), _how_well(report), _moments(report), _where(report))
    return "\n\n".join(parts)


def _what_was_done(report: "DemoReport") -> str:
    spec, seconds, training = report.scene.truth["spec"], report.seconds, report.model.manifest.training
    drawn = "was there already" if report.scene.reused else f"drawn in {seconds['scene']:.1f} s"
    frames = len(report.scores)
    rate = frames / max(seconds["score"], 1e-9)
    learnt = "" if training is None else f"learnt from {training.frames:,} frames of {training.videos} videos "
    return facts(
        [
            ("scene", f"{spec['train_videos']} normal videos, {spec['test_videos']} to score, {drawn}"),
            ("model", f"{learnt}in {seconds['train']:.0f} s; {outcome(training)}"),
            ("scores", f"{frames:,} frames in {seconds['score']:.1f} s ({rate:.0f} frames/s)"),
            ("phases", times(report.scores.phases)),
        ]
    )


def _how_well(report: "DemoReport") -> str:
    flips = report.flips
    return "\n".join(
        [
            evaluate.describe(report.evaluation),
            f"Upside-down frames: {flips.found} found, {flips.missed} missed, {flips.false} turned although upright.",
        ]
    )


def _moments(report: "DemoReport") -> str:
    rows = [(one.frame.video, str(one.frame.frame), f"{one.frame.rank:.4f}", one.truth) for one in report.moments]
    return table(("most unusual: video", "frame", "rank", "what really happens"), rows)


def _where(report: "DemoReport") -> str:
    return facts(
        [
            ("footage", str(report.scene.folder)),
            ("model", str(report.model.folder)),
            *(("scores", str(path)) for path in report.written),
        ]
    )
