"""The extras: what `pixelfast[all]` brings on each kind of machine, and that sentences name none that is not there."""

import re
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement

import pixelfast

ROOT = Path(__file__).parents[1]
EXTRAS: dict[str, list[str]] = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]


def brought(extra: str, system: str, machine: str) -> set[str]:
    """The names of the packages that an extra brings on a machine, those of the extras that it names among them."""
    found: set[str] = set()
    for requirement in map(Requirement, EXTRAS[extra]):
        if requirement.marker is None or requirement.marker.evaluate(
            {"sys_platform": system, "platform_machine": machine}
        ):
            ours = requirement.extras if requirement.name == "pixelfast" else ()
            found |= set().union(*(brought(one, system, machine) for one in ours)) if ours else {requirement.name}
    return found


@pytest.mark.parametrize(
    ("system", "machine", "without"),
    [
        ("linux", "x86_64", set()),
        ("linux", "aarch64", {"tensorrt", "tensorrt-rtx", "nvdec"}),
        ("darwin", "arm64", {"tensorrt", "tensorrt-rtx", "nvdec"}),
        ("darwin", "x86_64", {"tensorrt", "tensorrt-rtx", "nvdec", "train"}),
    ],
)
def test_all_is_everything_for_a_machine_of_its_kind(system: str, machine: str, without: set[str]) -> None:
    others = set(EXTRAS) - {"all", "dev"} - without
    assert {"train", "cpu", "quantize", "report"} - without <= others
    assert brought("all", system, machine) == set().union(*(brought(one, system, machine) for one in others))


def test_sentences_name_extras_that_are_there() -> None:
    places = [*Path(pixelfast.__file__).parent.rglob("*.py"), *ROOT.glob("*.md"), *ROOT.glob("*/*.md")]
    texts = {path: path.read_text(encoding="utf-8") for path in places}
    named = {
        (path.name, one)
        for path, text in texts.items()
        for group in re.findall(r"(?:pixelfast|'\.)\[([a-z,-]+)\]", text)
        for one in group.split(",")
    }
    assert {one for _, one in named} >= {"all", "train", "cpu", "tensorrt"}
    assert not [(path, one) for path, one in named if one not in EXTRAS]
