"""The benches' plugin: runs both sides of a bench in turn, divides their times, and fails below the gate.

A bench is marked `@pytest.mark.versus("name in gates.toml", peer="Pillow")` and calls its `contest` fixture with both
sides. It is collected as three repeats of ours, plain, ours, plain, …, so that a machine that slows down slows both;
in the short form a bench without a gate only shows that it runs, or is left out (`short=False`). One that is below its
gate after that gets up to three repeats more: the memory of a shared machine has bad minutes. `peer=None` times ours
alone. In the report (`--report`) the first paragraph of its docstring is its title, the name of its file its section,
unless the mark names one.
"""

import shutil
import timeit
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from abilities import abilities, read_cpuinfo
from chart import chart
from gates import BAD, Contest, Gate, Repeat, Verdict, load_gates, ratchet, times
from machine import describe_machine
from page import page
from quiet import core_share
from threads import THREADS

if TYPE_CHECKING:
    from oracles.plain_loop import PlainMethod

REPEATS = 3
MORE_REPEATS = 3
HERE = Path(__file__).parent
CONTESTS = pytest.StashKey[dict[str, Contest]]()
GATES = pytest.StashKey[dict[str, Gate]]()


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("gates")
    group.addoption("--short", action="store_true", help="smaller inputs, for CI")
    group.addoption("--gates", type=Path, default=HERE / "gates.toml", help="the file with the figures")
    group.addoption("--ratchet", action="store_true", help="raise the figures to what is measured")
    group.addoption("--every-gate", action="store_true", help="fail when a gate of the file was not measured")
    group.addoption("--report", type=Path, help="write what was measured to this Markdown file, and a chart beside it")
    group.addoption("--quiet-share", type=float, default=0.75, help="count a repeat when the cores were this free")


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line(
        "markers",
        "versus(name, peer='the plain way', gated=True, repeats=3, section=None, short=True): a bench of two sides",
    )
    config.stash[CONTESTS] = {}
    release_build()  # refuses any other, before the first bench
    try:
        config.stash[GATES] = load_gates(config.getoption("--gates"), abilities(read_cpuinfo()))
    except ValueError as error:
        raise pytest.UsageError(str(error)) from error


def release_build() -> dict[str, str]:
    """How the extension was built; a debug build is not worth measuring."""
    from pixelfast import _core

    build = _core.build_info()
    if build["profile"] != "release":
        raise pytest.UsageError(f"benches need a release build of the extension, not {build['profile']}")
    return build


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    mark = metafunc.definition.get_closest_marker("versus")
    if mark is not None:
        sides = ("ours", "plain") if mark.kwargs.get("peer", "") is not None else ("ours",)
        brief = metafunc.config.getoption("--short") and not is_gated(mark)
        repeats = range(1 if brief else mark.kwargs.get("repeats", REPEATS))
        if metafunc.config.getoption("--short") and not mark.kwargs.get("short", True):
            repeats = range(0)  # takes long, and no gate needs it
        turns = [(repeat, side) for repeat in repeats for side in sides]
        metafunc.parametrize("turn", turns, ids=[f"{side}-{repeat + 1}" for repeat, side in turns])


def is_gated(mark: pytest.Mark) -> bool:
    return bool(mark.kwargs.get("gated", True)) and mark.kwargs.get("peer", "") is not None


