"""What bars keep on narrow terminals: how much is done, how fast, how long it takes yet."""

import io
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from pixelfast.cli.progress import _bars, _draw, _rate
from pixelfast.progress import Progress

NOTE = "epoch 12/100, 3 min 20 s left of the whole training, loss 0.00123, held-out 0.00145"


def drawn(width: int, total: int | None, step: int, seconds: float, *others: str) -> list[str]:
    """The bars after eleven steps so long apart, and those of other phases above, as lines of a terminal."""
    bars = _bars(Console(width=width, force_terminal=True, color_system=None, file=io.StringIO()))
    now = 0.0
    bars.get_time = lambda: now
    tasks: dict[str, object] = {}
    for phase in others:
        _draw(bars, tasks, Progress(phase, 5_000_000, 5_000_000))  # type: ignore[arg-type]
    for number in range(11):
        now = seconds * number
        _draw(bars, tasks, Progress("calibrate", step * number, total, NOTE))  # type: ignore[arg-type]
    shown = io.StringIO()
    Console(width=width, file=shown).print(bars.get_renderable())
    return shown.getvalue().splitlines()


@pytest.mark.parametrize(
    ("width", "expected"),
    [
        (60, "calibrate .*100000/240000 left 00:14 10,000/s "),
        (80, "calibrate .*100000/240000 0:00:10 left 00:14 10,000/s epoch 12"),
        (100, "calibrate .*100000/240000 0:00:10 left 00:14 10,000/s epoch 12/100, 3 min"),
    ],
)
def test_rate_and_time_left_stay(width: int, expected: str) -> None:
    (line,) = drawn(width, 240_000, 10_000, 1.0)
    assert re.search(expected, line), line
    assert len(line) <= width


def test_a_total_that_nobody_knows() -> None:
    (line,) = drawn(80, None, 10, 1.0)
    assert re.search(r"calibrate .* 100/\? +0:00:10 left +10/s", line), line


@given(
    width=st.integers(60, 200),
    step=st.integers(1, 100_000),
    times=st.integers(11, 50),
    seconds=st.floats(0.01, 140),
    others=st.sampled_from([(), ("decode",), ("decode", "train")]),
)
def test_nothing_of_them_is_cut_off(width: int, step: int, times: int, seconds: float, others: tuple[str, ...]) -> None:
    lines = drawn(width, step * times, step, seconds, *others)
    assert all(len(line) <= width for line in lines)
    counted = re.search(rf"{step * 10}/{step * times} +(?:\d+:\d\d:\d\d )?left +(\S+) +(\S+)/s( |$)", lines[-1])
    assert counted, lines
    left = sum(int(part) * 60**place for place, part in enumerate(reversed(counted[1].split(":"))))
    assert left == pytest.approx(seconds * (times - 10), abs=1.01, rel=1e-6)
    assert float(counted[2].replace(",", "")) == pytest.approx(step / seconds, rel=0.05)


@pytest.mark.parametrize(
    ("rate", "said"), [(None, ""), (0.0, ""), (12345.4, "12,345/s"), (9.96, "10/s"), (0.312, "0.31/s")]
)
def test_rates_are_short(rate: float | None, said: str) -> None:
    assert _rate(rate) == said
