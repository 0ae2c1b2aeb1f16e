"""What a release says of itself fits together: versions, notes, workflows, and what an sdist holds."""

import re
import tomllib
from importlib import metadata
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[1]
VERSION: str = tomllib.loads((ROOT / "Cargo.toml").read_text("utf-8"))["workspace"]["package"]["version"]
PYPROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
TARGETS = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE))


def sections() -> dict[str, str]:
    """The headings of CHANGELOG.md and what stands below each, the newest first."""
    pieces = re.split(r"^## (.+)$", (ROOT / "CHANGELOG.md").read_text("utf-8"), flags=re.MULTILINE)
    return dict(zip(pieces[1::2], pieces[2::2], strict=True))


def test_the_newest_release_of_the_changelog_is_the_version() -> None:
    first, newest, *_ = sections()
    assert first == "Unreleased"
    assert re.fullmatch(rf"{re.escape(VERSION)} \(\d{{4}}-\d{{2}}-\d{{2}}\)", newest)


def test_the_installed_package_has_the_version() -> None:
    assert metadata.version("pixelfast") == VERSION, "install it again: make setup"


def test_a_release_begins_with_notes_for_who_updates() -> None:
    notes = sections()[next(name for name in sections() if name.startswith(VERSION))].partition("\n### ")[0]
    assert len(notes.split()) > 50


def test_the_lock_file_has_the_version_of_every_crate_of_ours() -> None:
    packages = tomllib.loads((ROOT / "Cargo.lock").read_text("utf-8"))["package"]
    ours = {one["name"]: one["version"] for one in packages if one["name"].startswith("pixelfast-")}
    assert set(ours.values()) == {VERSION}
    assert len(ours) == len(list(ROOT.glob("rust/pixelfast-*/Cargo.toml")))


@pytest.mark.parametrize("workflow", WORKFLOWS, ids=lambda path: path.stem)
def test_workflows_name_what_is_there_and_pin_what_they_use(workflow: Path) -> None:
    text = workflow.read_text("utf-8")
    lines = "\n".join(line.partition("#")[0] for line in text.splitlines())
    made = re.findall(r"(?:run: |&& |^ +)make ([a-z-]+)", lines, re.MULTILINE)
    assert set(made) <= TARGETS
    named = re.findall(r"(?<![\w$/])(?:\.ci|\.github|tests|benches|docs)/[\w./-]+", lines)
    assert not [one for one in named if not (ROOT / one).exists()]
    assert not [one for one in re.findall(r"uses: (\S+)", lines) if not re.search(r"@v\d", one)]
    assert re.search(r"^permissions:\n  contents: read$", text, re.MULTILINE), (
        "no more than reading, but where it is said"
    )


def test_the_workflows_name_targets_and_files_at_all() -> None:
    assert {path.name for path in WORKFLOWS} >= {"ci.yml", "release.yml"}
    assert {"cross", "check", "test"} <= TARGETS


def test_every_python_that_ci_tests_is_promised() -> None:
    promised = {one.rpartition(" ")[2] for one in PYPROJECT["project"]["classifiers"] if " :: 3." in one}
    matrix = (ROOT / ".github" / "workflows" / "ci.yml").read_text("utf-8").partition("elsewhere:")[0]
    assert set(re.findall(r'python: "([\d.]+)"', matrix)) == promised
    assert f">={min(promised, key=lambda one: int(one[2:]))}" == PYPROJECT["project"]["requires-python"]


def test_an_sdist_holds_what_the_tests_read() -> None:
    patterns = [one["path"] for one in PYPROJECT["tool"]["maturin"]["include"] if one["format"] == "sdist"]
    held = {pattern.split("/")[0] for pattern in patterns} | {"python", "rust", "Cargo.toml", "Cargo.lock", "LICENSE"}
    lacking = {
        "tests",
        "benches",
        "examples",
        "docs",
        "cuda_export",
        ".ci",
        ".github",
        "Makefile",
        "constraints.txt",
    } - held
    assert not lacking
    assert "*.md" in held