@dataclass(frozen=True)
class Turn:
    """One side of one repeat, to be run between two looks at whether the cores are free."""

    benchmark: Any
    contest: Contest
    side: str
    repeat: Repeat
    brief: bool
    falls_short: Callable[[], bool]

    def __call__(
        self,
        ours: Callable[[], object],
        plain: Callable[[], object] | None = None,
        *,
        plain_share: float = 1.0,
        rounds: int = 1,
        warmup_rounds: int = 1,
        items: float = 0,
        unit: str = "",
        note: str = "",
    ) -> None:
        """Runs this turn's side.

        Args:
            ours: The product's way.
            plain: The plain way; None where there is no peer.
            plain_share: The share of the work that `plain` does; its time is scaled up by it.
            rounds: Calls to time, of which the fastest counts; one in the short form where there is no gate.
            warmup_rounds: Calls before that; likewise none.
            items: What one call works on: the report then shows items a second.
            unit: Of the items: "frames", "windows", "million values".
            note: What the report's line should say beside the ratio.
        """
        before = core_share()
        runs = ours if self.side == "ours" else plain
        rounds, warmup_rounds = (1, 0) if self.brief else (rounds, warmup_rounds)
        self.benchmark.pedantic(runs, rounds=rounds, warmup_rounds=warmup_rounds)
        if self.benchmark.stats is None:
            return  # --benchmark-disable: run once, not timed
        seconds = self.benchmark.stats.stats.min
        self.repeat.core_share = min(self.repeat.core_share, before, core_share())
        self.contest.note, self.contest.items, self.contest.unit = note, items, unit
        setattr(self.repeat, self.side, seconds / plain_share if self.side == "plain" else seconds)
        self.benchmark.extra_info.update(side=self.side, plain_share=plain_share, core_share=self.repeat.core_share)
        if plain is not None and self.side == "plain":
            self._once_more(ours, plain, plain_share, rounds)

    def _once_more(
        self, ours: Callable[[], object], plain: Callable[[], object], plain_share: float, rounds: int
    ) -> None:
        """Repeats both sides while the gate is missed, after the last repeat."""
        for index in range(REPEATS, REPEATS + MORE_REPEATS):
            if not self.falls_short():
                return
            before = core_share()
            seconds = [min(timeit.repeat(side, number=1, repeat=rounds)) for side in (ours, plain)]
            share = min(before, core_share())
            self.contest.repeats[index] = Repeat(seconds[0], seconds[1] / plain_share, share)


@pytest.fixture
def contest(request: pytest.FixtureRequest, benchmark: Any, turn: tuple[int, str]) -> Turn:
    """Takes both sides of a bench and runs the one whose turn it is."""
    mark = request.node.get_closest_marker("versus")
    benchmark.group = mark.args[0]
    contest = request.config.stash[CONTESTS].setdefault(mark.args[0], introduce(mark, request))
    index, side = turn
    brief = request.config.getoption("--short") and not contest.gated
    gate, share = request.config.stash[GATES].get(contest.name), request.config.getoption("--quiet-share")
    last = mark.kwargs.get("repeats", REPEATS) - 1 == index
    repeat = contest.repeats.setdefault(index, Repeat())
    return Turn(benchmark, contest, side, repeat, brief, lambda: last and contest.judge(gate, share) is Verdict.FAILED)


def introduce(mark: pytest.Mark, request: pytest.FixtureRequest) -> Contest:
    """A bench before it runs, as its mark, docstring and file say."""
    title = " ".join((request.function.__doc__ or "").partition("\n\n")[0].split()).rstrip(".")
    section = mark.kwargs.get("section") or request.module.__name__.removeprefix("bench_")
    peer = mark.kwargs.get("peer", "the plain way")
    return Contest(mark.args[0], is_gated(mark), peer, section, title)


@pytest.fixture(scope="session")
def size(request: pytest.FixtureRequest) -> Callable[[int, int], int]:
    """`size(full, short)`: how much to work on in this run."""
    short = request.config.getoption("--short")
    return lambda full, short_form: short_form if short else full


