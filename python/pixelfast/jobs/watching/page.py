"""What the page shows: how the watching stands, and the last events with their pictures, as HTML."""

import secrets
from functools import cache
from html import escape
from importlib.resources import files
from string import Template
from typing import Final

from pixelfast.jobs.watching.board import Board, Standing
from pixelfast.jobs.watching.events import WatchEvent
from pixelfast.progress import duration
from pixelfast.scores.words import clock, place

NONCE: Final = secrets.token_urlsafe(16)
"""What the page's own script and style are known by; no other is run."""

_HIGHEST: Final = 3.0
"""Thresholds that the bar reaches to."""


def whole_page(board: Board) -> str:
    """Returns the page, with all that it shows at first."""
    parts = {"standing": standing_part(board), "events": events_part(board)}
    own = {kind: _own(f"page.{kind}") for kind in ("css", "js")}
    return Template(_own("page.html")).substitute(
        nonce=NONCE, name=escape(board.standing.video), **parts, **own
    )  # fmt: skip


def standing_part(board: Board) -> str:
    """Returns how the watching stands."""
    now = board.now()
    facts = {
        "Frames scored": f"{now.frames:,}",
        "Frames a second": f"{board.rate():.1f}",
        "Dropped": f"{now.dropped:,}",
        **({"Connected again": f"{now.reconnects:,}"} if now.live else {}),
        "Watching for": duration(now.seconds),
        "Events": f"{now.events:,}",
    }
    rows = "".join(f"<div><dt>{name}</dt><dd>{value}</dd></div>" for name, value in facts.items())
    state, said = _state(now)
    return f'<p class="state {state}">{said}</p>{_bar(now)}<dl class="facts">{rows}</dl>'


def events_part(board: Board) -> str:
    """Returns the last events, the newest first."""
    events = board.events()
    if not events:
        return '<p class="none">Nothing unusual so far. Events appear here by themselves.</p>'
    return f'<ol class="events">{"".join(map(_event, events))}</ol>'


def _state(now: Standing) -> tuple[str, str]:
    if now.ended:
        return "ended", "Watching has ended"
    if not now.connected:
        return "lost", "No connection: trying again" if now.frames else "Connecting"
    if now.last is not None and now.last > now.threshold:
        return "high", "Something unusual is going on"
    return "fine", "Watching: nothing unusual"


def _bar(now: Standing) -> str:
    """The last score against the threshold, which is a mark at a third."""
    if now.last is None:
        return ""
    share = now.last / now.threshold if now.threshold > 0 else 0.0
    filled, mark = 100.0 * min(max(share / _HIGHEST, 0.0), 1.0), 100.0 / _HIGHEST
    kind = "over" if now.last > now.threshold else "under"
    said = f"last score {now.last:.4g}, threshold {now.threshold:.4g}"
    return (
        f'<figure class="bar"><svg viewBox="0 0 100 4" preserveAspectRatio="none" role="img" aria-label="{said}">'
        f'<rect class="ground" width="100" height="4"/><rect class="{kind}" width="{filled:.1f}" height="4"/>'
        f'<rect class="mark" x="{mark:.2f}" width="0.4" height="4"/></svg>'
        f"<figcaption>Last score <b>{now.last:.4g}</b>, threshold <b>{now.threshold:.4g}</b></figcaption></figure>"
    )


def _event(event: WatchEvent) -> str:
    when = clock(event.seconds) if event.time is None else f"{event.time:%Y-%m-%d %H:%M:%S}"
    where = None if event.where is None else place(*event.where)
    high = f"{event.value / event.threshold:.1f} times the threshold" if event.threshold > 0 else f"{event.value:.4g}"
    why = (event.reason or "unlike the normal footage") + (f" ({where})" if where else "")
    long = "" if event.end is None else f"{event.lasts:.1f} s, "
    saved = f'<p class="soft">Saved as {escape(event.saved)}.*</p>' if event.saved else ""
    going = '<span class="going">going on</span>' if event.end is None else ""
    return (
        f'<li><div class="shot"><img src="picture/{event.start}?{event.peak}" '
        f'alt="the picture at frame {event.peak}">{_spot(event)}</div>'
        f"<div><h3><time>{when}</time> {going}</h3><p>{escape(why[:1].upper() + why[1:])}</p>"
        f'<p class="soft">{long}{high}, frames {event.start:,} to '
        f"{'now' if event.end is None else f'{event.end:,}'}</p>{saved}</div></li>"
    )


def _spot(event: WatchEvent) -> str:
    """A ring around where it is."""
    if event.where is None:
        return ""
    at = f'cx="{event.where[0]:.1%}" cy="{event.where[1]:.1%}"'
    return f'<svg aria-hidden="true"><circle class="dark" {at} r="15"/><circle {at} r="15"/></svg>'


@cache
def _own(name: str) -> str:
    return files("pixelfast.jobs.watching").joinpath(name).read_text("utf-8")
