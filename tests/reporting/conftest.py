"""A browser for the tests of the page; they are skipped aloud where there is none."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import pixelfast
from pixelfast.cleaning.stage import FrameRecord
from pixelfast.pipeline.parts import Job, Part, write_part
from report_footage import BUMPS, FRAMES, NAMES, scores_of, write_footage

OpenPage = Callable[..., Any]


@pytest.fixture(scope="session")
def page_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A page of three videos with labels and error maps, one of them named like a script."""
    home = tmp_path_factory.mktemp("report")
    source = write_footage(home / "new", NAMES, FRAMES, flipped=frozenset({10}))
    flipped = np.tile(np.arange(1, FRAMES + 1) == 10, 3)
    scores = scores_of(NAMES, FRAMES, BUMPS, flipped=flipped, seconds=np.tile(np.arange(FRAMES) / 10, 3))
    labels = [f"{name}_{frame},{int(frame in BUMPS[name])}" for name in NAMES for frame in range(1, FRAMES + 1)]
    (home / "labels.csv").write_text("\n".join(["Id,Label", *labels]))
    (home / "parts").mkdir()
    for at, name in enumerate(NAMES):
        rows, none = slice(at * FRAMES, (at + 1) * FRAMES), np.zeros(FRAMES, np.bool_)
        record = FrameRecord(np.arange(1, FRAMES + 1), none, none, none, None, none)
        maps = np.random.default_rng(at).random((FRAMES, 3, 4)).astype(np.float16)
        job = Job("density.safetensors", {"method": "density"}, 1, {"frames": 1050}, 3)
        write_part(home / "parts" / f"{at}.arrow", Part(name, "", scores.raw[rows].copy(), record, maps, job))
    return pixelfast.report(
        scores, source, home / "report.html", labels=home / "labels.csv", parts=home / "parts", title="Tuesday <b>"
    )


@pytest.fixture
def open_page(browser: Any) -> Iterator[OpenPage]:
    """Opens a page; whatever it says on the console or asks of the network fails the test at its end."""
    contexts, complaints = [], list[str]()

    def refuse(route: Any) -> None:
        complaints.append(f"asked for {route.request.url}")
        route.abort()

    def opened(file: Path, width: int = 1280, height: int = 800, scheme: str = "light", **more: Any) -> Any:
        context = browser.new_context(viewport={"width": width, "height": height}, color_scheme=scheme, **more)
        contexts.append(context)
        page = context.new_page()
        page.route(lambda url: not url.startswith(("file:", "data:", "blob:")), refuse)
        page.on("console", lambda message: complaints.append(f"{message.type}: {message.text}"))
        page.on("pageerror", lambda error: complaints.append(f"error: {error}"))
        page.goto(file.as_uri())
        return page

    yield opened
    for context in contexts:
        context.close()
    assert complaints == []
