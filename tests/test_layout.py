"""Imports run downwards only, in the order of the floors below; no method imports another; no class has a namesake."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pixelfast

PACKAGE = Path(pixelfast.__file__).parent

# From the top floor down; what is named in none of them is the ground.
FLOORS = (
    "cli", "demo", "api", "verify", "reporting", "jobs", "pipeline", "methods", "flow", "cleaning", "flip",
    "evaluation", "training", "scores", "runtime", "sources", "model", "machine", "files",
)  # fmt: skip
GROUND = ("arguments", "errors", "progress", "notes", "options", "geometry", "_core")
DOORS = ("__init__", "__main__")


def imports(path: Path) -> Iterator[tuple[int, str]]:
    """Line and dotted name of everything that a file imports from the package, in functions too."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names if alias.name.split(".")[0] == "pixelfast")
        elif isinstance(node, ast.ImportFrom) and node.module is not None and node.module.split(".")[0] == "pixelfast":
            yield from ((node.lineno, f"{node.module}.{alias.name}") for alias in node.names)


def room(dotted: str) -> str:
    """The folder or file of the package that a dotted name of it begins with; the package's own door leads to api."""
    first = dotted.split(".")[1:2]
    return first[0] if first and first[0] in (*FLOORS, *GROUND) else "api" if len(dotted.split(".")) < 3 else first[0]


def floor(name: str) -> int:
    """How far up a room is; 0 is the ground."""
    return len(FLOORS) - FLOORS.index(name) if name in FLOORS else 0


def files() -> list[tuple[str, Path]]:
    """Dotted name and path of every file of the package but its doors."""
    found = []
    for path in sorted(PACKAGE.rglob("*.py")):
        parts = path.relative_to(PACKAGE).with_suffix("").parts
        if parts[0] not in DOORS:
            found.append((".".join(("pixelfast", *parts)), path))
    return found


def test_every_room_is_on_a_floor() -> None:
    rooms = {room(name) for name, _ in files()}
    assert rooms <= {*FLOORS, *GROUND}, f"unknown to the plan of the house: {sorted(rooms - {*FLOORS, *GROUND})}"


def test_imports_run_downwards_only() -> None:
    upwards = [
        f"{path}:{line}: {name} imports {imported}"
        for name, path in files()
        for line, imported in imports(path)
        if floor(room(imported)) > floor(room(name))
        or (room(imported) != room(name) and floor(room(imported)) == floor(room(name)) != 0)
    ]
    assert not upwards, "\n".join(["imports that run upwards:", *upwards])


def test_no_method_imports_another() -> None:
    folders = {path.name for path in (PACKAGE / "methods").iterdir() if path.is_dir()}
    across = [
        f"{path}:{line}: {name} imports {imported}"
        for name, path in files()
        for line, imported in imports(path)
        for own, other in [(name.split(".")[2:3], imported.split(".")[2:3])]
        if room(name) == room(imported) == "methods" and other and other[0] in folders and own != other
    ]
    assert not across, "\n".join(["methods that are known elsewhere among the methods:", *across])


def test_no_class_has_a_namesake() -> None:
    places: dict[str, list[str]] = {}
    for name, path in files():
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ClassDef):
                places.setdefault(node.name, []).append(f"{name}:{node.lineno}")
    twice = {name: found for name, found in places.items() if len(found) > 1}
    assert not twice, f"two things of one name: {twice}"