@pytest.fixture(scope="session")
def frames(size: Callable[[int, int], int], tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Frame files of one generated video, 640x360, quality 90; in the short form the same 125 three times over."""
    from pixelfast.demo.scene import SceneSpec, generate_scene

    distinct, copies = size(1000, 125), size(1, 3)
    spec = SceneSpec(train_videos=1, train_frames=distinct, test_videos=0)
    scene = generate_scene(tmp_path_factory.mktemp("frames") / "scene", spec)
    drawn = sorted((scene.train / "01").glob("*.jpg"))
    for number, path in enumerate(drawn * (copies - 1), start=distinct):
        shutil.copy(path, path.with_stem(f"frame_{number + 1:04}"))
    return sorted((scene.train / "01").glob("*.jpg"))


@pytest.fixture(scope="session")
def method() -> "PlainMethod":
    """The source's networks with random weights; the classifier finds every frame upright, and works all the same."""
    import torch

    from oracles.networks import FlipClassifier, seeded_autoencoder
    from oracles.plain_loop import PlainMethod

    torch.set_num_threads(THREADS)
    torch.manual_seed(0)
    flip = FlipClassifier().eval()
    with torch.no_grad():
        flip.net[8].bias.copy_(torch.tensor([20.0, -20.0]))
    return PlainMethod(seeded_autoencoder(0), flip)


@pytest.fixture(scope="session")
def model(method: "PlainMethod", tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same weights as a model folder, in float32 alone."""
    from made_engines import model_folder

    return model_folder(method, method.autoencoder, tmp_path_factory.mktemp("weights"))


@pytest.fixture(scope="session")
def int8(model: Path, frames: list[Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The int8 engine in a copy of the folder; nobody asks here whether random weights keep the order of the frames."""
    from made_engines import int8_engine

    return int8_engine(model, 1, frames, tmp_path_factory.mktemp("int8"))


def pytest_sessionfinish(session: pytest.Session) -> None:
    if session.exitstatus == pytest.ExitCode.OK and failures(session.config):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
    if session.config.getoption("--report") and session.config.stash[CONTESTS]:
        write_report(session.config, session.config.getoption("--report"))


def write_report(config: pytest.Config, out: Path) -> None:
    """Writes the report and its chart, also where a gate failed: its verdict stands in it."""
    contests, gates = list(config.stash[CONTESTS].values()), config.stash[GATES]
    share, picture = config.getoption("--quiet-share"), out.with_suffix(".svg")
    machine = describe_machine(release_build(), read_cpuinfo())
    machine["Command"] = f"pytest {' '.join(config.invocation_params.args)}"
    out.parent.mkdir(parents=True, exist_ok=True)
    text = page(contests, gates, share, machine, short=config.getoption("--short"), chart=picture.name)
    out.write_text(text, encoding="utf-8")
    picture.write_text(chart(contests, gates, share), encoding="utf-8")


def failures(config: pytest.Config) -> list[str]:
    """One sentence for each gate that fails the run."""
    gates, contests = config.stash[GATES], config.stash[CONTESTS]
    share = config.getoption("--quiet-share")
    sentences = [
        f"bench gate {name}: {verdict.value}"
        for name, contest in contests.items()
        if (verdict := contest.judge(gates.get(name), share)) in BAD
    ]
    if config.getoption("--every-gate"):
        sentences += [f"bench gate {name}: no bench measured it" for name in gates if name not in contests]
    return sentences


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    gates, contests = config.stash[GATES], config.stash[CONTESTS]
    if not contests:
        return
    share = config.getoption("--quiet-share")
    terminalreporter.section("bench gates: times the plain way, best of the interleaved repeats")
    for name, contest in contests.items():
        terminalreporter.line(contest.line(gates.get(name), share))
        if config.getoption("--ratchet"):
            terminalreporter.line(raise_figure(config, contest))
    for sentence in failures(config):
        terminalreporter.line(sentence, red=True, bold=True)


def raise_figure(config: pytest.Config, contest: Contest) -> str:
    """Raises a passed gate's figure to what was measured, and says what it did."""
    share = config.getoption("--quiet-share")
    gate = config.stash[GATES].get(contest.name)
    if gate is None or contest.judge(gate, share) is not Verdict.PASSED:
        return f"  {contest.name}: figure left as it is"
    best = max(contest.ratios(share))
    raised = ratchet(config.getoption("--gates"), gate, best)
    return f"  {contest.name}: {gate.key} {'raised' if raised else 'stays, above what was measured'} ({times(best)})"
