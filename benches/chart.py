"""docs/benchmarks.svg: a bar for each bench, how many times faster than its peer, on a logarithmic scale."""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from html import escape
from itertools import groupby
from typing import Final

from gates import Contest, Gate, times
from page import in_order, title

ROW, BAR, PADDING, LETTER = 24, 14, 20, 7.3  # pixels; a letter of the widest common fonts at 13 pixels
PLOT: Final = 520
"""Width of the scale, pixels."""

TICKS: Final = tuple(step * 10.0**power for power in range(-3, 5) for step in (1, 2, 5))
FASTER, SLOWER, INK, FAINT = "#1f7a4d", "#b4571e", "#1c2330", "#5b6472"
HEAD: Final = """\
<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" viewBox="0 0 {width} {height}" \
font-family="system-ui, Segoe UI, Helvetica, Arial, sans-serif" font-size="13" fill="{ink}">
<rect x="0.5" y="0.5" width="{w}" height="{h}" rx="8" fill="#ffffff" stroke="#d0d5dc"/>"""


@dataclass(frozen=True)
class Scale:
    """Ratios to pixels: logarithmic, from the least to the greatest tick."""

    left: float
    least: float
    greatest: float

    def __call__(self, ratio: float) -> float:
        return self.left + PLOT * math.log(ratio / self.least) / math.log(self.greatest / self.least)


def chart(contests: Iterable[Contest], gates: Mapping[str, Gate], quiet_share: float) -> str:
    """The picture as SVG text; benches without a ratio are left out. Its own white card makes it readable anywhere."""
    ratios = {
        contest.name: (contest, best.ratio)
        for contest in in_order(contests)
        if (best := contest.best(quiet_share)) is not None and best.ratio is not None
    }
    left = PADDING + LETTER * max((len(_label(contest)) for contest, _ in ratios.values()), default=0) + 12
    scale = _scale(left, [ratio for _, ratio in ratios.values()])
    body, y = [], PADDING + 2 * ROW
    for section, group in groupby(ratios.values(), key=lambda one: one[0].section):
        body.append(_text(PADDING, y + ROW - 8, title(section), weight="600"))
        y += ROW
        for contest, ratio in group:
            body += _bar(contest, ratio, gates.get(contest.name), scale, y)
            y += ROW
    width, height = math.ceil(left + PLOT + 70), y + PADDING
    head = HEAD.format(width=width, height=height, w=width - 1, h=height - 1, ink=INK)
    caption = _text(
        PADDING, PADDING + 6, "Times faster than the peer (1 = as fast; a black mark is the gate)", weight="600"
    )
    return "\n".join([head, caption, *_axis(scale, PADDING + 2 * ROW, y), *body, "</svg>\n"])


def _label(contest: Contest) -> str:
    name, peer = contest.name.replace("_", " "), str(contest.peer)
    return name if peer.lower() in name else f"{name} / {peer}"


def _scale(left: float, ratios: list[float]) -> Scale:
    """From the last tick below all ratios, and below 1, to the first above."""
    least = max(tick for tick in TICKS if tick < min([*ratios, 0.999]))
    greatest = min(tick for tick in TICKS if tick > max([*ratios, 1.001]))
    return Scale(left, least, greatest)


def _axis(scale: Scale, top: float, bottom: float) -> list[str]:
    lines = []
    for tick in TICKS:
        if scale.least <= tick <= scale.greatest:
            x, peer = scale(tick), tick == 1
            stroke = f'stroke="{INK if peer else "#e3e6ea"}" stroke-width="{1.5 if peer else 1}"'
            lines.append(f'<line x1="{x:.1f}" y1="{top}" x2="{x:.1f}" y2="{bottom}" {stroke}/>')
            lines.append(_text(x, top - 6, f"{tick:g}x", anchor="middle", fill=FAINT))
    return lines


def _bar(contest: Contest, ratio: float, gate: Gate | None, scale: Scale, y: float) -> list[str]:
    start, end = sorted((scale(1), scale(ratio)))
    fill = FASTER if ratio >= 1 else SLOWER
    middle, top = y + ROW / 2 + 4.5, y + (ROW - BAR) / 2
    parts = [
        _text(scale.left - 12, middle, _label(contest), anchor="end"),
        f'<rect x="{start:.1f}" y="{top}" width="{max(end - start, 1):.1f}" height="{BAR}" fill="{fill}"/>',
        # Beside a bar to the left its number would meet the labels: it stands on the peer's other side.
        _text(max(end, scale(1)) + 6, middle, f"{times(ratio)}x", weight="600", fill=fill),
    ]
    if gate is not None and contest.gated and scale.least <= gate.least <= scale.greatest:
        x = scale(gate.least)
        parts.append(
            f'<line x1="{x:.1f}" y1="{top - 2}" x2="{x:.1f}" y2="{top + BAR + 2}" stroke="{INK}" stroke-width="2"/>'
        )
    return parts


def _text(x: float, y: float, text: str, *, weight: str = "400", anchor: str = "start", fill: str = INK) -> str:
    style = f'font-weight="{weight}" text-anchor="{anchor}" fill="{fill}"'
    return f'<text x="{x:.1f}" y="{y:.1f}" {style}>{escape(text)}</text>'
