"""`pixelfast mask`: propose what of the picture to leave out."""

from pathlib import Path
from typing import Annotated

import typer

from pixelfast import api
from pixelfast.cli.console import facts, print_result
from pixelfast.cli.options import Fps, Sources


def mask(
    source: Sources,
    *,
    out: Annotated[Path, typer.Option(metavar="FILE", help="Mask to write, a .png.", show_default=False)],
    preview: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="A frame with the mask over it.", show_default="OUT.preview.png"),
    ] = None,
    fps: Fps = None,
) -> None:
    """Propose a mask from footage: burnt-in clocks, and what always moves.

    $ pixelfast mask cam1.mp4 --out mask.png

    Look at the preview, paint into the mask what is missing (white is left out), and give it to `train --mask`.
    """
    footage = source[0] if len(source) == 1 else source
    found = api.propose_mask(footage, out, preview=preview, fps=fps)
    rows = [
        ("clock", f"{found.clock:.1%} of the picture is text that changes every second"),
        ("moving", f"{found.moving:.1%} of the picture always moves"),
        ("mask", "nothing was found to leave out, and nothing written" if found.out is None else str(found.out)),
        *([("preview", str(found.preview))] if found.preview is not None else []),
    ]
    print_result(facts(rows))
