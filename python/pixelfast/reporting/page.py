"""The page itself: one file of HTML that asks for nothing else, from no network."""

import base64
import gzip
from collections.abc import Mapping, Sequence
from importlib.resources import files
from importlib.util import find_spec
from typing import Any, Final

from pixelfast.errors import OutputError
from pixelfast.files.atomic import atomic_path
from pixelfast.files.places import AnyPath

_NEEDED: Final = ("jinja2", "plotly")


def require_report() -> None:
    """Refuses to go on where a package of the `report` extra is missing; none is imported yet.

    Raises:
        OutputError: one is.
    """
    for name in _NEEDED:
        if find_spec(name) is None:
            raise OutputError(
                f"a report needs Plotly and Jinja2, and {name} is missing: pip install 'pixelfast[report]'"
            )


def write_page(out: AnyPath, **facts: Any) -> None:
    """Writes the page, whole or not at all; `facts` are what `page.html` names.

    Raises:
        OutputError: it cannot be written.
    """
    page = render(**facts)
    with atomic_path(out) as temporary:
        temporary.write_text(page, encoding="utf-8", newline="\n")


def render(*, title: str, moments: Sequence[Mapping[str, Any]], charts: Mapping[str, Any], **facts: Any) -> str:
    """Returns the page as text; every text in it that comes from outside is escaped."""
    from jinja2 import Environment, StrictUndefined
    from markupsafe import Markup

    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    here = files("pixelfast.reporting")
    own = {kind: Markup(here.joinpath(f"page.{kind}").read_text("utf-8")) for kind in ("css", "js")}
    template = environment.from_string(here.joinpath("page.html").read_text("utf-8"))
    return template.render(title=title, moments=moments, charts=charts, plotly=_plotly(), **own, **facts)


def _plotly() -> str:
    """Plotly's own code, packed: a third of its size, and unpacked by the page when the first chart comes into view."""
    from plotly.offline import get_plotlyjs

    return base64.b64encode(gzip.compress(get_plotlyjs().encode(), mtime=0)).decode()
